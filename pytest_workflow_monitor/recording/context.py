"""Which attempt is being recorded in this process, and which step in this context."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_workflow_monitor.recording.details import OpenStep
    from pytest_workflow_monitor.recording.recorder import Recorder


class _Process:
    """A process runs one test at a time, so its recorder is the same in every context.

    A context variable alone would not do: event loops that outlive a test, and threads, carry the
    context in which they were made.
    """

    __slots__ = ("recorder",)

    def __init__(self) -> None:
        self.recorder: Recorder | None = None

    def forget(self) -> None:
        """Record nothing from here on."""
        self.recorder = None


process = _Process()
if hasattr(os, "register_at_fork"):
    # what a forked child records could never be sent, and would spoil its parent's flight recorder
    os.register_at_fork(after_in_child=process.forget)

current_step: ContextVar[OpenStep | None] = ContextVar("workflow_monitor_step", default=None)
"""The innermost open step of this context; it may belong to an earlier attempt."""


def enclosing_step(recorder: Recorder) -> OpenStep | None:
    """Return the innermost step of this context that is open in the given recorder."""
    step = current_step.get()
    while step is not None and (step.recorder is not recorder or step.ended_ns):
        step = step.outer
    return step


def as_text(value: object, limit: int = 500) -> str:
    """Return the beginning of a value's text, whatever its ``__str__`` does."""
    try:
        text = str(value)
        return text if len(text) <= limit else _masked(text)[:limit]
    except Exception:  # noqa: BLE001 - what cannot be shown must not fail the test
        return f"<{type(value).__name__}>"


def _masked(text: str) -> str:
    """Mask what is to be cut: half a secret would not be recognised any more."""
    from pytest_workflow_monitor.masking import known

    return known.text(text)
