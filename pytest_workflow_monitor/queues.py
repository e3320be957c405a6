"""The names under which slots wait in the queue."""

from __future__ import annotations

import hashlib
import re

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
