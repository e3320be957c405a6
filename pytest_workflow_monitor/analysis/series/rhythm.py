"""Whether a series has a rhythm of days or weeks, and what it makes of an hour.

An hour of the week is predicted as the mean of that hour of the day, plus what the weekday adds,
plus what is left for that very hour; each learned from the visits before, so that every error is an
honest one-step-ahead error. A rhythm counts as there once it made the errors of whole days smaller
than they were without it, beyond chance: the prequential test of A. P. Dawid, "Statistical theory:
the prequential approach", J. R. Statist. Soc. A 147 (1984).
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.series.baselines import Rhythm, Season

if TYPE_CHECKING:
    from collections.abc import Mapping

HOURS_A_DAY = 24
HOURS_A_WEEK = 168
LONGEST_MEMORY = 20
"""A mean over visits forgets those older than about so many."""

SHRINK = 1
"""Visits of an hour of the week needed until half of its own share is believed."""

DAYS_REMEMBERED = 28
DAYS_NEEDED = 4
SURE = 3.0
"""Standard errors by which the mean gain of the days must lie above none."""

UNSURE = 1.0
LEAST_GAIN = 0.05
"""The share of the error that a rhythm must take away."""

DIGITS = 5
CLIP = 4.0
"""Errors count up to so many spreads, so that no single day's outlier decides."""


def predicted(rhythm: Rhythm, slot: int, season: Season) -> float | None:
    """Return what an hour of the week should bring on the working scale; None where unknown."""
    if season is Season.NONE:
        return 0.0
    seen = rhythm.day.get(slot % HOURS_A_DAY)
    if seen is None:
        return None
    if season is Season.DAY:
        return seen[0]
    return seen[0] + _added(rhythm.weekday, slot // HOURS_A_DAY) + _added(rhythm.week, slot)


def _added(table: Mapping[int, tuple[float, int]], key: int) -> float:
    seen = table.get(key)
    return 0.0 if seen is None else seen[0] * seen[1] / (seen[1] + SHRINK)


def visits(rhythm: Rhythm, slot: int, season: Season) -> int:
    """Count the visits behind a prediction; at least one."""
    by_day = rhythm.day.get(slot % HOURS_A_DAY, (0.0, 1))
    found = rhythm.week.get(slot, by_day) if season is Season.WEEK else by_day
    return found[1]


def learn(rhythm: Rhythm, hour: int, slot: int, value: float, spread: float) -> None:
    """Take one value into account.

    Args:
        rhythm: What is known so far; changed.
        hour: Hours since 1970 in the zone of the instant.
        slot: The hour of the week of it.
        value: On the working scale.
        spread: The usual deviation, for clipping what lies far off.
    """
    if rhythm.count and hour != rhythm.hour:
        _end_visit(rhythm, slot_of(rhythm.hour))
        if hour // HOURS_A_DAY != rhythm.hour // HOURS_A_DAY:
            _end_day(rhythm)
    _compare(rhythm, slot, value, CLIP * spread)
    expected = predicted(rhythm, slot, Season.WEEK)
    if spread > 0 and rhythm.plain[1]:
        centre = rhythm.plain[0] if expected is None else expected
        value = min(max(value, centre - CLIP * spread), centre + CLIP * spread)
    rhythm.hour = hour
    rhythm.total += value
    rhythm.count += 1


def slot_of(hour: int) -> int:
    """Return the hour of the week of hours since 1970, which began on a Thursday."""
    return (hour + 3 * HOURS_A_DAY) % HOURS_A_WEEK


def _compare(rhythm: Rhythm, slot: int, value: float, most: float) -> None:
    by_day = predicted(rhythm, slot, Season.DAY)
    by_week = predicted(rhythm, slot, Season.WEEK)
    if by_day is None or by_week is None:
        return
    plain, day, week = (
        min(abs(value - guess), most) for guess in (rhythm.plain[0], by_day, by_week)
    )
    before = rhythm.today
    rhythm.today = (before[0] + plain, before[1] + day, before[2] + week, before[3] + 1)


def _end_visit(rhythm: Rhythm, slot: int) -> None:
    value = rhythm.total / rhythm.count
    rhythm.total, rhythm.count = 0.0, 0
    rhythm.plain = _moved(rhythm.plain, value, HOURS_A_WEEK)
    left = _move(rhythm.day, slot % HOURS_A_DAY, value)
    left = _move(rhythm.weekday, slot // HOURS_A_DAY, left)
    _move(rhythm.week, slot, left)


def _move(table: dict[int, tuple[float, int]], key: int, value: float) -> float:
    """Move a mean towards a value; return what the mean before leaves to explain."""
    table[key] = _moved(table.get(key, (0.0, 0)), value, LONGEST_MEMORY)
    return value - table[key][0]


def _moved(mean: tuple[float, int], value: float, memory: int) -> tuple[float, int]:
    count = min(mean[1] + 1, memory)
    return round(mean[0] + (value - mean[0]) / count, DIGITS), count


def _end_day(rhythm: Rhythm) -> None:
    plain, day, week, count = rhythm.today
    rhythm.today = (0.0, 0.0, 0.0, 0)
    if count == 0 or plain <= 0:
        return
    rhythm.day_gain = _remember(rhythm.day_gain, (plain - day) / plain)
    rhythm.week_gain = _remember(rhythm.week_gain, (min(plain, day) - week) / plain)


def _remember(gain: tuple[float, float, float], value: float) -> tuple[float, float, float]:
    """Continue count, mean and variance of the gains of days, the older ones fading."""
    days, mean, variance = gain
    days = min(days + 1, DAYS_REMEMBERED)
    weight = 1 / days
    deviation = value - mean
    mean += weight * deviation
    variance = (1 - weight) * (variance + weight * deviation * deviation)
    return days, mean, variance


def is_there(gain: tuple[float, float, float], *, known: bool) -> bool:
    """Tell whether a rhythm made the errors of days smaller beyond chance.

    Args:
        gain: Days, mean and variance of the share of the error that it took away.
        known: Whether it was there before: then it takes less to believe it.
    """
    days, mean, variance = gain
    if days < DAYS_NEEDED or mean < (0 if known else LEAST_GAIN):
        return False
    error = sqrt(variance / (days - 1))
    return mean > (UNSURE if known else SURE) * error


def found(rhythm: Rhythm) -> Season:
    """Return the rhythm that the days so far speak for."""
    is_weekly = is_there(rhythm.week_gain, known=rhythm.season is Season.WEEK)
    if is_weekly:
        return Season.WEEK
    is_daily = is_there(rhythm.day_gain, known=rhythm.season is not Season.NONE)
    return Season.DAY if is_daily else Season.NONE


def lift(rhythm: Rhythm, by: float) -> None:
    """Move the whole rhythm up or down with a new level."""
    rhythm.plain = (rhythm.plain[0] + by, rhythm.plain[1])
    rhythm.day = {hour: (mean + by, count) for hour, (mean, count) in rhythm.day.items()}
    rhythm.total += by * rhythm.count
