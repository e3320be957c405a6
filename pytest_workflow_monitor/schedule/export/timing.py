"""The schedule of a workflow as sets of numbers, and the same times in another zone.

Who reads a time table in another zone than the workflow's has to run it at the same instants. Where
that cannot be written down, it is refused and not approximated.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pytest_workflow_monitor.cron.fields import Days, Fields
from pytest_workflow_monitor.cron.reading import read
from pytest_workflow_monitor.cron.rhythm import offset_of
from pytest_workflow_monitor.cron.wording import interval
from pytest_workflow_monitor.errors import WorkflowMonitorError
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.schedule.export.numbers import step_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_workflow_monitor.model import Workflow

ALL_HOURS = tuple(range(24))
ALL_MINUTES = tuple(range(60))
ALL_DATES = frozenset(range(1, 32))
ALL_MONTHS = frozenset(range(1, 13))
ALL_WEEKDAYS = frozenset(range(7))
EVERY_DAY = Days(
    months=ALL_MONTHS,
    days=ALL_DATES,
    has_last=False,
    weekdays=ALL_WEEKDAYS,
    nth=frozenset(),
    is_either=False,
)
MOST_LINES = 24
"""A schedule that takes more lines than this is refused: nobody could read it."""

_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86400, 604_800
_MINUTES_A_DAY = 1440
_EPOCHS_WEEKDAY = 4
_WINDOW = timedelta(days=400)
_STEP = timedelta(minutes=15)


class RefusedError(WorkflowMonitorError):
    """A schedule cannot be written down for somebody else; one clause says why."""


class Timing(Record, frozen=True, kw_only=True):
    """When a workflow runs: at the times of any of its fields, in a zone."""

    fields: tuple[Fields, ...]
    zone: str


def timing_of(workflow: Workflow, *, whole_minutes: bool) -> Timing:
    """Return when a workflow runs.

    Args:
        workflow: One with a schedule.
        whole_minutes: Whether times of an interval move to the next whole minute.

    Raises:
        RefusedError: An interval does not come round with the days or weeks.
    """
    if workflow.every_seconds is None:
        fields = read(workflow.cron or "", workflow.workflow_id)
        return Timing(fields=(replace(fields, days=_plain(fields.days)),), zone=workflow.timezone)
    every = workflow.every_seconds
    offset = offset_of(every, workflow.workflow_id)
    if whole_minutes and every % _MINUTE:
        raise RefusedError(f"{interval(every)} is not a number of minutes")
    if whole_minutes:
        offset = -(-offset // _MINUTE) * _MINUTE % every
    return Timing(fields=tuple(_beats(every, offset)), zone="UTC")


def in_zone(timing: Timing, zone: str, now: datetime) -> Timing | None:
    """Return the same instants as times of another zone; None where there is no such table.

    Judged by how both zones change their clocks in the year from now.
    """
    if timing.zone == zone:
        return timing
    shifts = _shifts(timing.zone, zone, now.date().replace(day=1).toordinal())
    is_one = len(shifts) == 1
    source_changes, target_changes = changes(timing.zone, now), changes(zone, now)
    is_wild = all(it.is_wild for it in timing.fields)
    if source_changes and not is_wild and not (is_one and target_changes):
        return None
    found = {moved(timing.fields, it) for it in shifts}
    lines = found.pop()
    if found or lines is None:
        return None
    wild = is_wild or not is_one
    if target_changes and wild and not all(map(_may_be_wild, lines)):
        return None
    shown = [wild if target_changes else _may_be_wild(it) for it in lines]
    fields = (replace(it, is_wild=as_wild) for it, as_wild in zip(lines, shown, strict=True))
    return Timing(fields=tuple(fields), zone=zone)


def moved(fields: Iterable[Fields], minutes: int) -> tuple[Fields, ...] | None:
    """Move times by minutes, across midnight where need be; None where the days cannot follow."""
    found: list[Fields] = []
    for one in fields:
        by_days: dict[Days, set[tuple[int, int]]] = defaultdict(set)
        for hour, minute in product(one.hours, one.minutes):
            day, rest = divmod(hour * 60 + minute + minutes, _MINUTES_A_DAY)
            days = _days_moved(one.days, day)
            if days is None:
                return None
            by_days[days].add(divmod(rest, 60))
        for days, times in by_days.items():
            found += _lines(dict.fromkeys(times, one.seconds), days, is_wild=one.is_wild)
    return tuple(found)


def changes(zone: str, now: datetime) -> bool:
    """Tell whether the clocks of a zone change in the year from now."""
    return len(_shifts(zone, "UTC", now.date().replace(day=1).toordinal())) > 1


def standard_shift(zone: str, now: datetime) -> int:
    """Return the minutes from a zone's winter time to UTC."""
    return max(_shifts(zone, "UTC", now.date().replace(day=1).toordinal()))


