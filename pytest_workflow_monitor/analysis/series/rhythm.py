"""Whether a series has a rhythm of days or weeks, and what it makes of an hour.

An hour of the week is predicted as the mean of that hour of the day, plus what the weekday adds,
plus what is left for that very hour; each learned from earlier visits, so that every error is an
honest one-step-ahead error. All guesses follow the level of the latest visits, so that no change of
level passes for a rhythm. A rhythm counts as there once it made the errors of whole days smaller
than they were without it, beyond chance: the prequential test of A. P. Dawid, "Statistical theory:
the prequential approach", J. R. Statist. Soc. A 147 (1984).
"""

from __future__ import annotations

from math import sqrt

from pytest_workflow_monitor.analysis.series.baselines import Rhythm, Season

HOURS_A_DAY = 24
HOURS_A_WEEK = 168
FIRST_MONDAY = 4 * HOURS_A_DAY
"""Hours from the beginning of 1970, a Thursday, to the first Monday."""

LONGEST_MEMORY = 20
"""A mean over visits forgets those older than about so many."""

LEVEL_MEMORY = 24
"""The level is that of about so many visits."""

WEEKS = 6
"""What an hour of the week adds is drawn from nothing to that of about the latest six visits."""

SHRINK = 1
"""Visits until half of what a weekday adds is believed."""

DAYS_REMEMBERED = 28
DAYS_NEEDED = 4
SURE = 2.0
"""Standard errors by which the mean gain of the days must lie above none."""

LEAST_GAIN = 0.03
"""The spreads that a rhythm must take off the mean error."""

LEAST_HOURS = 2
"""A rhythm of days needs so many hours of the day."""

CLIP = 4.0
"""Errors count up to so many spreads, so that no outlier decides."""

DIGITS_OF_A_LEVEL = 6
DIGITS_OF_A_DEVIATION = 4


def rounded(value: float, *, is_level: bool) -> float:
    """Cut a number to the significant digits that are worth storing."""
    digits = DIGITS_OF_A_LEVEL if is_level else DIGITS_OF_A_DEVIATION
    return float(f"{value:.{digits}g}")


