"""Reads cron expressions; the only module that meets croniter.

croniter says which numbers a part of a field stands for, ``H`` included. What follows from these
numbers is computed here and not by croniter, whose search is stateful, slower, and runs a fixed
time twice in the night when clocks go back.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from croniter import CroniterError, croniter

from pytest_workflow_monitor.cron.fields import LAST, Days, Fields

ALLOWED = "expected five fields such as '*/15 * * * *' or a name such as '@hourly'"
NAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
NAMES_ALLOWED = ", ".join(NAMES)

SAFE_DAY = 28
"""The last day that every month has: ``H`` chooses none beyond it."""

_FEWEST, _MOST = 5, 6
_MAX_LENGTH = 500
_SOME_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall time
_HASH = re.compile(r"h(?:\((\d+)-(\d+)\))?((?:/\d+)?)", re.ASCII)
_HAS_HASH = re.compile(r"(?:^|[\s,])h", re.IGNORECASE)
_RANDOM = re.compile(r"r(?:\(.*\))?(?:/\d+)?")
_RANGE = re.compile(r"(\d+|[a-z]{3})-(\d+|[a-z]{3})(?:/(0*[1-9]\d*))?", re.ASCII)
_STEP = re.compile(r"[^/]+/(\d+)", re.ASCII)


class Field(NamedTuple):
    """A field: its name for people, its numbers, and what may stand in it."""

    name: str
    low: int
    high: int
    allowed: str


FIELDS = (
    Field("minute", 0, 59, "0-59"),
    Field("hour", 0, 23, "0-23"),
    Field("day-of-month", 1, 31, "1-31, and L for the last day"),
    Field("month", 1, 12, "1-12 or jan-dec"),
    Field(
        "day-of-week",
        0,
        6,
        "0-7 or sun-sat, 1#3 for the third Monday of the month, and L5 for the last Friday",
    ),
    Field("second", 0, 59, "0-59"),
)
MINUTE, HOUR, DAY, MONTH, WEEKDAY, SECOND = range(6)
"""Their order, which is also croniter's: seconds come last."""


def check(expression: str) -> None:
    """Refuse what is not a cron expression of five fields (six with seconds) or an ``@`` name.

    Raises:
        ValueError: One clause that says what is wrong, in which field, and what is allowed.
    """
    try:
        read(expression).first_from(_SOME_DAY)
    except OverflowError:
        raise ValueError("there is no such day, so it would never run") from None


def read(expression: str, workflow_id: str = "") -> Fields:
    """Read an expression; each ``H`` in it stands for what follows from the workflow's id.

    Raises:
        ValueError: One clause that says what is wrong, in which field, and what is allowed.
    """
    return _read(expression, workflow_id if _HAS_HASH.search(expression) else "")


@lru_cache(maxsize=16_384)
def _read(expression: str, workflow_id: str) -> Fields:
    texts = _texts(expression)
    seed = workflow_id.encode("utf-8", "surrogatepass")
    numbers = [_numbers(index, texts[index], seed) for index in (MINUTE, HOUR, MONTH, SECOND)]
    minutes, hours, months, seconds = numbers
    days, has_last = _days(texts[DAY], seed)
    weekdays, nth = _weekdays(texts[WEEKDAY], seed)
    return Fields(
        seconds=tuple(sorted(seconds)),
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=Days(
            months=months,
            days=days,
            has_last=has_last,
            weekdays=weekdays,
            nth=nth,
            is_either=not texts[DAY].startswith(("*", "?"))
            and not texts[WEEKDAY].startswith(("*", "?")),
        ),
        is_wild=texts[MINUTE].startswith("*") or texts[HOUR].startswith("*"),
    )


def _texts(expression: str) -> list[str]:
    """Return the six fields of an expression, the seconds last."""
    if len(expression) > _MAX_LENGTH:
        raise ValueError(f"longer than {_MAX_LENGTH} characters; {ALLOWED}")
    text = expression.strip()
    if text.startswith("@"):
        if text.lower() not in NAMES:
            raise ValueError(
                f"not a cron expression (there is no such name); allowed are {NAMES_ALLOWED}"
            )
        text = NAMES[text.lower()]
    texts = text.split()
    if not _FEWEST <= len(texts) <= _MOST:
        count = "1 field" if len(texts) == 1 else f"{len(texts)} fields"
        raise ValueError(f"not a cron expression (it has {count}); {ALLOWED}")
    return texts if len(texts) == _MOST else [*texts, "0"]


