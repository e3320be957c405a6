"""Statements about schedules and their slots.

Whoever needs both locks schedules before slots, so that nobody waits in a circle.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_workflow_monitor.model import Overlap, Priority, Record, Status, Trigger
from pytest_workflow_monitor.store.database import Database
from pytest_workflow_monitor.words.slots import Schedule, Slot, SlotStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_json = msgspec.json.Encoder().encode
LISTED = 10_000


class NewSchedule(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What the code says of a schedule; the fields are those of a :class:`Schedule`."""

    project: str
    workflow_id: str
    environment: str
    workflow_name: str
    nodeid: str
    priority: Priority
    cron_expression: str
    every_seconds: float | None
    timezone: str
    queue: str
    overlap: Overlap
    grace_seconds: float
    limit_seconds: float
    enabled: bool
    collected_at: datetime
    next_run_at: datetime | None


class NewSlot(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A slot to be recorded; the fields are those of a :class:`Slot`."""

    project: str
    workflow_id: str
    environment: str
    slot_at: datetime
    status: SlotStatus
    queue: str
    claimed_at: datetime
    claimed_by: str
    reason: str = ""
    ended_at: datetime | None = None
    covers: int = 1


class Move(Record, frozen=True, kw_only=True, omit_defaults=False):
    """When a schedule is due next, and how many of its slots were missed since it last was."""

    project: str
    workflow_id: str
    environment: str
    next_run_at: datetime | None
    missed: int = 0


class ScheduledRun(Record, frozen=True, kw_only=True):
    """An execution that nobody started by hand; ``slot_at`` is what its session was started for."""

    run_id: str
    workflow_id: str
    session_id: str
    trigger: Trigger
    status: Status
    started_at: datetime
    completed_at: datetime | None = None
    duration_ms: float | None = None
    slot_at: datetime | None = None


class NewJob(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A job of Procrastinate; jobs with the same ``lock`` run one after the other."""

    queue: str
    task_name: str
    priority: int
    lock: str | None
    args: dict[str, list[int]]


class Schedules(Database):
    """Statements about schedules and slots."""

    def lock_catalogue(self, project: str, environment: str) -> None:
        """Wait for others that bring the schedules of this environment up to date."""
        self.fetch("lock_catalogue", project=project, environment=environment)

    def schedules(
        self,
        project: str,
        environment: str,
        workflow_ids: Sequence[str] | None = None,
        *,
        with_removed: bool = False,
    ) -> tuple[Schedule, ...]:
        """List the schedules of an environment by workflow: all, or those of some workflows."""
        return self._schedules(
            "schedules",
            project=project,
            environment=environment,
            workflow_ids=None if workflow_ids is None else list(workflow_ids),
            with_removed=with_removed,
        )

    def catalogue_mark(self, project: str, environment: str) -> tuple[int, datetime | None]:
        """Tell how many schedules there are, and when the code last said something new of one."""
        row = self.fetch("catalogue_mark", project=project, environment=environment)[0]
        return row["schedules"], row["collected_at"]

    def set_schedules(self, given: Sequence[NewSchedule]) -> None:
        """Add schedules, or bring what the code says of them up to date."""
        if given:
            self.write("set_schedules", rows=_json(given).decode())

    def remove_schedules(
        self, project: str, environment: str, workflow_ids: Iterable[str], at: datetime
    ) -> frozenset[str]:
        """Note that the code has schedules no more, and return those that it had until now."""
        return self._workflow_ids(
            "remove_schedules",
            project=project,
            environment=environment,
            workflow_ids=list(workflow_ids),
            at=at,
        )

    def disable_schedules(
        self,
        project: str,
        environment: str,
        workflow_ids: Iterable[str],
        *,
        until: datetime,
        actor: str,
        reason: str,
    ) -> frozenset[str]:
        """Let an operator stop schedules for a while, and return those that there are."""
        return self._workflow_ids(
            "disable_schedules",
            project=project,
            environment=environment,
            workflow_ids=list(workflow_ids),
            until=until,
            actor=actor,
            reason=reason,
        )

    def enable_schedules(
        self, project: str, environment: str, workflow_ids: Iterable[str], at: datetime
    ) -> frozenset[str]:
        """End what an operator stopped, and return the schedules that were stopped."""
        return self._workflow_ids(
            "enable_schedules",
            project=project,
            environment=environment,
            workflow_ids=list(workflow_ids),
            at=at,
        )

    def claim_schedules(
        self, project: str, environment: str, now: datetime, limit: int
    ) -> tuple[Schedule, ...]:
        """Lock schedules that are due and that nobody else has, the longest waiting first."""
        return self._schedules(
            "claim_schedules", project=project, environment=environment, now=now, limit=limit
        )

    def next_due_at(self, project: str, environment: str) -> datetime | None:
        """Tell when the next schedule of an environment is due."""
        row = self.fetch_one("next_due_at", project=project, environment=environment)
        return row["next_run_at"] if row else None

    def move_schedules(self, moves: Sequence[Move]) -> None:
        """Note when schedules are due next, and how many of their slots were missed."""
        if moves:
            self.run("move_schedules", rows=_json(moves).decode())

    def add_slots(self, slots: Sequence[NewSlot]) -> tuple[Slot, ...]:
        """Record slots, and return those that nobody had recorded before."""
        return self._slots("add_slots", rows=_json(slots).decode()) if slots else ()

    def recorded_slots(
        self, project: str, environment: str, slots: Mapping[str, datetime]
    ) -> frozenset[str]:
        """Return the workflows of which a slot, one for each, is recorded already."""
        return self._workflow_ids(
            "recorded_slots",
            project=project,
            environment=environment,
            workflow_ids=list(slots),
            times=list(slots.values()),
        )

    def open_slots(
        self, project: str, environment: str, workflow_ids: Sequence[str] | None = None
    ) -> tuple[Slot, ...]:
        """List the slots that are queued or running, oldest first."""
        return self._slots(
            "open_slots",
            project=project,
            environment=environment,
            workflow_ids=None if workflow_ids is None else list(workflow_ids),
        )

    def slots(
        self,
        project: str,
        environment: str,
        *,
        workflows: Sequence[str] | None = None,
        slot_ids: Iterable[int] | None = None,
        since: datetime | None = None,
        statuses: Iterable[SlotStatus] | None = None,
        limit: int = LISTED,
    ) -> tuple[Slot, ...]:
        """List slots, the latest first.

        Args:
            project: Whose they are.
            environment: Where they are.
            workflows: Patterns of SQL's LIKE that the workflow's id has to match one of.
            slot_ids: Only these.
            since: Only slots from then on.
            statuses: Only those of these statuses.
            limit: How many at most.
        """
        return self._slots(
            "slots",
            project=project,
            environment=environment,
            workflows=None if workflows is None else list(workflows),
            slot_ids=None if slot_ids is None else list(slot_ids),
            since=since,
            statuses=None if statuses is None else [it.value for it in statuses],
            limit=limit,
        )

    def defer_jobs(self, jobs: Sequence[NewJob]) -> tuple[int, ...]:
        """Queue jobs, note them in their slots, and return their ids."""
        if not jobs:
            return ()
        rows = self.fetch("defer_jobs", rows=_json(jobs).decode())
        found = tuple(row["job_id"] for row in rows)
        self.run("set_jobs", job_ids=list(found))
        return found

    def cancel_jobs(self, job_ids: Iterable[int]) -> None:
        """Take back jobs that wait, and ask workers to stop those that run."""
        self.fetch("cancel_jobs", job_ids=list(job_ids))

    def ask_to_cancel(self, slot_ids: Iterable[int], reason: str) -> None:
        """Note why slots that are running are to stop; their worker ends them."""
        self.run("ask_to_cancel", slot_ids=list(slot_ids), reason=reason)

    def replace_slots(
        self, slot_ids: Iterable[int], *, at: datetime, reason: str
    ) -> frozenset[int]:
        """End slots as missed that no worker has begun, and return those."""
        rows = self.fetch("replace_slots", slot_ids=list(slot_ids), at=at, reason=reason)
        return frozenset(row["slot_id"] for row in rows)

    def start_slots(
        self, slot_ids: Iterable[int], *, at: datetime, by: str, session_id: str | None = None
    ) -> tuple[Slot, ...]:
        """Let a worker begin slots that are queued, and return those that are its own now."""
        return self._slots(
            "start_slots", slot_ids=list(slot_ids), at=at, by=by, session_id=session_id
        )

    def end_slots(
        self,
        slot_ids: Iterable[int],
        status: SlotStatus,
        *,
        at: datetime,
        reason: str = "",
        exit_code: int | None = None,
        session_id: str | None = None,
    ) -> tuple[Slot, ...]:
        """End slots that are queued or running, whether they ran or not, and count them.

        Args:
            slot_ids: Which slots.
            status: ``done`` for those that ran; else why they did not.
            at: When.
            reason: Why; empty keeps what is noted already.
            exit_code: pytest's, or minus a signal's number.
            session_id: Their session, if it was not known when they started. What it stored of
                their workflows tells successes from failures; without it, exit code 0 is a
                success and another one counts as neither.

        Returns:
            Those that had not ended before.
        """
        wanted = list(slot_ids)
        with self.transaction():
            self.fetch("lock_schedules_of_slots", slot_ids=wanted)
            return self._slots(
                "end_slots",
                slot_ids=wanted,
                status=status.value,
                at=at,
                reason=reason,
                exit_code=exit_code,
                session_id=session_id,
            )

    def scheduled_runs(
        self, project: str, environment: str, since: Mapping[str, datetime], most: int
    ) -> tuple[ScheduledRun, ...]:
        """Read executions that nobody started by hand, the latest of each workflow.

        Args:
            project: Whose they are.
            environment: Where they ran.
            since: From when on, for each workflow.
            most: How many of one workflow at most.
        """
        rows = self.fetch(
            "scheduled_runs",
            project=project,
            environment=environment,
            workflow_ids=list(since),
            since=list(since.values()),
            most=most,
        )
        return msgspec.convert(rows, tuple[ScheduledRun, ...])

    def recorded_since(
        self, project: str, environment: str, since: Mapping[str, datetime]
    ) -> tuple[Slot, ...]:
        """Read the slots of workflows, for each from a time on."""
        return self._slots(
            "recorded_since",
            project=project,
            environment=environment,
            workflow_ids=list(since),
            since=list(since.values()),
        )

    def count_slots(self, project: str, environment: str, since: datetime) -> dict[SlotStatus, int]:
        """Count the slots from a time on by what became of them."""
        rows = self.fetch("count_slots", project=project, environment=environment, since=since)
        return {SlotStatus(row["status"]): row["slots"] for row in rows}

    def hand_back_slots(self, slot_ids: Iterable[int], *, reason: str) -> tuple[Slot, ...]:
        """Let slots that are running wait for a worker again, and return them."""
        return self._slots("hand_back_slots", slot_ids=list(slot_ids), reason=reason)

    def _schedules(self, statement: str, **parameters: Any) -> tuple[Schedule, ...]:
        return msgspec.convert(self.fetch(statement, **parameters), tuple[Schedule, ...])

    def _slots(self, statement: str, **parameters: Any) -> tuple[Slot, ...]:
        return msgspec.convert(self.fetch(statement, **parameters), tuple[Slot, ...])

    def _workflow_ids(self, statement: str, **parameters: Any) -> frozenset[str]:
        return frozenset(row["workflow_id"] for row in self.fetch(statement, **parameters))