@lru_cache(maxsize=256)
def _shifts(source: str, target: str, day: int) -> frozenset[int]:
    """Return the minutes from a zone's wall times to another's, through the year from a day."""
    moment = datetime.fromordinal(day).replace(tzinfo=UTC)
    end, first, second = moment + _WINDOW, ZoneInfo(source), ZoneInfo(target)
    found = set()
    while moment < end:
        ahead, behind = moment.astimezone(second), moment.astimezone(first)
        found.add(int((_offset(ahead) - _offset(behind)).total_seconds()) // 60)
        moment += _STEP
    return frozenset(found)


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta(0)


def _plain(days: Days) -> Days:
    """Say the same days as plainly as possible."""
    is_all = days.days == ALL_DATES
    is_all_week = days.weekdays == ALL_WEEKDAYS
    if days.is_either and (is_all or is_all_week):
        return replace(EVERY_DAY, months=days.months)
    return replace(
        days,
        has_last=days.has_last and not is_all,
        nth=frozenset() if is_all_week else days.nth,
    )


def _days_moved(days: Days, by: int) -> Days | None:
    """Return the days before or after others."""
    if not by:
        return days
    if days.months != ALL_MONTHS or days.days != ALL_DATES or days.nth:
        return None
    return replace(days, weekdays=frozenset((day + by) % 7 for day in days.weekdays))


def _beats(every: int, offset: int) -> list[Fields]:
    if _DAY % every == 0:
        seconds: dict[tuple[int, int], tuple[int, ...]] = defaultdict(tuple)
        for beat in range(offset % every, _DAY, every):
            seconds[beat // _HOUR, beat // _MINUTE % 60] += (beat % _MINUTE,)
        return _lines(seconds, EVERY_DAY, is_wild=True)
    if every == _WEEK:
        weekday = (_EPOCHS_WEEKDAY + offset // _DAY) % 7
        time = {(offset % _DAY // _HOUR, offset // _MINUTE % 60): (offset % _MINUTE,)}
        days = replace(EVERY_DAY, weekdays=frozenset({weekday}))
        return _lines(time, days, is_wild=False)
    raise RefusedError(
        f"{interval(every)} does not come round with the day, so only the scheduler can keep it"
    )


def _lines(
    seconds: Mapping[tuple[int, int], tuple[int, ...]], days: Days, *, is_wild: bool
) -> list[Fields]:
    """Put times of the day together that differ in nothing but their hour, or their minute."""
    minutes: dict[tuple[int, tuple[int, ...]], tuple[int, ...]] = defaultdict(tuple)
    for (hour, minute), at in sorted(seconds.items()):
        minutes[hour, at] += (minute,)
    hours: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[int, ...]] = defaultdict(tuple)
    for (hour, at), those in minutes.items():
        hours[those, at] += (hour,)
    if len(hours) > MOST_LINES:
        raise RefusedError(f"it would take {len(hours)} lines")
    return [
        Fields(seconds=at, minutes=those, hours=found, days=days, is_wild=is_wild)
        for (those, at), found in hours.items()
    ]


def _may_be_wild(fields: Fields) -> bool:
    """Tell whether the minute or the hour may be written with a ``*`` at its beginning."""
    is_step = fields.minutes[0] == 0 and step_of(fields.minutes, ALL_MINUTES[-1]) > 0
    return fields.hours == ALL_HOURS or is_step
