"""What an exception that leaves a step says about it."""

from __future__ import annotations

import re
import sys

from pytest_workflow_monitor.recording.context import as_text

_TIME_LIMIT = re.compile(r"Timeout \(?>\s?[\d.]+s")
"""How the message of pytest-timeout's exception begins, in all its versions."""


def verdict(error: BaseException) -> str:
    """Return ``failed``, or what is no failure: ``skipped``, ``timed_out`` or ``interrupted``."""
    if _is_one_of(error, "pytest", "skip", "xfail") or _is_one_of(error, "unittest", "SkipTest"):
        return "skipped"
    if _is_one_of(error, "pytest", "exit"):
        return "interrupted"
    if _is_one_of(error, "pytest", "fail"):
        return "timed_out" if is_time_limit(text_of(error)) else "failed"
    return "failed" if isinstance(error, Exception) else "interrupted"


def is_time_limit(message: str) -> bool:
    """Tell whether this is what pytest-timeout says when it stops a test."""
    return _TIME_LIMIT.match(message) is not None


def text_of(error: BaseException) -> str:
    """Return an exception's message, or its type where it has none."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception whose text cannot be made still has a type
        text = ""
    return text or type(error).__name__


def first_line(text: str) -> str:
    """Return the beginning of a message, for a sentence about it."""
    return as_text(text.strip().partition("\n")[0], 200)


def _is_one_of(error: BaseException, module: str, *names: str) -> bool:
    """Compare with exceptions of a module that is only there if somebody uses it.

    pytest hangs its exceptions on the functions that raise them: ``pytest.skip.Exception``.
    """
    found = sys.modules.get(module)
    kinds = (getattr(found, name, None) for name in names)
    return any(
        isinstance(error, getattr(kind, "Exception", kind)) for kind in kinds if kind is not None
    )
