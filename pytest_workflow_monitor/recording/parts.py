"""Two parts that make one record: what is known of an attempt beforehand, and what became of it.

Most attempts of a large suite have nothing more to tell than how they ended. Their fixed part is
masked, checked and encoded once; the other part holds no text of the test's.
"""

from __future__ import annotations

from datetime import datetime

from pytest_workflow_monitor.model import Record, Status, Workflow
from pytest_workflow_monitor.wire import encode


class Setting(Record, frozen=True):
    """What :class:`AttemptStarted` and :class:`Attempt` say of an attempt beforehand."""

    workflow: Workflow
    worker: str
    dimensions: dict[str, str]


class Begun(Record, frozen=True, tag_field="record", tag="attempt_started"):
    """The rest of an :class:`AttemptStarted`."""

    run_id: str
    number: int
    started_at: datetime


class Ended(Record, frozen=True, tag_field="record", tag="attempt"):
    """The rest of an :class:`Attempt` without steps, evidence or reasons."""

    run_id: str
    number: int
    status: Status
    started_at: datetime
    duration_ms: float
    setup_ms: float
    call_ms: float
    teardown_ms: float
    will_retry: bool


def joined(part: Begun | Ended, setting: bytes) -> bytes:
    """Return the whole record, encoded; ``setting`` is the other part, encoded."""
    return encode(part)[:-1] + b"," + setting[1:]
