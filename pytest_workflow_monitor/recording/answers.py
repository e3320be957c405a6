"""What the answer to a request says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ERROR_STATUS = 400
SERVER_ERROR_STATUS = 500


def has_failed(status: int | None) -> bool:
    """Whether a request failed; without a status it got no answer."""
    return status is None or status >= ERROR_STATUS


def level_of(status: int | None, *, is_slow: bool) -> str:
    """Return how bad it is: ``error`` is the server's fault, ``warning`` may be as it should."""
    if status is None or status >= SERVER_ERROR_STATUS:
        return "error"
    return "warning" if is_slow or status >= ERROR_STATUS else "info"


def size_of(headers: Mapping[str, Any]) -> int | None:
    """Return the size that an answer's headers announce, in bytes."""
    length = str(headers.get("content-length", ""))
    return int(length) if length.isascii() and length.isdigit() else None
