"""Which parts of a login are as good as a password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_COOKIE = 8
SHORTEST_STORED = 16
_TOKEN = re.compile(r"[\w.~+/=:%|-]+")


def secrets_of(state: dict[str, Any]) -> list[str]:
    """Return the values in Playwright's storage state that nobody must see.

    These are the cookies that scripts cannot read, other cookies of 8 characters and more, and the
    texts without blanks of 16 characters and more in local storage, also within JSON. Shorter
    ones, such as ``true`` or ``en-GB``, are settings, and stand everywhere.
    """
    cookies = {
        str(cookie["value"])
        for cookie in state.get("cookies", ())
        if cookie.get("httpOnly") or len(str(cookie.get("value", ""))) >= SHORTEST_COOKIE
    }
    stored = (
        text
        for origin in state.get("origins", ())
        for entry in origin.get("localStorage", ())
        for text in _texts(str(entry.get("value", "")))
        if len(text) >= SHORTEST_STORED and _TOKEN.fullmatch(text)
    )
    return sorted({*cookies, *stored} - {""})


def _texts(value: str) -> Iterator[str]:
    """Return a text itself, or, where it is JSON, the texts in it."""
    try:
        decoded = msgspec.json.decode(value)
    except msgspec.DecodeError:
        yield value
        return
    waiting = [decoded]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict | list):
            waiting.extend(part.values() if isinstance(part, dict) else part)
