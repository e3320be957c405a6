"""Statements about the queue's jobs and workers, and about who holds a slot."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.store.database import Database
from pytest_workflow_monitor.words.queues import TASK

if TYPE_CHECKING:
    from collections.abc import Sequence


class Stalled(Record, frozen=True, kw_only=True):
    """A job that nobody works on any more, or never will, and its slots.

    ``since`` is when its worker was last heard of; None if the worker is gone.
    """

    job_id: int
    slot_ids: tuple[int, ...]
    since: datetime | None = None


class Process(Record, frozen=True, kw_only=True):
    """A scheduler or worker as others see it."""

    scheduler_id: str
    project: str
    environment: str
    kind: str
    host: str
    pid: int
    queues: tuple[str, ...] = ()
    concurrency: int = 0
    catalogue_problem: str = ""


class Queue(Database):
    """The statements of schedulers and workers about themselves and their jobs."""

    def beat(self, process: Process, now: datetime) -> None:
        """Note that a process lives."""
        self.run(
            "beat",
            scheduler_id=process.scheduler_id,
            project=process.project,
            environment=process.environment,
            kind=process.kind,
            host=process.host,
            pid=process.pid,
            queues=msgspec.json.encode(process.queues).decode(),
            concurrency=process.concurrency,
            now=now,
            catalogue_problem=process.catalogue_problem,
        )

    def leave(self, scheduler_id: str, now: datetime) -> None:
        """Note that a process has stopped in an orderly way."""
        self.run("leave", scheduler_id=scheduler_id, now=now)

    def held_slots(self, slot_ids: Sequence[int], session_id: str) -> tuple[int, ...]:
        """Return those slots that still belong to the run of a session."""
        rows = self.fetch("held_slots", slot_ids=list(slot_ids), session_id=session_id)
        return tuple(row["slot_id"] for row in rows)

    def lock_held_slots(self, slot_ids: Sequence[int], session_id: str) -> tuple[int, ...]:
        """Return those slots that belong to the run of a session, and keep it so for now.

        Schedules are locked before slots, as everywhere.
        """
        self.lock_schedules_of(slot_ids)
        rows = self.fetch("lock_held_slots", slot_ids=list(slot_ids), session_id=session_id)
        return tuple(row["slot_id"] for row in rows)

    def lock_schedules_of(self, slot_ids: Sequence[int]) -> None:
        """Lock the schedules of slots, which comes before slots and jobs."""
        self.fetch("lock_schedules_of_slots", slot_ids=list(slot_ids))

    def stalled_jobs(
        self, project: str, environment: str, *, silent_seconds: float
    ) -> tuple[Stalled, ...]:
        """List the jobs of an environment whose worker is silent, or that were never begun."""
        rows = self.fetch(
            "stalled_jobs",
            task=TASK,
            project=project,
            environment=environment,
            seconds=silent_seconds,
        )
        return msgspec.convert(rows, tuple[Stalled, ...])

    def lock_job(self, job_id: int) -> bool | None:
        """Lock a job that is being done, and tell whether somebody asked to abort it.

        None if it is not being done, or if another scheduler looks after it.
        """
        row = self.fetch_one("lock_job", job_id=job_id)
        return bool(row["abort_requested"]) if row else None

    def requeue_job(self, job_id: int) -> None:
        """Let a job wait for a worker again."""
        self.fetch("requeue_job", job_id=job_id)

    def fail_job(self, job_id: int) -> None:
        """End a job that was being done."""
        self.fetch("fail_job", job_id=job_id)

    def exit_status(self, session_id: str) -> int | None:
        """Return how a session ended; None while it runs, and if it never came to its end."""
        row = self.fetch_one("exit_status", session_id=session_id)
        return row["exit_status"] if row else None

    def forget_workers(self, seconds: float) -> int:
        """Forget the workers that have been silent for so long, and return how many those are."""
        return self.run("forget_workers", seconds=seconds)

    def orphaned_slots(self, project: str, environment: str, seconds: float) -> tuple[int, ...]:
        """Return open slots whose job has ended or is gone, and that no worker will end."""
        rows = self.fetch(
            "orphaned_slots", project=project, environment=environment, seconds=seconds
        )
        return tuple(row["slot_id"] for row in rows)

    def prune_queue(self, *, job_days: float, slot_days: float, project: str) -> tuple[int, int]:
        """Delete old jobs that have ended, and old slots of a project; return how many of each."""
        jobs = self.run("prune_jobs", task=TASK, days=job_days)
        slots = self.run("prune_slots", project=project, days=slot_days)
        self.run("prune_schedulers", project=project, days=job_days)
        return jobs, slots
