"""The names under which slots wait in the queue, and how a session learns of its slot."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import MutableMapping

TASK = "workflow_monitor.run_slots"
"""The task that runs slots; its only argument ``slot_ids`` names them."""

DEFAULT_QUEUE = "default"
"""The queue of workflows whose marker names none."""

_SHOWN = 20
"""How much of a queue's own name is left: PostgreSQL's channels have names of 63 bytes at most."""


def job_queue(project: str, environment: str, queue: str) -> str:
    """Name the queue of jobs that belongs to a queue of a project's environment.

    Several projects may share a database, and no worker can run another project's workflows.
    """
    whole = "\0".join((project, environment, queue)).encode()
    shown = re.sub(r"[^a-z0-9_-]", "-", queue.lower())[:_SHOWN]
    return f"{shown}-{hashlib.sha256(whole).hexdigest()[:16]}"


class Appointment(Record, frozen=True, kw_only=True):
    """What a worker tells the session that it starts: its id, and the slots that it is for.

    ``slot_at`` is the time of the earliest.
    """

    session_id: str
    slot_at: datetime
    slot_ids: tuple[int, ...]


SLOT_VARIABLE = "WORKFLOW_MONITOR_SLOT"
"""The environment variable that holds the appointment, as JSON."""


def take_appointment(environ: MutableMapping[str, str]) -> Appointment | None:
    """Read what a worker said, and forget it, so that a pytest inside a test is not meant."""
    text = environ.pop(SLOT_VARIABLE, "")
    try:
        return msgspec.json.decode(text, type=Appointment) if text else None
    except msgspec.MsgspecError:
        return None
