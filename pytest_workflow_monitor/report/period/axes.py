"""Axes of charts: round values, hours and days at their places."""

from __future__ import annotations

from datetime import timedelta
from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.report.period.saying import day
from pytest_workflow_monitor.words.period_report import Form

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

TICKS = 4
LAST_BUT_ONE = 88.0
"""Per cent of the width up to which a label leaves room for the last one."""


class Tick(NamedTuple):
    """A place on an axis with its label; ``is_extra`` if it may go where there is little room."""

    place: float
    label: str
    is_extra: bool = False


def ticks(low: float, high: float, form: Form) -> list[float]:
    """Choose round values on an axis."""
    if high <= low:
        return [low]
    steps = _round_steps((high - low) / TICKS, form)
    first = ceil(low / steps - 1e-9)
    last = floor(high / steps + 1e-9)
    return [round(n * steps, 9) for n in range(first, last + 1)]


def time_ticks(start: datetime, end: datetime, zone: tzinfo) -> tuple[Tick, ...]:
    """Choose places on an axis of time: hours of a day, or days."""
    length = end - start
    if length <= timedelta(0):
        return (Tick(50.0, day(start, zone)),)
    found = []
    if length <= timedelta(days=2):
        step = timedelta(hours=6 if length > timedelta(hours=8) else 1)
        if length <= timedelta(hours=2):
            step = timedelta(minutes=15)
        at = start
        while at <= end:
            found.append(Tick(across(at, start, end), f"{at.astimezone(zone):%H:%M}"))
            at += step
        return tuple(found)
    days = max(1, round(length.days / 5))
    at = start
    while at <= end:
        found.append(Tick(across(at, start, end), day(at, zone)))
        at += timedelta(days=days)
    last = Tick(100.0, day(end, zone))
    kept = [it for it in found if it.place <= LAST_BUT_ONE]
    extra = range(len(kept) - 1, 0, -2)
    return (*(it._replace(is_extra=n in extra) for n, it in enumerate(kept)), last)


def across(at: datetime, start: datetime, end: datetime) -> float:
    """Place an instant between two, in per cent."""
    whole = (end - start).total_seconds()
    return round(100 * (at - start).total_seconds() / whole, 3) if whole > 0 else 50.0


def _round_steps(rough: float, form: Form) -> float:
    if form is Form.DURATION:
        for unit in (3_600_000, 60_000):
            if rough >= unit / 6:
                return next(
                    (unit * n / 6 for n in (1, 3, 6, 12, 24) if rough <= unit * n / 6), unit * 4
                )
    power = 10.0 ** floor(log10(rough))
    return next(power * n for n in (1, 2, 5, 10) if rough <= power * n * 1.0001)