def predicted(rhythm: Rhythm, slot: int, season: Season) -> float | None:
    """Return what an hour of the week should bring on the working scale; None where unknown."""
    if season is Season.NONE:
        return 0.0
    seen = rhythm.day.get(slot % HOURS_A_DAY)
    if seen is None:
        return None
    if season is Season.DAY:
        return seen[0]
    of_weekday, count = rhythm.weekday.get(slot // HOURS_A_DAY, (0.0, 0))
    return seen[0] + of_weekday * count / (count + SHRINK) + rhythm.week.get(slot, 0.0)


def visits(rhythm: Rhythm, slot: int, season: Season) -> int:
    """Count the visits behind a prediction; at least one."""
    return WEEKS if season is Season.WEEK else rhythm.day.get(slot % HOURS_A_DAY, (0.0, 1))[1]


def slot_of(hour: int) -> int:
    """Return the hour of the week, 0 for Monday from midnight, of hours since 1970."""
    return (hour - FIRST_MONDAY) % HOURS_A_WEEK


def learn(rhythm: Rhythm, hour: int, value: float, spread: float) -> bool:
    """Take one value into account; tell whether an hour before it has ended.

    Args:
        rhythm: What is known so far; changed.
        hour: Hours since 1970 in the zone of the instant.
        value: On the working scale.
        spread: The usual deviation, for clipping what lies far off.
    """
    is_next = hour != rhythm.hour
    if is_next and rhythm.count:
        _end_visit(rhythm)
        if hour // HOURS_A_DAY != rhythm.hour // HOURS_A_DAY:
            _end_day(rhythm)
    if spread > 0:
        value = _compared(rhythm, slot_of(hour), value, spread)
    rhythm.hour = hour
    rhythm.total += value
    rhythm.count += 1
    return is_next


def _compared(rhythm: Rhythm, slot: int, value: float, spread: float) -> float:
    """Add up the errors of the guesses; return the value, clipped about the best guess."""
    by_day = predicted(rhythm, slot, Season.DAY)
    by_week = predicted(rhythm, slot, Season.WEEK)
    if by_day is None or by_week is None:
        return value
    of_all, of_day, of_week = rhythm.levels
    guess = by_week + of_week
    before = rhythm.today
    rhythm.today = (
        before[0] + min(abs(value - of_all) / spread, CLIP),
        before[1] + min(abs(value - by_day - of_day) / spread, CLIP),
        before[2] + min(abs(value - guess) / spread, CLIP),
        before[3] + 1,
    )
    return min(max(value, guess - CLIP * spread), guess + CLIP * spread)


def _end_visit(rhythm: Rhythm) -> None:
    slot, value = slot_of(rhythm.hour), rhythm.total / rhythm.count
    rhythm.total, rhythm.count = 0.0, 0
    is_first = not rhythm.day
    of_all, of_day, of_week = rhythm.levels
    rhythm.levels = (
        value if is_first else _drawn(of_all, value, 0.0),
        _drawn(of_day, value, predicted(rhythm, slot, Season.DAY)),
        _drawn(of_week, value, predicted(rhythm, slot, Season.WEEK)),
    )
    left = _move(rhythm.day, slot % HOURS_A_DAY, value, is_level=True)
    left = _move(rhythm.weekday, slot // HOURS_A_DAY, left, is_level=False)
    added = rhythm.week.get(slot, 0.0)
    rhythm.week[slot] = rounded(added + (left - added) / WEEKS, is_level=False)


def _drawn(level: float, value: float, guess: float | None) -> float:
    """Draw a level towards what a guess left over."""
    return level if guess is None else level + (value - guess - level) / LEVEL_MEMORY


def _move(table: dict[int, tuple[float, int]], key: int, value: float, *, is_level: bool) -> float:
    """Move a mean towards a value; return what is left to explain."""
    mean, count = table.get(key, (0.0, 0))
    count = min(count + 1, LONGEST_MEMORY)
    mean = rounded(mean + (value - mean) / count, is_level=is_level)
    table[key] = (mean, count)
    return value - mean


def _end_day(rhythm: Rhythm) -> None:
    plain, day, week, count = rhythm.today
    rhythm.today = (0.0, 0.0, 0.0, 0)
    if count:
        rhythm.day_gain = _remembered(rhythm.day_gain, (plain - day) / count)
        rhythm.week_gain = _remembered(rhythm.week_gain, (min(plain, day) - week) / count)


def _remembered(gain: tuple[int, float, float], value: float) -> tuple[int, float, float]:
    """Continue count, mean and variance of the gains of days, the older ones fading."""
    days, mean, variance = gain
    days = min(days + 1, DAYS_REMEMBERED)
    weight = 1 / days
    off = value - mean
    return days, mean + weight * off, (1 - weight) * (variance + weight * off**2)


def is_there(gain: tuple[int, float, float], *, known: bool) -> bool:
    """Tell whether a rhythm made the errors of days smaller beyond chance.

    Args:
        gain: Days, mean and variance of the share of the error that it took away.
        known: Whether it was there before; then it goes only when it is no gain any more.
    """
    days, mean, variance = gain
    if known:
        return mean > 0
    error = sqrt(variance / max(days - 1, 1))
    return days >= DAYS_NEEDED and mean >= LEAST_GAIN and mean > SURE * error


def found(rhythm: Rhythm) -> Season:
    """Return the rhythm that the days so far speak for."""
    if is_there(rhythm.week_gain, known=rhythm.season is Season.WEEK):
        return Season.WEEK
    is_daily = is_there(rhythm.day_gain, known=rhythm.season is not Season.NONE)
    return Season.DAY if is_daily and len(rhythm.day) >= LEAST_HOURS else Season.NONE
