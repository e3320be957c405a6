"""Which channels hear of an incident, and how."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pytest_workflow_monitor.alerting.matching import matches
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.alerting.matching import Facts
    from pytest_workflow_monitor.settings.alert_rules import Route

_DAY_MINUTES = 24 * 60


class Destination(Record, frozen=True, kw_only=True):
    """A channel that hears of something; with ``digest``, in its next digest."""

    channel: str
    mention: bool = True
    digest: bool = False


def destinations(
    news: Iterable[Facts], routes: Sequence[Route], channels: Sequence[str], now: datetime
) -> tuple[Destination, ...]:
    """Choose where the news of some alerts goes: each channel once, by the loudest route."""
    found: dict[str, Destination] = {}
    for facts in news:
        for route in routes:
            if matches(route.match, facts) and is_open(route, now):
                for channel in route.channels or channels:
                    found[channel] = _louder(
                        found.get(channel),
                        Destination(channel=channel, mention=route.mention, digest=route.digest),
                    )
    return tuple(found[channel] for channel in channels if channel in found)


def is_open(route: Route, now: datetime) -> bool:
    """Tell whether a route holds at this hour of this day, in its own time zone.

    Hours that cross midnight belong to the day on which they begin.
    """
    local = now.astimezone(ZoneInfo(route.timezone))
    minute = local.hour * 60 + local.minute
    start, end = route.hours or (0, _DAY_MINUTES)
    if start >= end and minute < end:
        local -= timedelta(days=1)
        minute += _DAY_MINUTES
    if start >= end:
        end += _DAY_MINUTES
    return start <= minute < end and (not route.days or local.weekday() in route.days)


def _louder(known: Destination | None, new: Destination) -> Destination:
    if known is None:
        return new
    return Destination(
        channel=new.channel,
        mention=known.mention or new.mention,
        digest=known.digest and new.digest,
    )
