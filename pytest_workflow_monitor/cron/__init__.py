"""Cron expressions: when they hold next, and when they held last.

All instants are aware, and those that come back are in UTC; nothing here reads a clock. What
happens in the nights when clocks change is said in
:mod:`~pytest_workflow_monitor.cron.instants`, and for users in ``docs/scheduling.md``.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pytest_workflow_monitor.cron.instants import next_instant, previous_instant
from pytest_workflow_monitor.cron.reading import check, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

__all__ = ["check", "next_time", "previous_time", "times"]


def next_time(expression: str, zone: str, after: datetime, workflow_id: str = "") -> datetime:
    """Return the first instant after another one at which an expression holds.

    Args:
        expression: Five fields, six with seconds, or an ``@`` name.
        zone: The IANA time zone that the expression speaks of.
        after: An aware instant.
        workflow_id: What ``H`` in the expression follows from.

    Raises:
        ValueError: It is no cron expression.
        OverflowError: It never holds again before the end of the calendar.
    """
    return next_instant(read(expression, workflow_id), _zone(zone), after)


def previous_time(expression: str, zone: str, before: datetime, workflow_id: str = "") -> datetime:
    """Return the last instant before another one at which an expression held.

    Takes and raises what :func:`next_time` does.
    """
    return previous_instant(read(expression, workflow_id), _zone(zone), before)


def times(expression: str, zone: str, after: datetime, workflow_id: str = "") -> Iterator[datetime]:
    """Iterate over all instants after another one, to the end of the calendar.

    Raises:
        ValueError: It is no cron expression.
    """
    with suppress(OverflowError):
        while True:
            after = next_time(expression, zone, after, workflow_id)
            yield after


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    """Return a zone, without looking it up in the files again."""
    return ZoneInfo(name)
