"""Takes the rhythm of days and weeks out of a whole series, for methods that look back.

A profile is the median of what an hour of the day lies above its own day, then of what a weekday
lies above the days around it; so changes of level are no part of it. It is taken out only where the
one of the even days, or weeks, makes the odd ones quieter, and the other way round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.series.sample import quantile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

LEAST_DAYS = 6
LEAST_WEEKS = 4
DAYS_A_WEEK = 7
AROUND = 3
"""A day is compared with itself and so many before and after."""

QUIETER = 0.95
"""The share of the deviations that may be left."""

Place = tuple[int, int, float]
"""Which part of which cycle, and by how much it lies above the cycle."""


def without_rhythm(instants: Sequence[datetime], work: Sequence[float]) -> list[float]:
    """Return the values less their rhythms, if they have any.

    Args:
        instants: When each was measured, rising; their own zone tells the hour.
        work: The values on the working scale.
    """
    days = [instant.toordinal() for instant in instants]
    hours = [instant.hour for instant in instants]
    of_day = _medians(zip(days, work, strict=True))
    by_hour = _profile(
        [
            (hour, day, value - of_day[day])
            for hour, day, value in zip(hours, days, work, strict=True)
        ],
        LEAST_DAYS,
    )
    left = [value - by_hour.get(hour, 0.0) for value, hour in zip(work, hours, strict=True)]
    of_day = _medians(zip(days, left, strict=True))
    by_weekday = _profile(
        [
            (day % DAYS_A_WEEK, day // DAYS_A_WEEK, value - _around(of_day, day))
            for day, value in of_day.items()
        ],
        LEAST_WEEKS,
    )
    return [
        value - by_weekday.get(day % DAYS_A_WEEK, 0.0)
        for value, day in zip(left, days, strict=True)
    ]


def _around(of_day: dict[int, float], day: int) -> float:
    near = (of_day.get(other) for other in range(day - AROUND, day + AROUND + 1))
    return quantile(sorted(value for value in near if value is not None), 0.5)


def _medians(pairs: Iterable[tuple[int, float]]) -> dict[int, float]:
    groups: dict[int, list[float]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return {key: quantile(sorted(values), 0.5) for key, values in groups.items()}


def _profile(places: Sequence[Place], least_cycles: int) -> dict[int, float]:
    """Return what each part of the cycle adds; empty where that is chance."""
    if len({cycle for _, cycle, _ in places}) < least_cycles:
        return {}
    halves = [[place for place in places if place[1] % 2 == half] for half in (0, 1)]
    plain = left = 0.0
    for one, other in (halves, halves[::-1]):
        learned = _medians((part, above) for part, _, above in one)
        plain += sum(abs(above) for _, _, above in other)
        left += sum(abs(above - learned.get(part, 0.0)) for part, _, above in other)
    if left > QUIETER * plain:
        return {}
    return _medians((part, above) for part, _, above in places)
