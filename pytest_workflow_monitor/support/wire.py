"""Records as bytes: one line of JSON each, safe whatever text a test produced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Record

_encoder = msgspec.json.Encoder()


def encode(record: Record) -> bytes:
    """Encode a record as one line of JSON without the line feed.

    Lone surrogates, which UTF-8 cannot hold, become ``?``; everything else is kept as it is.
    """
    try:
        return _encoder.encode(record)
    except UnicodeEncodeError:
        return _encoder.encode(_encodable(msgspec.to_builtins(record)))


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
