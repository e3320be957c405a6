"""Masks the content of text files, and keeps JSON readable as JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.masking import headers

if TYPE_CHECKING:
    from collections.abc import Callable

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*', re.DOTALL)

_FIELD = re.compile(r'"\w{1,40}"\s*:')
_RESOURCE = re.compile(
    r'"(?:(?:[a-z-]+@)?[0-9a-f]{40}(?:-[\w-]+)?\.\w+|[a-z-]+@(?:\d+|[0-9a-f]{32}(?:-\d+\.\w+)?))"'
)
"""How a trace names its resources, calls, pages and frames."""


def is_text(data: bytes) -> bool:
    """Whether these bytes are text, in UTF-8 or an older encoding of one byte a character."""
    return b"\0" not in data


def is_json(data: bytes) -> bool:
    """Whether this is a JSON value, or one on each line."""
    if data.lstrip()[:1] not in {b"{", b"[", b'"'}:
        return False
    if _parses(data):
        return True
    lines = [line for line in data.split(b"\n") if line.strip()]
    return len(lines) > 1 and all(map(_parses, lines))


def masked_json(text: str, change: Callable[[str], str], *, is_trace: bool = False) -> str:
    """Change the texts in JSON and leave all else as it was written, to the space.

    A number whose digits are a secret becomes a text, except in a trace, where the names that
    belong to its format stay, too.
    """

    def literal(found: re.Match[str]) -> str:
        written = found[0]
        if written[0] != '"':
            changed = written if is_trace else change(written)
            return written if changed == written else json.dumps(changed)
        if is_trace and _belongs_to_trace(text, found):
            return written
        value = json.loads(written, strict=False)
        changed = change(value)
        return written if changed == value else json.dumps(changed)

    return headers.masked(_LITERAL.sub(literal, text), in_json=True)


def texts_of(data: bytes, *, is_trace: bool = False) -> str:
    """What a gate has to look at: the texts and numbers of JSON, or the whole text."""
    if not is_json(data):
        return data.decode("utf-8", "replace")
    text = data.decode()
    found = []
    for literal in _LITERAL.finditer(text):
        written = literal[0]
        if written[0] != '"':
            if not is_trace:
                found.append(written)
        elif not (is_trace and _belongs_to_trace(text, literal)):
            found.append(json.loads(written, strict=False))
    return "\n".join(found)


def _belongs_to_trace(text: str, found: re.Match[str]) -> bool:
    """Whether this literal is the name of a field, or of something else in a trace."""
    return bool(_FIELD.match(text, found.start()) or _RESOURCE.fullmatch(found[0]))


def _parses(data: bytes) -> bool:
    try:
        msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True
