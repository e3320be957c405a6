"""Schedules in the words of people: ``every 15 minutes``, ``at 02:30 on weekdays``."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from pytest_workflow_monitor.cron.fields import LAST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_workflow_monitor.cron.fields import Days, Fields

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}

MAX_TIMES = 4
"""More times of the day than this are told by their rhythm, where they have one."""

RUN = 3
"""From so many neighbours on, numbers are told by the first and the last."""

_HOUR, _DAY = 60, 24
_ALL_DAYS, _ALL_WEEKDAYS = frozenset(range(1, 32)), frozenset(range(7))
_NAMED = {frozenset(range(1, 6)): "on weekdays", frozenset({0, 6}): "at weekends"}
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def words(fields: Fields) -> str:
    """Say when an expression holds, without its time zone."""
    is_listed = len(fields.hours) * len(fields.minutes) <= MAX_TIMES and len(fields.seconds) == 1
    said = _listed(fields) if is_listed else _rhythm(fields)
    days = _days(fields.days) or ("every day" if is_listed else "")
    return " ".join(filter(None, (said, days, _months(fields.days.months))))


def interval(seconds: int) -> str:
    """Say an interval in its largest whole unit: ``every 5 minutes``, ``every day``."""
    size, unit = next(it for it in _UNITS if seconds % it[0] == 0)
    return _every(seconds // size, unit)


def _listed(fields: Fields) -> str:
    (second,) = fields.seconds
    rest = f":{second:02}" if second else ""
    return "at " + _series(
        f"{hour:02}:{minute:02}{rest}" for hour in fields.hours for minute in fields.minutes
    )


def _rhythm(fields: Fields) -> str:
    """Say many times of the day."""
    hours, minutes, seconds = fields.hours, fields.minutes, fields.seconds
    said = _hourly(hours, minutes[0]) if len(minutes) == 1 else _within_hours(hours, minutes)
    if seconds == (0,):
        return said
    if len(seconds) == 1:
        return f"{said} (at second {seconds[0]})"
    step = _cycle(seconds, _HOUR)
    within = _every(step, "second") if step else f"at the seconds {_numbers(seconds)}"
    if len(minutes) == _HOUR and len(hours) == _DAY:
        return within if step else f"{within} of every minute"
    return f"{said} ({within})"


def _hourly(hours: Sequence[int], minute: int) -> str:
    """Say a rhythm of hours; the time of the day is told where it is not the natural one."""
    first, last = f"{hours[0]:02}:{minute:02}", f"{hours[-1]:02}:{minute:02}"
    step = _cycle(hours, _DAY)
    if step == 1:
        return f"every hour at minute {minute}" if minute else "every hour"
    if step:
        said = _every(step, "hour")
        return said if first == "00:00" else f"{said} from {first}"
    step = _step(hours)
    if step:
        return f"{_every(step, 'hour')} from {first} to {last}"
    return f"at minute {minute} of the hours {_numbers(hours)}"


def _within_hours(hours: Sequence[int], minutes: Sequence[int]) -> str:
    """Say several minutes of one or more hours."""
    step = _cycle(minutes, _HOUR)
    if step and len(hours) < _DAY and _is_run(hours):
        last = f"{hours[-1]:02}:{minutes[-1]:02}"
        return f"{_every(step, 'minute')} from {hours[0]:02}:{minutes[0]:02} to {last}"
    if step:
        said = _every(step, "minute") + (f" from minute {minutes[0]}" if minutes[0] else "")
        return said if len(hours) == _DAY else f"{said} of the hours {_numbers(hours)}"
    which = "every hour" if len(hours) == _DAY else f"the hours {_numbers(hours)}"
    return f"at the minutes {_numbers(minutes)} of {which}"


def _days(days: Days) -> str:
    """Say the days within their months; empty for every day."""
    dates, weekdays = "", ""
    if days.days != _ALL_DAYS:
        dates = _dates(days)
    if days.weekdays != _ALL_WEEKDAYS:
        weekdays = _weekdays(days)
    if days.is_either:
        return f"{dates} and {weekdays}" if dates and weekdays else ""
    return f"{dates}, only {weekdays}" if dates and weekdays else dates or weekdays


def _dates(days: Days) -> str:
    numbers = sorted(days.days)
    said = [f"{'day' if len(numbers) == 1 else 'the days'} {_numbers(numbers)}"] if numbers else []
    said += ["the last day"] if days.has_last else []
    return f"on {' and '.join(said)} of the month"


def _weekdays(days: Days) -> str:
    said = []
    if days.weekdays:
        named = _NAMED.get(days.weekdays)
        if named and not days.nth:
            return named
        said += _grouped(sorted((day - 1) % 7 for day in days.weekdays), _weekday_name)
    if days.nth:
        in_order = sorted(days.nth, key=lambda it: (it[1] % 7, it[0]))
        said += [f"the {ORDINALS[number]} {WEEKDAYS[day]} of the month" for day, number in in_order]
    return f"on {_series(said)}"


def _weekday_name(from_monday: int) -> str:
    return f"{WEEKDAYS[(from_monday + 1) % 7]}s"


def _months(months: frozenset[int]) -> str:
    if len(months) == len(MONTHS):
        return ""
    return f"in {_series(_grouped(sorted(months), lambda month: MONTHS[month - 1]))}"


def _every(count: int, unit: str) -> str:
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def _cycle(numbers: Sequence[int], size: int) -> int | None:
    """Return the step of numbers that go round and round in it."""
    step = _step(numbers)
    return step if step and len(numbers) * step == size else None


def _step(numbers: Sequence[int]) -> int | None:
    """Return the step in which numbers follow each other, if it is one."""
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    return steps.pop() if len(steps) == 1 else None


def _is_run(numbers: Sequence[int]) -> bool:
    return numbers[-1] - numbers[0] == len(numbers) - 1


def _numbers(numbers: Sequence[int]) -> str:
    return _series(_grouped(numbers, str))


def _grouped(numbers: Sequence[int], name: Callable[[int], str]) -> list[str]:
    """Name numbers in ascending order, neighbours together."""
    said: list[str] = []
    for _, group in groupby(enumerate(numbers), lambda it: it[1] - it[0]):
        run = [number for _, number in group]
        if len(run) >= RUN:
            said.append(f"{name(run[0])} to {name(run[-1])}")
        else:
            said += map(name, run)
    return said


def _series(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
