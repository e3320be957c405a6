"""What an expression means, said in the slowest way: look at every minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)


class Change(NamedTuple):
    """The instant at which a zone's clocks change, and the offsets before and after it."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        """Whether clocks go forward."""
        return self.before < self.after

    @property
    def walls(self) -> tuple[datetime, datetime]:
        """The first wall time that is skipped or shown twice, and the first after these."""
        first, last = sorted((self.before, self.after))
        return (self.at + first).replace(tzinfo=None), (self.at + last).replace(tzinfo=None)


def offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


@lru_cache
def all_changes() -> tuple[Change, ...]:
    """All changes of all zones from 2024 to 2030."""
    return tuple(change for name in sorted(available_timezones()) for change in changes(name))


@lru_cache
def changes(name: str) -> tuple[Change, ...]:
    """The changes of one zone from 2024 to 2030."""
    return tuple(_changes(name))


def _changes(name: str) -> Iterator[Change]:
    zone, low = ZoneInfo(name), FIRST
    while low < LAST:
        high = low + DAY
        before, after = offset(low, zone), offset(high, zone)
        if before != after:
            left, right = low, high
            while right - left > MINUTE:
                middle = left + (right - left) // MINUTE // 2 * MINUTE
                left, right = (middle, right) if offset(middle, zone) == before else (left, middle)
            yield Change(name, right, before, after)
        low = high


@dataclass(frozen=True)
class Meaning:
    """An expression of five fields, and the numbers it was written from.

    ``days`` and ``weekdays`` are None where the field is ``*``.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None = None
    weekdays: frozenset[int] | None = None

    @property
    def is_wild(self) -> bool:
        """Whether its minute or hour begins with a star."""
        minute, hour, *_ = self.text.split()
        return minute.startswith("*") or hour.startswith("*")

    def names(self, wall: datetime) -> bool:
        """Whether a wall time is one of the expression's."""
        by_date = self.days is None or wall.day in self.days
        by_weekday = self.weekdays is None or wall.isoweekday() % 7 in self.weekdays
        is_either = self.days is not None and self.weekdays is not None
        day = (by_date or by_weekday) if is_either else (by_date and by_weekday)
        return day and wall.hour in self.hours and wall.minute in self.minutes

    def instants(self, change: Change, around: timedelta) -> list[datetime]:
        """All instants around a change, which has to be the only one so near, by its rule."""
        zone = ZoneInfo(change.zone)
        skipped, end = change.walls
        found = []
        moment = change.at - around
        while moment <= change.at + around:
            local = moment.astimezone(zone)
            if self.names(local.replace(tzinfo=None)) and (self.is_wild or not local.fold):
                found.append(moment)
            moment += MINUTE
        if change.is_gap and not self.is_wild:
            while skipped < end:
                if self.names(skipped):
                    return sorted({*found, change.at})
                skipped += MINUTE
        return found


def _numbers(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """A field: some numbers, a range, steps, or a star with or without steps."""
    whole = range(low, high + 1)
    number = st.integers(low, high)
    return st.one_of(
        st.just(("*", frozenset(whole))),
        number.map(lambda it: (str(it), frozenset({it}))),
        st.lists(number, min_size=1, max_size=4, unique=True).map(
            lambda them: (",".join(map(str, them)), frozenset(them))
        ),
        st.lists(number, min_size=2, max_size=2, unique=True).map(
            lambda them: (f"{min(them)}-{max(them)}", frozenset(range(min(them), max(them) + 1)))
        ),
        st.integers(2, (high - low) // 2).map(lambda step: (f"*/{step}", frozenset(whole[::step]))),
    )


def _days(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int] | None]]:
    """A field of days: a star alone, or numbers without one."""
    return _numbers(low, high).map(lambda it: ("*", None) if it[0].startswith("*") else it)


@st.composite
def meanings(draw: st.DrawFn) -> Meaning:
    """Expressions of five fields."""
    minute, minutes = draw(_numbers(0, 59))
    hour, hours = draw(_numbers(0, 23))
    day, days = draw(_days(1, 28))
    weekday, weekdays = draw(_days(0, 6))
    return Meaning(f"{minute} {hour} {day} * {weekday}", minutes, hours, days, weekdays)
