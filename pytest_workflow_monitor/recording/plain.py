"""The record of an attempt with nothing more to tell than how it ended, as most of a large suite.

What is known when an attempt begins is masked, checked and encoded once, as its
:class:`~pytest_workflow_monitor.model.AttemptStarted`. How it ended adds no text of the test's.
"""

from __future__ import annotations

from pytest_workflow_monitor.model import Record, Status
from pytest_workflow_monitor.support.wire import encode

_HEAD = len(b'{"record":"attempt_started","run_id":"",')


class Ended(Record, frozen=True, tag_field="record", tag="attempt"):
    """What a plain :class:`~pytest_workflow_monitor.model.Attempt` adds to its beginning."""

    run_id: str
    status: Status
    duration_ms: float
    setup_ms: float
    call_ms: float
    teardown_ms: float
    will_retry: bool


def encoded(ended: Ended, started: bytes) -> bytes:
    """Return the whole attempt, encoded, of which ``started`` is the encoded beginning."""
    return encode(ended)[:-1] + b"," + started[_HEAD + len(ended.run_id) :]
