"""Reads settings that are tables: parsers of values, and mistakes named by their key.

Every parser raises ValueError or TypeError with one clause that says what is wrong and what is
allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pytest_workflow_monitor.words.durations import seconds
from pytest_workflow_monitor.words.mistakes import nearest


def table(
    value: Any, parsers: Mapping[str, Callable[[Any], Any]], what: str, needed: Sequence[str] = ()
) -> dict[str, Any]:
    """Read a table by a parser for each of its keys; ``what`` names it in messages."""
    if not isinstance(value, Mapping):
        raise TypeError("expected a table")
    where = f"{what}: " if what else ""
    given = {}
    for key, item in value.items():
        if key not in parsers:
            raise ValueError(f"{where}{unknown_key(key, parsers)}")
        try:
            given[key] = parsers[key](item)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{where}{key} = {item!r}: {error}") from None
    missing = [key for key in needed if key not in given]
    if missing:
        raise ValueError(f"{where}{' and '.join(missing)} must be given")
    return given


def unknown_key(key: Any, known: Sequence[str] | Mapping[str, Any]) -> str:
    """Say that a key is not known, and which known one is nearest or what all of them are."""
    return f"unknown key {key!r}; {nearest(str(key), known)}"


def tables(value: Any) -> Sequence[Any]:
    """Return a list of tables as it was given."""
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        raise TypeError("expected a list of tables")
    return value


def names(value: Any) -> tuple[str, ...]:
    """Read a text or a list of texts."""
    parts = (value,) if isinstance(value, str) else value
    if (
        not isinstance(parts, list | tuple)
        or not parts
        or not all(isinstance(it, str) and it for it in parts)
    ):
        raise ValueError("expected a text or a list of texts, none of them empty")
    return tuple(parts)


def count(low: int, high: int = 1000) -> Callable[[Any], int]:
    """Return a parser of whole numbers in a range."""

    def parse(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return value

    return parse


def flag(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise TypeError("expected true or false")
    return value


def text(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def zone(value: Any) -> str:
    """Read the name of a time zone."""
    try:
        return ZoneInfo(text(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as 'Europe/Berlin' or 'UTC'") from None


def pause(value: Any) -> float:
    """Read a duration above zero as seconds."""
    found = seconds(value)
    if not found:
        raise ValueError("expected a duration above zero")
    return found
