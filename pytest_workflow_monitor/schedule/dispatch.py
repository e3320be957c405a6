"""Dispatch: due slots become jobs, each exactly once however many schedulers look.

One batch is one transaction: schedules are claimed, their slots recorded, jobs queued and the
schedules moved on, or nothing of it. Who is killed in between leaves everything as it was. That a
slot is recorded once is the database's matter (its time is unique for a schedule), so neither a
clock that jumps nor two schedulers at once can make it run twice.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Overlap, Priority, Record
from pytest_workflow_monitor.schedule import rules
from pytest_workflow_monitor.store.schedules import Move, NewJob, NewSlot
from pytest_workflow_monitor.words.queues import TASK, job_queue
from pytest_workflow_monitor.words.slots import Slot, SlotStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.slots import Schedule

BATCH = 250
"""How many schedules one transaction claims."""

JOB_PRIORITY = {
    Priority.CRITICAL: 3,
    Priority.HIGH: 2,
    Priority.MEDIUM: 1,
    Priority.LOW: 0,
}
"""What Procrastinate sorts waiting jobs by, the largest first."""

logger = logging.getLogger("pytest_workflow_monitor.schedule")


class Dispatched(Record, frozen=True, kw_only=True):
    """What a look at the schedules did.

    Attributes:
        schedules: How many were due.
        jobs: How many jobs were queued.
        slots: The slots that were recorded, those that run and those that do not.
        replaced: How many slots that no worker had begun were replaced by later ones.
        cancelled: How many runs were asked to stop.
    """

    schedules: int = 0
    jobs: int = 0
    slots: tuple[Slot, ...] = ()
    replaced: int = 0
    cancelled: int = 0

    def __add__(self, other: Dispatched) -> Dispatched:
        return Dispatched(
            schedules=self.schedules + other.schedules,
            jobs=self.jobs + other.jobs,
            slots=self.slots + other.slots,
            replaced=self.replaced + other.replaced,
            cancelled=self.cancelled + other.cancelled,
        )

    @property
    def queued(self) -> tuple[Slot, ...]:
        """The slots that run."""
        return tuple(it for it in self.slots if it.status is SlotStatus.QUEUED)


def dispatch(store: Store, settings: Settings, now: datetime, *, by: str = "") -> Dispatched:
    """Queue every slot of the settings' environment that is due, and record those that cannot run.

    Schedules that another scheduler is busy with are left to it.

    Args:
        store: The database, with the queue's tables.
        settings: Whose schedules, and how many workflows share a run.
        now: The time, best the database's.
        by: Who dispatches; by default host and process.

    Raises:
        StoreError: The database cannot be used; the batch that failed has changed nothing.
    """
    done = Dispatched()
    name = by or f"{socket.gethostname()}/{os.getpid()}"
    while True:
        with store.transaction():
            batch = _Batch(store, settings, now, name).carry_out()
        if not batch.schedules:
            return done
        for slot in batch.slots:
            _log(slot)
        done += batch


class _Batch:
    """The schedules that one transaction claims."""

    def __init__(self, store: Store, settings: Settings, now: datetime, by: str) -> None:
        self._store = store
        self._settings = settings
        self._scope = settings.project, settings.environment
        self._now = now
        self._by = by
        self._missed: dict[str, int] = defaultdict(int)
        self._slots: list[NewSlot] = []
        self._replaced = 0
        self._cancelled = 0

    def carry_out(self) -> Dispatched:
        claimed = self._store.claim_schedules(*self._scope, self._now, BATCH)
        if not claimed:
            return Dispatched()
        looks = {it.workflow_id: rules.look(it, self._now) for it in claimed}
        before = self._before(looks)
        for schedule in claimed:
            look = looks[schedule.workflow_id]
            self._record_missed(schedule, look)
            if schedule.workflow_id in before and look.run_at is not None:
                self._record_run(schedule, look.run_at, look, before[schedule.workflow_id])
        added = self._store.add_slots(self._slots)
        jobs = self._queue({it.workflow_id: it for it in claimed}, added)
        self._store.move_schedules([self._move(it, looks[it.workflow_id]) for it in claimed])
        return Dispatched(
            schedules=len(claimed),
            jobs=jobs,
            slots=added,
            replaced=self._replaced,
            cancelled=self._cancelled,
        )

    def _before(self, looks: Mapping[str, rules.Look]) -> Mapping[str, list[Slot]]:
        """Return the open slots of workflows with a slot to run that was not recorded before.

        It was, if the clock went back; whoever else dispatches has other schedules.
        """
        wanted = {name: look.run_at for name, look in looks.items() if look.run_at}
        if not wanted:
            return {}
        recorded = self._store.recorded_slots(*self._scope, wanted)
        found: dict[str, list[Slot]] = {it: [] for it in wanted if it not in recorded}
        for slot in self._store.open_slots(*self._scope, list(found)):
            found[slot.workflow_id].append(slot)
        return found

    def _record_missed(self, schedule: Schedule, look: rules.Look) -> None:
        for it in look.missed:
            self._add(schedule, it.slot_at, SlotStatus.MISSED, it.reason, it.covers)
            self._missed[schedule.workflow_id] += it.covers

    def _record_run(
        self, schedule: Schedule, slot_at: datetime, look: rules.Look, before: Sequence[Slot]
    ) -> None:
        reason, covers = self._make_room(schedule, slot_at, before)
        status = SlotStatus.SKIPPED if reason else SlotStatus.QUEUED
        self._add(schedule, slot_at, status, reason, look.covers + covers)

    def _make_room(
        self, schedule: Schedule, slot_at: datetime, before: Sequence[Slot]
    ) -> tuple[str, int]:
        """Return why a slot is skipped, and how many others it makes up for."""
        found = rules.overlap(schedule, before)
        if found.cancelled:
            reason = rules.cancelled_by(slot_at)
            self._store.ask_to_cancel([it.slot_id for it in found.cancelled], reason)
            self._store.cancel_jobs(it.job_id for it in found.cancelled if it.job_id)
            self._cancelled += len(found.cancelled)
        if not found.replaced:
            return found.skipped, 0
        waiting = {it.slot_id: it for it in found.replaced}
        replaced = self._store.replace_slots(
            waiting, at=self._now, reason=rules.replaced_by(slot_at)
        )
        self._replaced += len(replaced)
        self._missed[schedule.workflow_id] += len(replaced)
        begun = [it for it in found.replaced if it.slot_id not in replaced]
        skipped = rules.still_running(begun) if begun and schedule.overlap is Overlap.SKIP else ""
        return skipped, sum(waiting[it].covers for it in replaced)

    def _add(
        self, schedule: Schedule, slot_at: datetime, status: SlotStatus, reason: str, covers: int
    ) -> None:
        self._slots.append(
            NewSlot(
                project=schedule.project,
                workflow_id=schedule.workflow_id,
                environment=schedule.environment,
                slot_at=slot_at,
                status=status,
                queue=schedule.queue,
                claimed_at=self._now,
                claimed_by=self._by,
                reason=reason,
                ended_at=None if status is SlotStatus.QUEUED else self._now,
                covers=covers,
            )
        )

    def _queue(self, schedules: Mapping[str, Schedule], added: Sequence[Slot]) -> int:
        runs = [(schedules[it.workflow_id], it) for it in added if it.status is SlotStatus.QUEUED]
        groups = rules.groups(runs, self._settings.schedule_group_size)
        urgent = sorted(groups, key=_begins_by)  # of one priority, workers take the first
        return len(self._store.defer_jobs([_job(group) for group in urgent]))

    def _move(self, schedule: Schedule, look: rules.Look) -> Move:
        return Move(
            project=schedule.project,
            workflow_id=schedule.workflow_id,
            environment=schedule.environment,
            next_run_at=look.next_run_at,
            missed=self._missed[schedule.workflow_id],
        )


def _begins_by(group: Sequence[tuple[Schedule, Slot]]) -> datetime:
    """Return when a job has to begin at the latest."""
    return min(slot.slot_at + timedelta(seconds=it.grace_seconds) for it, slot in group)


def _job(group: Sequence[tuple[Schedule, Slot]]) -> NewJob:
    """Make the job of slots that share a process; those of one lock run one after the other."""
    schedule, _ = group[0]
    scope = schedule.project, schedule.environment, schedule.workflow_id
    return NewJob(
        queue=job_queue(schedule.project, schedule.environment, schedule.queue),
        task_name=TASK,
        priority=max(JOB_PRIORITY[it.priority] for it, _ in group),
        lock=None if schedule.overlap is Overlap.SKIP else "\x1f".join(scope),
        args={"slot_ids": [slot.slot_id for _, slot in group]},
    )


def _log(slot: Slot) -> None:
    is_fine = slot.status is SlotStatus.QUEUED
    logger.log(
        logging.INFO if is_fine else logging.WARNING,
        "slot %s of %s: %s%s",
        slot.slot_at.isoformat(),
        slot.workflow_id,
        slot.status.value,
        f", {slot.reason}" if slot.reason else f", {slot.lateness_seconds:.1f} s late",
        extra={
            "action": "slot_dispatched",
            "workflow_id": slot.workflow_id,
            "environment": slot.environment,
            "slot_at": slot.slot_at.isoformat(),
            "status": slot.status.value,
            "lateness_seconds": slot.lateness_seconds,
        },
    )
