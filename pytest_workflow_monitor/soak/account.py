"""The account of a soak: what became of every slot that was expected, and of others."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Record, Status
from pytest_workflow_monitor.words.slots import Slot, SlotStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_workflow_monitor.soak.expectation import Expected
    from pytest_workflow_monitor.store.schedules import ScheduledRun

LATE_PERCENTILE = 0.95
NOTED_SECONDS = 60.0
"""In so much real time a slot that is due is recorded, or nobody knows of it."""


SlotKey = tuple[str, datetime]
"""A workflow, and when it was due."""


class TroubleKind(StrEnum):
    """What was wrong with a slot.

    ``missed`` ones did not run, and it is recorded why. Of ``silent`` ones nothing is recorded, or
    not how they ended, or no execution of a run that ended. ``unexpected`` ones were never due.
    """

    LATE = "late"
    MISSED = "missed"
    SILENT = "silent"
    DUPLICATED = "duplicated"
    UNEXPECTED = "unexpected"


class Trouble(Record, frozen=True, kw_only=True, omit_defaults=False):
    """Something that was wrong with a slot.

    ``by_speed`` tells that it took so long only in played time: at real speed the slot would have
    been in time.
    """

    kind: TroubleKind
    workflow_id: str
    slot_at: datetime
    said: str
    by_speed: bool = False


class Account(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What became of the slots up to a moment.

    Attributes:
        expected: How many were due.
        run: How many ran, late ones included.
        failed: In how many of those the workflow was not fine.
        open: How many are still on their way.
        statuses: What the scheduler recorded of those that were due.
        lateness_ms: How late runs began in real time: the median, the 95th percentile, the most.
        troubles: What was wrong.
    """

    expected: int = 0
    run: int = 0
    failed: int = 0
    open: int = 0
    statuses: dict[str, int]
    lateness_ms: tuple[float, float, float] = (0.0, 0.0, 0.0)
    troubles: tuple[Trouble, ...] = ()

    def count(self, kind: TroubleKind) -> int:
        """Count the troubles of a kind."""
        return sum(it.kind is kind for it in self.troubles)


