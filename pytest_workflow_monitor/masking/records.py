"""Changes the texts inside records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

OURS = frozenset({"run_id", "session_id", "sha256", "fingerprint", "path", "git_commit", "format"})
"""Fields with ids and hashes of our own making, in which a short secret may stand by chance."""


def rewritten(value: T, change: Callable[[str], str]) -> T:
    """Return a record, or a collection of them, with all texts changed but ids of our own.

    Names of fields, enumerations, numbers and instants stay as they are.
    """
    return _rewritten(value, change)  # type: ignore[no-any-return]


def _rewritten(value: Any, change: Callable[[str], str]) -> Any:
    if type(value) is str:
        return change(value)
    if isinstance(value, Struct):
        return _struct(value, change)
    if isinstance(value, dict):
        return {_rewritten(k, change): _rewritten(it, change) for k, it in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_rewritten(it, change) for it in value)
    return value


def _struct(record: Struct, change: Callable[[str], str]) -> Struct:
    changes = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if not value or (name in OURS and isinstance(value, str)):
            continue
        made = _rewritten(value, change)
        if made != value:
            changes[name] = made
    return replace(record, **changes) if changes else record
