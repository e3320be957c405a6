"""Reconciliation: what a schedule asks for against what ran, whoever started it.

Everything here is pure and takes ``now``. What a person ran by hand is not looked at. An execution
belongs to the slot that its session was started for, if that is known; else to the last slot before
it began, or to the one that it ran ahead of when the last one has an execution of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.suspicion import LEAST_SAMPLE, TIMES_QUICKER
from pytest_workflow_monitor.model import Record, Status, Trigger
from pytest_workflow_monitor.schedule.rules import next_slot, previous_slot
from pytest_workflow_monitor.store.schedules import ScheduledRun
from pytest_workflow_monitor.words.slots import Schedule, Slot, SlotStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

START_SECONDS = 30.0
"""How long a run may take to its first test before it counts as late."""

EARLY_SECONDS = 1.0
_GOOD = frozenset({Status.PASSED, Status.DEGRADED})
_ON_PURPOSE = frozenset({SlotStatus.SKIPPED, SlotStatus.CANCELLED})


class FindingKind(StrEnum):
    """What was not as the schedule asks."""

    MISSED = "missed"
    LATE = "late"
    EARLY = "early"
    DUPLICATE = "duplicate"
    OVERLAPPING = "overlapping"
    TOO_SHORT = "too_short"


class Finding(Record, frozen=True, kw_only=True):
    """One thing that was not as the schedule asks; without a run, nothing ran."""

    kind: FindingKind
    workflow_id: str
    slot_at: datetime
    said: str
    run: ScheduledRun | None = None


class Reconciled(Record, frozen=True, kw_only=True):
    """A schedule, and what was found.

    Attributes:
        schedule: The schedule.
        expected: How many slots were looked at.
        findings: What was not as it asks, in order of the slots.
        latest_at: The latest slot whose fate is known; None if there is none.
        trouble: That slot was missed or late: how.
    """

    schedule: Schedule
    expected: int
    findings: tuple[Finding, ...] = ()
    latest_at: datetime | None = None
    trouble: Finding | None = None


def expected_slots(
    schedule: Schedule, since: datetime, now: datetime, most: int
) -> tuple[datetime, ...]:
    """Return the last slots of a schedule up to now, oldest first.

    Those before the code said so, and those during an operator's override, do not count.
    """
    if not schedule.enabled or schedule.removed_at is not None:
        return ()
    begin = max(it for it in (since, schedule.collected_at, schedule.disabled_until) if it)
    found: list[datetime] = []
    at = previous_slot(schedule, now + timedelta(microseconds=1))
    while at is not None and at >= begin and len(found) < most:
        found.append(at)
        at = previous_slot(schedule, at)
    return tuple(reversed(found))


def reconcile(
    schedule: Schedule,
    expected: Sequence[datetime],
    runs: Iterable[ScheduledRun],
    recorded: Mapping[datetime, Slot],
    now: datetime,
) -> Reconciled:
    """Compare a schedule with what ran.

    Args:
        schedule: The schedule.
        expected: Its slots in order.
        runs: Its executions, in any order; those before the first slot serve as a comparison.
        recorded: What the scheduler noted of slots, if there is one.
        now: The time.
    """
    return _Case(schedule, expected, runs, recorded, now).reconciled()


class _Case:
    """One schedule with its slots and runs."""

    def __init__(
        self,
        schedule: Schedule,
        expected: Sequence[datetime],
        runs: Iterable[ScheduledRun],
        recorded: Mapping[datetime, Slot],
        now: datetime,
    ) -> None:
        self._schedule = schedule
        self._expected = expected
        self._runs = _by_session(it for it in runs if it.trigger is not Trigger.MANUAL)
        self._recorded = recorded
        self._now = now
        self._grace = timedelta(seconds=schedule.grace_seconds)
        self._assigned = self._assign()
        self._before = {later.run_id: earlier for earlier, later in pairwise(self._runs)}
        usual = [it.duration_ms for it in self._runs if it.duration_ms and it.status in _GOOD]
        self._usual_ms = median(usual) if len(usual) > LEAST_SAMPLE else None

    def reconciled(self) -> Reconciled:
        findings: list[Finding] = []
        latest, trouble = None, None
        for slot_at in self._expected:
            fate = self._fate(slot_at)
            if fate is None:
                continue
            findings += fate
            latest = slot_at
            trouble = next((it for it in fate if it.kind in _TROUBLE), None)
        return Reconciled(
            schedule=self._schedule,
            expected=len(self._expected),
            findings=tuple(findings),
            latest_at=latest,
            trouble=trouble,
        )

    def _assign(self) -> Mapping[datetime, list[ScheduledRun]]:
        found: dict[datetime, list[ScheduledRun]] = defaultdict(list)
        if not self._expected:
            return found
        for run in self._runs:
            slot_at = self._slot_of(run, found)
            if slot_at is not None:
                found[slot_at].append(run)
        return found

    def _slot_of(
        self, run: ScheduledRun, found: Mapping[datetime, list[ScheduledRun]]
    ) -> datetime | None:
        if run.slot_at is not None:
            return run.slot_at
        slots = self._expected
        place = bisect_right(slots, run.started_at)
        last = slots[place - 1] if place else None
        if last is not None and last not in found:
            return last
        following = slots[place] if place < len(slots) else self._upcoming
        if following is None:
            return last
        ahead = following - run.started_at
        is_near = ahead <= self._grace and (last is None or ahead < run.started_at - last)
        return following if is_near else last

    @cached_property
    def _upcoming(self) -> datetime | None:
        return next_slot(self._schedule, self._expected[-1])

    def _fate(self, slot_at: datetime) -> list[Finding] | None:
        """Return what is to be said of a slot; None while it may still run in time."""
        runs = self._assigned.get(slot_at, [])
        if not runs:
            return self._without_run(slot_at)
        first, *others = runs
        found = self._out_of_time(slot_at, first)
        found += [
            self._finding(
                FindingKind.DUPLICATE,
                slot_at,
                f"ran again by {it.trigger.value} {_said(it.started_at - first.started_at)} later",
                it,
            )
            for it in others
        ]
        return found + [it for run in runs for it in self._against_others(slot_at, run)]

    def _without_run(self, slot_at: datetime) -> list[Finding] | None:
        slot = self._recorded.get(slot_at)
        status = slot.status if slot else None
        if status is SlotStatus.RUNNING or self._now - slot_at <= self._grace + _START:
            return None
        if status in _ON_PURPOSE:
            return []
        said = "nothing ran"
        if status is SlotStatus.QUEUED:
            said = f"waits for a worker for {_said(self._now - slot_at)}"
        elif slot is not None and status is SlotStatus.DONE:
            said = f"ran, but recorded nothing{_exit(slot)}"
        elif slot is not None and slot.reason:
            said = slot.reason
        return [self._finding(FindingKind.MISSED, slot_at, said)]

    def _out_of_time(self, slot_at: datetime, run: ScheduledRun) -> list[Finding]:
        late = run.started_at - slot_at
        if late > self._grace + _START:
            said = f"began {_said(late)} late by {run.trigger.value}"
            return [self._finding(FindingKind.LATE, slot_at, said, run)]
        if late < -timedelta(seconds=EARLY_SECONDS):
            said = f"began {_said(-late)} early by {run.trigger.value}"
            return [self._finding(FindingKind.EARLY, slot_at, said, run)]
        return []

    def _against_others(self, slot_at: datetime, run: ScheduledRun) -> list[Finding]:
        found = []
        before = self._before.get(run.run_id)
        if before is not None and (before.completed_at or self._now) > run.started_at:
            said = f"began while the run of {_time(before.started_at)} went on"
            found.append(self._finding(FindingKind.OVERLAPPING, slot_at, said, run))
        if self._is_too_short(run):
            said = f"took {wording.duration(run.duration_ms)}, far less than usual"
            found.append(self._finding(FindingKind.TOO_SHORT, slot_at, said, run))
        return found

    def _is_too_short(self, run: ScheduledRun) -> bool:
        if self._usual_ms is None or run.duration_ms is None or run.status not in _GOOD:
            return False
        return run.duration_ms * TIMES_QUICKER < self._usual_ms

    def _finding(
        self, kind: FindingKind, slot_at: datetime, said: str, run: ScheduledRun | None = None
    ) -> Finding:
        return Finding(
            kind=kind,
            workflow_id=self._schedule.workflow_id,
            slot_at=slot_at,
            said=said,
            run=run,
        )


_TROUBLE = frozenset({FindingKind.MISSED, FindingKind.LATE})
_START = timedelta(seconds=START_SECONDS)


def _by_session(runs: Iterable[ScheduledRun]) -> list[ScheduledRun]:
    """Return one run for each session, in order: a workflow in two browsers is two executions."""
    found: dict[str, ScheduledRun] = {}
    for run in sorted(runs, key=lambda it: (it.started_at, it.run_id)):
        known = found.get(run.session_id)
        if known is None:
            found[run.session_id] = run
        elif known.completed_at is not None:
            end = max(known.completed_at, run.completed_at) if run.completed_at else None
            found[run.session_id] = replace(known, completed_at=end)
    return list(found.values())


def _exit(slot: Slot) -> str:
    return "" if slot.exit_code is None else f" (exit code {slot.exit_code})"


def _said(span: timedelta) -> str:
    return wording.duration(span.total_seconds() * 1000)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