class Audit:
    """Compares the slots that were due with what was recorded and what ran.

    Args:
        expected: What was to run, by workflow.
        recorded: What the scheduler noted; slots before the first or after the last expected one
            are nobody's concern.
        runs: The executions of scheduled sessions.
        now: The time, as played.
        speed: How many played seconds a real one has.
        is_over: Whether nothing is on its way any more: then what has no end is silent.

    Attributes:
        expected: How many were due.
        statuses: What the scheduler recorded of those.
        lateness: How many real seconds late each run began.
        failed: In how many runs the workflow was not fine.
        on_their_way: Those of which nobody can say yet what becomes of them.
        troubles: What was wrong.
    """

    def __init__(
        self,
        expected: Mapping[str, Expected],
        recorded: Iterable[Slot],
        runs: Iterable[ScheduledRun],
        *,
        now: datetime,
        speed: float,
        is_over: bool,
    ) -> None:
        self._slots: dict[str, dict[datetime, Slot]] = defaultdict(dict)
        for slot in recorded:
            self._slots[slot.workflow_id][slot.slot_at] = slot
        self._runs: dict[SlotKey, list[ScheduledRun]] = defaultdict(list)
        for run in runs:
            if run.slot_at is not None:
                self._runs[run.workflow_id, run.slot_at].append(run)
        self._now = now
        self._speed = speed
        self._is_over = is_over
        self.expected = 0
        self.statuses: Counter[str] = Counter()
        self.lateness: list[float] = []
        self.failed = 0
        self.on_their_way: list[SlotKey] = []
        self.troubles: list[Trouble] = []
        for workflow_id, it in expected.items():
            self._go_through(workflow_id, it)

    def _go_through(self, workflow_id: str, expected: Expected) -> None:
        slots = [slot_at for slot_at in expected.slots if slot_at <= self._now]
        counted = [slot_at for slot_at in slots if slot_at not in expected.left_out]
        self.expected += len(counted)
        covering = self._covering(workflow_id, slots)
        for slot_at in counted:
            slot = self._slots[workflow_id].get(slot_at) or covering.get(slot_at)
            self.statuses[slot.status.value if slot else "nothing"] += 1
            self._look_at(workflow_id, slot_at, slot, expected.grace_seconds)
        self._look_for_unexpected(workflow_id, expected.slots)

    def _covering(self, workflow_id: str, slots: Sequence[datetime]) -> dict[datetime, Slot]:
        """Return the row that stands for slots that were missed together, by each of them."""
        found: dict[datetime, Slot] = {}
        for row in self._slots[workflow_id].values():
            if row.status is SlotStatus.MISSED and row.covers > 1:
                place = bisect_left(slots, row.slot_at)
                found |= dict.fromkeys(slots[place : place + row.covers], row)
        return found

    def _look_at(
        self, workflow_id: str, slot_at: datetime, slot: Slot | None, grace_seconds: float
    ) -> None:
        if slot is None:
            waited = (self._now - slot_at).total_seconds() / self._speed
            is_lost = waited > NOTED_SECONDS
            self._await(workflow_id, slot_at, "nothing was recorded", is_lost=is_lost)
        elif slot.is_open:
            self._await(workflow_id, slot_at, "it has not ended")
        elif slot.status is SlotStatus.DONE:
            self._look_at_run(slot, grace_seconds)
        else:
            status = slot.status.value.replace("_", " ")
            said = f"{status}: {slot.reason or 'no reason was given'}"
            self._blame(
                TroubleKind.MISSED,
                slot.workflow_id,
                slot_at,
                said,
                by_speed=self._is_by_speed(slot, grace_seconds),
            )

    def _look_at_run(self, slot: Slot, grace_seconds: float) -> None:
        """Look at a slot whose run has ended: at its executions, and at when it began."""
        runs = self._runs_of(slot)
        if not runs:
            said = f"it ended without an execution: {slot.reason or 'no reason was given'}"
            self._await(slot.workflow_id, slot.slot_at, said)
            return
        late = slot.lateness_seconds
        self.lateness.append(late / self._speed)
        self.failed += any(it.status.is_problem for it in runs)
        if late > grace_seconds:
            self._blame(
                TroubleKind.LATE,
                slot.workflow_id,
                slot.slot_at,
                f"began {late / self._speed:.1f} s late",
                by_speed=late / self._speed <= grace_seconds,
            )
        ended = {it.session_id for it in runs if it.status is not Status.INTERRUPTED}
        if len(ended) > 1:
            said = f"ran in {len(ended)} sessions"
            self._blame(TroubleKind.DUPLICATED, slot.workflow_id, slot.slot_at, said)

    def _runs_of(self, slot: Slot) -> Sequence[ScheduledRun]:
        return self._runs.get((slot.workflow_id, slot.slot_at), ())

    def _await(
        self, workflow_id: str, slot_at: datetime, said: str, *, is_lost: bool = False
    ) -> None:
        if self._is_over or is_lost:
            self._blame(TroubleKind.SILENT, workflow_id, slot_at, said)
        else:
            self.on_their_way.append((workflow_id, slot_at))

    def _blame(
        self,
        kind: TroubleKind,
        workflow_id: str,
        slot_at: datetime,
        said: str,
        *,
        by_speed: bool = False,
    ) -> None:
        trouble = Trouble(
            kind=kind, workflow_id=workflow_id, slot_at=slot_at, said=said, by_speed=by_speed
        )
        self.troubles.append(trouble)

    def _is_by_speed(self, slot: Slot, grace_seconds: float) -> bool:
        """Tell whether a slot that did not run would have, had time passed no quicker than it does.

        It waited in real time no longer than its grace; or the run before it took less real time
        than there is between the two.
        """
        if self._speed <= 1:
            return False
        if slot.status is SlotStatus.MISSED:
            waited = (slot.ended_at or slot.claimed_at) - slot.slot_at
            return waited.total_seconds() / self._speed <= grace_seconds
        if slot.status is not SlotStatus.SKIPPED:
            return False
        before = [
            it
            for it in self._slots[slot.workflow_id].values()
            if it.slot_at < slot.slot_at and it.started_at is not None
        ]
        last = max(before, key=lambda it: it.slot_at, default=None)
        if last is None or last.started_at is None:
            return False
        took = ((last.ended_at or self._now) - last.slot_at).total_seconds() / self._speed
        return took < (slot.slot_at - last.slot_at).total_seconds()

    def _look_for_unexpected(self, workflow_id: str, slots: Sequence[datetime]) -> None:
        if not slots:
            return
        wanted = set(slots)
        for slot_at in self._slots[workflow_id]:
            if slots[0] <= slot_at <= slots[-1] and slot_at not in wanted:
                self._blame(TroubleKind.UNEXPECTED, workflow_id, slot_at, "it was never due")


def take_account(audits: Iterable[Audit]) -> Account:
    """Sum up what audits of different slots found."""
    found = tuple(audits)
    troubles = [trouble for it in found for trouble in it.troubles]
    lateness = [seconds for it in found for seconds in it.lateness]
    return Account(
        expected=sum(it.expected for it in found),
        run=len(lateness),
        failed=sum(it.failed for it in found),
        open=sum(len(it.on_their_way) for it in found),
        statuses=dict(sum((it.statuses for it in found), Counter())),
        lateness_ms=_spread([seconds * 1000 for seconds in lateness]),
        troubles=tuple(sorted(troubles, key=lambda it: (it.slot_at, it.workflow_id))),
    )


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    if not values:
        return 0.0, 0.0, 0.0
    ordered = sorted(values)
    return median(ordered), ordered[int(LATE_PERCENTILE * (len(ordered) - 1))], ordered[-1]
