"""Rescue: no slot stays with a worker that is dead.

A worker that gives no sign of life for long has died, or cannot reach the database. Its slots wait
for another worker once; a run that takes a second worker with it is recorded as lost.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.words.slots import Slot, SlotStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.store.queue import Stalled

MOST_TRIES = 2
DIED = "its worker died"
TOLD = frozenset({0, 1})
"""pytest's exit statuses with which its tests have run."""

logger = logging.getLogger("pytest_workflow_monitor.schedule")


class Rescued(Record, frozen=True, kw_only=True):
    """The slots that wait for another worker, and those that do not run any more."""

    retried: tuple[Slot, ...] = ()
    ended: tuple[Slot, ...] = ()


def rescue(store: Store, settings: Settings, *, silent_seconds: float) -> Rescued:
    """Look after the slots of workers that have been silent for so long.

    Who calls this has been in touch with the database for as long: after it was away for
    everybody, all workers look silent for a moment.
    """
    scope = settings.project, settings.environment
    retried: list[Slot] = []
    ended: list[Slot] = []
    for job in store.stalled_jobs(*scope, silent_seconds=silent_seconds):
        found = _rescue_job(store, scope, job)
        retried += found.retried
        ended += found.ended
    orphans = store.orphaned_slots(*scope, silent_seconds)
    if orphans:
        ended += store.end_slots(
            orphans, SlotStatus.LOST, at=store.clock(), reason="its job ended without a word"
        )
    for slot in (*retried, *ended):
        _log(slot)
    return Rescued(retried=tuple(retried), ended=tuple(ended))


def _rescue_job(store: Store, scope: tuple[str, str], job: Stalled) -> Rescued:
    now = store.clock()
    with store.transaction():
        store.lock_schedules_of(job.slot_ids)
        is_aborted = store.lock_job(job.job_id)
        if is_aborted is None:  # its worker, or another scheduler, was faster
            return Rescued()
        slots = [it for it in store.slots(*scope, slot_ids=job.slot_ids) if it.is_open]
        done = _end_those_that_ran(store, slots, now)
        slots = [it for it in slots if it.slot_id not in {one.slot_id for one in done}]
        ids = [it.slot_id for it in slots]
        if is_aborted:
            store.fail_job(job.job_id)
            cancelled = store.end_slots(ids, SlotStatus.CANCELLED, at=now)
            return Rescued(ended=(*done, *cancelled))
        if not slots or max(it.tries for it in slots) >= MOST_TRIES:
            store.fail_job(job.job_id)
            reason = f"{DIED}, as the one before it had"
            lost = store.end_slots(ids, SlotStatus.LOST, at=now, reason=reason)
            return Rescued(ended=(*done, *lost))
        store.requeue_job(job.job_id)
        store.hand_back_slots(ids, reason=DIED)
        return Rescued(retried=store.slots(*scope, slot_ids=ids), ended=done)


def _end_those_that_ran(store: Store, slots: Sequence[Slot], now: datetime) -> tuple[Slot, ...]:
    """End the slots whose session came to its end, although their worker could not say so."""
    ended: tuple[Slot, ...] = ()
    for session_id in {it.session_id for it in slots if it.session_id}:
        exit_status = store.exit_status(session_id)
        if exit_status in TOLD:
            ended += store.end_slots(
                [it.slot_id for it in slots if it.session_id == session_id],
                SlotStatus.DONE,
                at=now,
                reason=f"{DIED}; its session did not",
                exit_code=exit_status,
            )
    return ended


def _log(slot: Slot) -> None:
    logger.warning(
        "slot %s of %s: %s, %s",
        slot.slot_at.isoformat(),
        slot.workflow_id,
        "waits for another worker" if slot.is_open else slot.status.value,
        slot.reason or DIED,
        extra={
            "action": "slot_rescued" if slot.is_open else f"slot_{slot.status.value}",
            "workflow_id": slot.workflow_id,
            "environment": slot.environment,
            "slot_at": slot.slot_at.isoformat(),
            "status": slot.status.value,
            "reason": slot.reason,
            "tries": slot.tries,
        },
    )
