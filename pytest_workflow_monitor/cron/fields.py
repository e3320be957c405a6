"""What a cron expression says as sets of numbers, and the wall times that it names.

A wall time is a naive datetime: what a clock on the wall shows, whatever the zone. Zones, and the
nights when clocks change, are the business of :mod:`~pytest_workflow_monitor.cron.instants`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

LAST = -1
"""In place of a number: the last such weekday of the month."""

SEARCH_MONTHS = 12 * 50
"""How far a day is searched: a 29 February on one weekday may be 40 years away."""

_SECOND = timedelta(seconds=1)
_MONTHS = 12


class Days(Record, frozen=True, kw_only=True):
    """The days on which an expression holds.

    Attributes:
        months: From 1.
        days: Of the month.
        has_last: Whether the last day of each month is among them.
        weekdays: From Sunday as 0.
        nth: Weekdays with their number in the month, from 1, or :data:`LAST`.
        is_either: Whether the day of the month or the weekday is enough; else both have to fit.
    """

    months: frozenset[int]
    days: frozenset[int]
    has_last: bool
    weekdays: frozenset[int]
    nth: frozenset[tuple[int, int]]
    is_either: bool

    def fits(self, day: int, weekday: int, length: int) -> bool:
        """Tell whether a day of a month of so many days is one of them, whatever the month."""
        by_date = day in self.days or (self.has_last and day == length)
        by_weekday = (
            weekday in self.weekdays
            or (weekday, (day + 6) // 7) in self.nth
            or (day + 7 > length and (weekday, LAST) in self.nth)
        )
        return by_date or by_weekday if self.is_either else by_date and by_weekday


class Fields(Record, frozen=True, kw_only=True):
    """One expression: its days, and the times of those days in ascending numbers.

    ``is_wild`` tells whether its minute or its hour begins with ``*``, which decides what happens
    in the nights when clocks change.
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    is_wild: bool

    def first_from(self, wall: datetime) -> datetime:
        """Return the first wall time that is not before another one.

        Raises:
            OverflowError: There is none within 50 years or before the end of the calendar.
        """
        start = wall if not wall.microsecond else wall.replace(microsecond=0) + _SECOND
        position = self._times_before(start)
        if position < self._times_a_day and start.day in _month(self.days, start.year, start.month):
            return datetime.combine(start.date(), self._time(position))
        return datetime.combine(_day_after(self.days, start.date()), self._time(0))

    def last_before(self, wall: datetime) -> datetime:
        """Return the last wall time before another one.

        Raises:
            OverflowError: There is none within 50 years or after the beginning of the calendar.
        """
        end = wall if not wall.microsecond else wall.replace(microsecond=0) + _SECOND
        position = self._times_before(end)
        if position and end.day in _month(self.days, end.year, end.month):
            return datetime.combine(end.date(), self._time(position - 1))
        last = self._time(self._times_a_day - 1)
        return datetime.combine(_day_before(self.days, end.date()), last)

    @property
    def _times_a_day(self) -> int:
        return len(self.hours) * len(self.minutes) * len(self.seconds)

    def _times_before(self, wall: datetime) -> int:
        """Count the times of a day before a time of the day."""
        minute = second = 0
        hour = bisect_left(self.hours, wall.hour)
        if wall.hour in self.hours:
            minute = bisect_left(self.minutes, wall.minute)
            if wall.minute in self.minutes:
                second = bisect_left(self.seconds, wall.second)
        return (hour * len(self.minutes) + minute) * len(self.seconds) + second

    def _time(self, position: int) -> time:
        position, second = divmod(position, len(self.seconds))
        hour, minute = divmod(position, len(self.minutes))
        return time(self.hours[hour], self.minutes[minute], self.seconds[second])


@lru_cache(maxsize=16_384)
def _month(rule: Days, year: int, month: int) -> tuple[int, ...]:
    """Return the days of one month that fit."""
    if month not in rule.months:
        return ()
    first, length = monthrange(year, month)
    return tuple(day for day in range(1, length + 1) if rule.fits(day, (first + day) % 7, length))


def _day_after(rule: Days, day: date) -> date:
    here = _month(rule, day.year, day.month)
    position = bisect_right(here, day.day)
    if position < len(here):
        return day.replace(day=here[position])
    year, month, days = _nearest(rule, day, range(1, SEARCH_MONTHS + 1))
    return date(year, month, days[0])


def _day_before(rule: Days, day: date) -> date:
    here = _month(rule, day.year, day.month)
    position = bisect_left(here, day.day)
    if position:
        return day.replace(day=here[position - 1])
    year, month, days = _nearest(rule, day, range(-1, -SEARCH_MONTHS - 1, -1))
    return date(year, month, days[-1])


def _nearest(rule: Days, day: date, distances: Iterable[int]) -> tuple[int, int, tuple[int, ...]]:
    """Find a month with days that fit, by its distance from that of a day."""
    number = day.year * _MONTHS + day.month - 1
    for distance in distances:
        year, month = (number + distance) // _MONTHS, (number + distance) % _MONTHS + 1
        if not MINYEAR <= year <= MAXYEAR:
            break
        if month in rule.months and (days := _month(rule, year, month)):
            return year, month, days
    raise OverflowError("there is no such day")
