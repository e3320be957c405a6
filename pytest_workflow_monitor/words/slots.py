"""The words of schedules as records: a schedule, and what became of each of its slots.

Frozen records, as in :mod:`~pytest_workflow_monitor.model`: instants are aware datetimes in UTC,
durations end in ``_seconds``.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pytest_workflow_monitor.model import Overlap, Priority, Record


class SlotStatus(StrEnum):
    """What became of a slot.

    ``queued`` and ``running`` ones are on their way. A slot is ``done`` when its run has ended,
    however the workflow fared. Those that did not run say why: ``missed`` (found too late),
    ``skipped`` (the run before it had not ended), ``lost`` (its worker died, again and again),
    ``cancelled`` (for a newer one, or by a person), ``not_run`` (the machine could not, such as
    without a network).
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    MISSED = "missed"
    SKIPPED = "skipped"
    LOST = "lost"
    CANCELLED = "cancelled"
    NOT_RUN = "not_run"


class Schedule(Record, frozen=True, kw_only=True):
    """When a workflow runs in an environment, as its marker says, and how that went so far.

    Either ``cron_expression`` or ``every_seconds`` is given. ``nodeid`` has a line for each of the
    tests that are this workflow, as one that runs in two browsers is two. ``grace_seconds`` is how
    late a slot may begin, ``limit_seconds`` how long its run may take. An operator's override holds
    until ``disabled_until``; ``removed_at`` tells since when the code has no such schedule any
    more.
    """

    project: str
    workflow_id: str
    environment: str
    workflow_name: str
    nodeid: str
    priority: Priority
    queue: str
    overlap: Overlap
    grace_seconds: float
    limit_seconds: float
    collected_at: datetime
    cron_expression: str = ""
    every_seconds: float | None = None
    timezone: str = "UTC"
    enabled: bool = True
    disabled_until: datetime | None = None
    disabled_by: str = ""
    disabled_reason: str = ""
    removed_at: datetime | None = None
    last_run_at: datetime | None = None
    last_status: str | None = None
    next_run_at: datetime | None = None
    run_count: int = 0
    success_count: int = 0
    failure_count: int = 0
    missed_count: int = 0

    @property
    def nodeids(self) -> tuple[str, ...]:
        """The tests that are this workflow."""
        return tuple(self.nodeid.splitlines())


class Slot(Record, frozen=True, kw_only=True):
    """One fire time of a schedule, and what became of it.

    ``covers`` counts the slots that this run makes up for, itself included. ``tries`` counts how
    often a worker took it. ``exit_code`` is pytest's, or minus a signal's number.
    """

    slot_id: int
    project: str
    workflow_id: str
    environment: str
    slot_at: datetime
    status: SlotStatus
    queue: str
    claimed_at: datetime
    claimed_by: str = ""
    reason: str = ""
    job_id: int | None = None
    tries: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    session_id: str | None = None
    exit_code: int | None = None
    covers: int = 1

    @property
    def lateness_seconds(self) -> float:
        """How long after its time it began, or was looked at if it did not run."""
        return ((self.started_at or self.claimed_at) - self.slot_at).total_seconds()

    @property
    def is_open(self) -> bool:
        """Whether it is still on its way."""
        return self.status in {SlotStatus.QUEUED, SlotStatus.RUNNING}