def _numbers(index: int, text: str, seed: bytes) -> frozenset[int]:
    return frozenset().union(*(_part(index, part, text, seed) for part in text.lower().split(",")))


def _days(text: str, seed: bytes) -> tuple[frozenset[int], bool]:
    parts = text.lower().split(",")
    days = [_part(DAY, part, text, seed) for part in parts if part != "l"]
    return frozenset().union(*days), "l" in parts


def _weekdays(text: str, seed: bytes) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    weekdays: frozenset[int] = frozenset()
    nth: set[tuple[int, int]] = set()
    for part in text.lower().split(","):
        base, hash_sign, number = part.partition("#")
        if hash_sign:
            if number not in {"1", "2", "3", "4", "5"}:
                raise _wrong(WEEKDAY, text, f"{part!r} needs a number from 1 to 5 after '#'")
            nth |= {(day, int(number)) for day in _part(WEEKDAY, base, text, seed)}
        elif part == "l":
            raise _wrong(WEEKDAY, text, "'L' needs a day, as in L5")
        elif part.startswith("l") or part.endswith("l"):
            nth |= {(day, LAST) for day in _part(WEEKDAY, part.strip("l"), text, seed)}
        else:
            weekdays |= _part(WEEKDAY, part, text, seed)
    return weekdays, frozenset(nth)


def _part(index: int, part: str, text: str, seed: bytes) -> frozenset[int]:
    """Return the numbers that one part of a field stands for."""
    plain = _plain(index, part, text, seed)
    try:
        return _expanded(index, plain, seed if plain.startswith("h") else b"")
    except (CroniterError, ValueError, TypeError, LookupError, ArithmeticError):
        raise _wrong(index, text, _reason(FIELDS[index], part)) from None


@lru_cache(maxsize=16_384)
def _expanded(index: int, part: str, seed: bytes) -> frozenset[int]:
    fields = ["*"] * len(FIELDS)
    fields[index] = part
    found = croniter.expand(" ".join(fields), hash_id=seed)[0][index]
    field = FIELDS[index]
    return frozenset(range(field.low, field.high + 1)) if "*" in found else frozenset(found)


def _plain(index: int, part: str, text: str, seed: bytes) -> str:
    """Spell a part so that croniter takes it as cron does, or refuse it."""
    field = FIELDS[index]
    if not part:
        raise _wrong(index, text, "a part of it is empty")
    if _RANDOM.fullmatch(part):
        raise _wrong(index, text, "R draws another time on every look; write H for one that stays")
    if index == DAY and "w" in part:
        raise _wrong(index, text, "W is not supported")
    step = _STEP.fullmatch(part)
    if step and int(step[1]) > field.high - field.low + 1:
        raise _wrong(index, text, f"the step {step[1]} is longer than the field")
    if index == DAY and (jitter := _HASH.fullmatch(part)):
        low, high, every = jitter.groups()
        if int(high or SAFE_DAY) > SAFE_DAY:
            raise _wrong(index, text, f"H chooses a day up to {SAFE_DAY}, as every month has it")
        return f"h({low or 1}-{high or SAFE_DAY}){every}"
    span = _RANGE.fullmatch(part)
    return _plain_range(index, span, text, seed) if span else part


def _plain_range(index: int, span: re.Match[str], text: str, seed: bytes) -> str:
    """Spell a range so; croniter takes one of equal ends as the whole field, and so 0-7 is."""
    (low,), (high,) = (tuple(_part(index, end, text, seed)) for end in span.group(1, 2))
    is_through_sunday = index == WEEKDAY and span[2] == "7"
    if span[1] == span[2] or (low == high and not is_through_sunday):
        return span[1]
    if span[3] and low > high and not is_through_sunday:
        raise _wrong(index, text, f"{span[0]!r} goes round the end, so it cannot have a step")
    return span[0]


def _reason(field: Field, part: str) -> str:
    base, slash, step = part.partition("/")
    if slash and not step.strip("0"):
        return "a step cannot be 0"
    for number in map(int, re.findall(r"\d+", base, re.ASCII)):
        if not field.low <= number <= field.high:
            return f"{number} is out of range"
    return f"{part!r} cannot be read"


def _wrong(index: int, text: str, reason: str) -> ValueError:
    field = FIELDS[index]
    return ValueError(f"the {field.name} field {text!r}: {reason}; allowed {field.allowed}")
