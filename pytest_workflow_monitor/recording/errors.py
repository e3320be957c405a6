"""Describes exceptions: what failed, where, and a fingerprint that groups equal failures."""

from __future__ import annotations

import hashlib
import linecache
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Error, Phase

if TYPE_CHECKING:
    from types import TracebackType

    import pytest

MAX_MESSAGE = 10_000
MAX_TRACEBACK = 32_000

_VARIABLE = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"\x1b\[[0-9;?]*[A-Za-z]", ""),
        (r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", "<id>"),
        (
            r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?",
            "<time>",
        ),
        (r"\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\b", "<time>"),
        (r"[\w.+-]+@[\w-]+\.[\w.-]+", "<email>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<address>"),
        (r"(?<=localhost):\d+", ":<n>"),
        (r"0x[0-9a-fA-F]+", "<address>"),
        (r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{7,}\b", "<id>"),
        (r"\d+(?:[.,]\d+)*", "<n>"),
        (r"\s+", " "),
    ]
]
"""What differs between two occurrences of one failure, most specific first."""


def describe(excinfo: pytest.ExceptionInfo[BaseException], phase: str) -> Error:
    """Describe an exception that ended a phase of a test, without pytest's rendering of it.

    Args:
        excinfo: The exception as pytest caught it.
        phase: ``setup``, ``call`` or ``teardown``.
    """
    file, line, function, source = _place(excinfo)
    kind = _type_name(excinfo.type)
    message = _message(excinfo.value)
    return Error(
        phase=Phase(phase),
        type=kind,
        message=message,
        file=file,
        line=line,
        source_line=source,
        fingerprint=fingerprint(kind, message, f"{file}:{function}"),
    )


def with_traceback(error: Error, text: str) -> Error:
    """Add pytest's rendering of the exception; its middle is cut out when it is long."""
    return msgspec.structs.replace(error, traceback=trimmed(text))


def from_text(text: str, phase: str) -> Error:
    """Describe a failure of which only pytest's text is known."""
    message = known.text(text.strip())[:MAX_MESSAGE]
    return Error(
        phase=Phase(phase),
        message=message,
        traceback=trimmed(text),
        fingerprint=fingerprint("", message, ""),
    )


def fingerprint(kind: str, message: str, place: str) -> str:
    """Return 16 hexadecimal digits that are equal for failures of one kind at one place.

    Numbers, ids, addresses and times in the message are left out, and so is all but its start.
    """
    normal = normalised(message)[:500]
    text = f"{kind}\n{normal}\n{place}".encode("utf-8", "replace")
    return hashlib.blake2s(text, digest_size=8).hexdigest()


def normalised(message: str) -> str:
    """Replace what varies between two occurrences of one failure."""
    text = message[:2_000]
    for pattern, replacement in _VARIABLE:
        text = pattern.sub(replacement, text)
    return text.strip()


def trimmed(text: str, limit: int = MAX_TRACEBACK) -> str:
    """Cut the middle out of a text that is longer than the limit."""
    if len(text) <= limit:
        return text
    text = known.text(text)
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


def _type_name(kind: type[BaseException]) -> str:
    if kind.__module__ in {"builtins", "_pytest.outcomes", "__main__"}:
        return kind.__name__
    return f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        return known.text(str(error))[:MAX_MESSAGE]
    except Exception:  # noqa: BLE001 - an exception whose text cannot be made still has a type
        return ""


def _place(excinfo: pytest.ExceptionInfo[BaseException]) -> tuple[str, int, str, str]:
    """Return file, line, function and source of the innermost frame of the user's own code."""
    chosen = excinfo.tb
    frame: TracebackType | None = excinfo.tb
    while frame is not None:
        if not _is_library(frame.tb_frame.f_code.co_filename):
            chosen = frame
        frame = frame.tb_next
    code = chosen.tb_frame.f_code
    source = linecache.getline(code.co_filename, chosen.tb_lineno).strip()
    return _shown(code.co_filename), chosen.tb_lineno, code.co_name, known.cut(source, 500)


def _is_library(path: str) -> bool:
    return "site-packages" in path or path.startswith("<") or _is_standard(path)


def _is_standard(path: str) -> bool:
    import sysconfig

    return path.startswith(sysconfig.get_path("stdlib"))


def _shown(path: str) -> str:
    try:
        return Path(path).relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return path
