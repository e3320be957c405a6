"""Text that PostgreSQL can store: it knows no NUL, and UTF-8 knows no lone surrogate."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from pytest_workflow_monitor.model import Record

R = TypeVar("R", bound=Record)

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
NUL = b"\\u0000"

_encode = msgspec.json.Encoder().encode


def storable(record: R, line: bytes | None = None) -> R:
    """Return a record without what PostgreSQL cannot hold; the same object when all is well.

    Args:
        record: Any record.
        line: The JSON it was decoded from, if at hand, which saves encoding it.
    """
    try:
        encoded = _encode(record) if line is None else line
    except UnicodeEncodeError:
        encoded = NUL
    if NUL not in encoded:
        return record
    return msgspec.convert(_clean(msgspec.to_builtins(record)), type(record))


def storable_text(text: str) -> str:
    """Return a text without what PostgreSQL cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", REPLACEMENT)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
