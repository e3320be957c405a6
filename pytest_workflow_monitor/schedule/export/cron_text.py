"""Numbers as the five fields of cron."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.schedule.export.numbers import RUN, ranges, step_of
from pytest_workflow_monitor.schedule.export.timing import (
    ALL_DATES,
    ALL_WEEKDAYS,
    RefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.cron.fields import Days, Fields


def cron_text(fields: Fields, *, can_both: bool) -> str:
    """Write times as five fields, for who knows numbers, lists, ranges and steps only.

    Args:
        fields: The times. Minute or hour begin with ``*`` only if they are wild.
        can_both: Whether a ``*`` at the beginning of a day makes both days count, as for cron.

    Raises:
        RefusedError: Five fields cannot say it.
    """
    if fields.seconds != (0,):
        raise RefusedError("it has seconds, and the shortest step there is a minute")
    date, weekday = _days(fields.days, can_both=can_both)
    return " ".join(
        (
            _field(fields.minutes, 0, 59, star=fields.is_wild),
            _field(fields.hours, 0, 23, star=fields.is_wild),
            date,
            _field(sorted(fields.days.months), 1, 12, star=True),
            weekday,
        )
    )


def _days(days: Days, *, can_both: bool) -> tuple[str, str]:
    if days.has_last or days.nth:
        raise RefusedError("five fields know neither last nor numbered days of the month")
    dates, weekdays = sorted(days.days), sorted(days.weekdays)
    has_both = days.days != ALL_DATES and days.weekdays != ALL_WEEKDAYS
    if not has_both or days.is_either:
        star = not has_both
        return _field(dates, 1, 31, star=star), _field(weekdays, 0, 6, star=star)
    found = _field(dates, 1, 31, star=True), _field(weekdays, 0, 6, star=True)
    if can_both and any(it.startswith("*") for it in found):
        return found
    raise RefusedError("its day of the month and its weekday both have to fit")


def _field(numbers: Sequence[int], low: int, high: int, *, star: bool) -> str:
    step = step_of(numbers, high)
    is_from_start = numbers[0] == low
    if step == 1 and is_from_start:
        return "*" if star else f"{low}-{high}"
    if step > 1 and star and is_from_start:
        return f"*/{step}"
    if step > 1 and len(numbers) >= RUN:
        return f"{numbers[0]}-{high}/{step}"
    return ",".join(_parts(numbers))


def _parts(numbers: Sequence[int]) -> Iterable[str]:
    for first, last in ranges(numbers):
        if last - first + 1 >= RUN:
            yield f"{first}-{last}"
        else:
            yield from map(str, range(first, last + 1))
