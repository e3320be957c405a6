"""Texts of pages and tests made fit for messages: harmless, on one line, within limits.

Lengths count UTF-16 units, as the services with limits do; that is never less than characters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_workflow_monitor.analysis.wording import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ELLIPSIS = "…"
LONGEST_LINK = 2_000

_TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters, and those that turn the direction of the text around them."""

_BROKEN = re.compile(r"[\ud800-\udfff\ufffe\uffff]")
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_LINK = re.compile(r"https?://[^\s/?#]+", re.IGNORECASE)
_NOT_QUOTED = "%/:?#[]@!$&+,;=~-._"


def clean(text: str, limit: int) -> str:
    """Make a text one line of printable characters, cut to a limit with an ellipsis."""
    return cut(" ".join(_harmless(text, limit).split()), limit)


def clean_code(text: str, limit: int) -> str:
    """Do the same, and keep the spaces, because they mean something in code."""
    line = re.sub(r"[\n\r\x0b\x0c\u2028\u2029]+", " ", _harmless(text, limit))
    return cut(line.replace("\t", "    ").rstrip(), limit)


def web_link(url: str) -> str:
    """Return an address of the web that cannot end the markup around it, "" if it is none."""
    if len(url) > LONGEST_LINK or not _LINK.match(url):
        return ""
    quoted = quote(_BROKEN.sub("", url), safe=_NOT_QUOTED)
    return quoted if len(quoted) <= LONGEST_LINK else ""


def without_mentions(text: str) -> str:
    """Put a character of no width into what looks like ``@name``, so that it calls nobody."""
    return _MENTION.sub("@\u200b", text)


def units(text: str) -> int:
    """Count the UTF-16 units of a text."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitted(text: str, limit: int, escape: Callable[[str], str] = str) -> str:
    """Escape a text, cut with an ellipsis so that what comes out is within the limit.

    It is cut before it is escaped: no escape sequence is ever torn apart.
    """
    made = escape(text)
    if units(made) <= limit:
        return made
    low, high = 0, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        if units(escape(text[:middle].rstrip() + ELLIPSIS)) <= limit:
            low = middle
        else:
            high = middle - 1
    return escape(text[:low].rstrip() + ELLIPSIS)


def packed(parts: Iterable[str], limit: int, separator: str) -> list[str]:
    """Join parts to as few texts as the limit allows; each part has to be within it."""
    texts: list[str] = []
    for part in parts:
        longer = f"{texts[-1]}{separator}{part}" if texts else part
        if texts and units(longer) <= limit:
            texts[-1] = longer
        else:
            texts.append(part)
    return texts


def _harmless(text: str, limit: int) -> str:
    """Drop what a reader must not meet; what lies far beyond the limit is not looked at."""
    start = _TERMINAL_CODES.sub("", text[: 4 * limit + 100])
    return _BROKEN.sub("\N{REPLACEMENT CHARACTER}", _UNPRINTABLE.sub("", start))
