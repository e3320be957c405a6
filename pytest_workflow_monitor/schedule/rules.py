"""The rules of dispatch: which slots are due, which of them run, and what the others are.

Everything here is pure and takes ``now``. The rules are told in ``docs/scheduling.md``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cron import next_time, previous_time, times
from pytest_workflow_monitor.cron.rhythm import next_beat, previous_beat
from pytest_workflow_monitor.model import Overlap, Priority, Record
from pytest_workflow_monitor.words.slots import Slot, SlotStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.words.slots import Schedule

MOST_AT_ONCE = 1_000
"""So many slots of one schedule are dealt with in one look; the next look goes on from there."""

TOLD_APART = 20
"""So many of the missed slots of one look have a row each; one row stands for those before."""

MOST_WAITING = 10
"""So many slots of a schedule that queues its overlaps may wait at once."""

MOST_GRACE_SECONDS = 600.0
LIMIT_SECONDS = 1800.0
"""How long a run may take whose marker gives neither ``limit`` nor ``timeout``."""

MARGIN_SECONDS = 60.0
"""What a run may need beside its attempts: to start pytest and a browser, and to store."""

_SAMPLE = 5
_SAMPLED_FROM = datetime(2024, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Missed(Record, frozen=True, kw_only=True):
    """A slot that does not run; the first of ``covers`` that were missed one after the other."""

    slot_at: datetime
    reason: str
    covers: int = 1


class Look(Record, frozen=True, kw_only=True):
    """What is due of one schedule.

    Attributes:
        run_at: The slot that is to run; None for none.
        covers: How many slots that run stands for, itself included.
        missed: The others.
        next_run_at: When there is something to do again; None for never.
    """

    next_run_at: datetime | None
    run_at: datetime | None = None
    covers: int = 1
    missed: tuple[Missed, ...] = ()


class Overlapped(Record, frozen=True, kw_only=True):
    """What becomes of a slot that is to run, and of those that have not ended.

    Attributes:
        skipped: Why it does not run; empty if it does.
        replaced: Slots that it takes the place of, as no worker has begun them.
        cancelled: Slots that are to be stopped for it.
    """

    skipped: str = ""
    replaced: tuple[Slot, ...] = ()
    cancelled: tuple[Slot, ...] = ()


def next_slot(schedule: Schedule, after: datetime) -> datetime | None:
    """Return a schedule's first slot after an instant; None if there is none any more."""
    if schedule.every_seconds is not None:
        return next_beat(int(schedule.every_seconds), after, schedule.workflow_id)
    try:
        return next_time(schedule.cron_expression, schedule.timezone, after, schedule.workflow_id)
    except OverflowError:
        return None


def previous_slot(schedule: Schedule, before: datetime) -> datetime | None:
    """Return a schedule's last slot before an instant; None if there was none."""
    if schedule.every_seconds is not None:
        return previous_beat(int(schedule.every_seconds), before, schedule.workflow_id)
    try:
        return previous_time(
            schedule.cron_expression, schedule.timezone, before, schedule.workflow_id
        )
    except OverflowError:
        return None


def look(schedule: Schedule, now: datetime) -> Look:
    """Decide what becomes of the slots of a schedule that are due.

    The latest of them runs, if it is not later than the schedule's grace; it makes up for those
    before it. An operator's override takes away the slots before its end.
    """
    due, following = _due(schedule, now)
    is_all = following is None or following > now
    latest = due[-1] if due and is_all else None
    late = (now - latest).total_seconds() if latest else 0.0
    if latest is None or late > schedule.grace_seconds:
        reason = f"found too late: the grace is {_said(schedule.grace_seconds)}"
        return Look(next_run_at=following, missed=_missed(due, reason))
    reason = f"made up for by the slot of {_time(latest)}"
    return Look(
        next_run_at=following,
        run_at=latest,
        covers=len(due),
        missed=_missed(due[:-1], reason),
    )


def overlap(schedule: Schedule, before: Sequence[Slot]) -> Overlapped:
    """Decide about a slot that is to run while some before it, given here, have not ended."""
    waiting = tuple(it for it in before if it.status is SlotStatus.QUEUED)
    running = tuple(it for it in before if it.status is SlotStatus.RUNNING)
    match schedule.overlap:
        case Overlap.QUEUE if len(waiting) >= MOST_WAITING:
            return Overlapped(skipped=f"{wording.plural(len(waiting), 'slot')} wait already")
        case Overlap.QUEUE:
            return Overlapped()
        case Overlap.CANCEL_PREVIOUS:
            return Overlapped(replaced=waiting, cancelled=running)
        case Overlap.SKIP if running:
            return Overlapped(skipped=still_running(running))
        case Overlap.SKIP:
            return Overlapped(replaced=waiting)


def still_running(running: Sequence[Slot]) -> str:
    """Say why a slot is skipped."""
    return f"the run of {_time(running[-1].slot_at)} had not ended"


def replaced_by(slot_at: datetime) -> str:
    """Say why a slot is missed that no worker had begun."""
    return f"no worker began it before the slot of {_time(slot_at)}, which makes up for it"


def cancelled_by(slot_at: datetime) -> str:
    """Say why a run is stopped."""
    return f"stopped for the slot of {_time(slot_at)}"


def groups(runs: Iterable[tuple[Schedule, Slot]], most: int) -> list[list[tuple[Schedule, Slot]]]:
    """Put slots together that share one pytest process.

    They are due at the same time by the same schedule, in the same queue. A critical workflow
    stays alone, and so does one whose runs are not simply skipped when they overlap.
    """
    found: dict[tuple[object, ...], list[list[tuple[Schedule, Slot]]]] = {}
    for schedule, slot in runs:
        chunks = found.setdefault(_shares(schedule, slot), [[]])
        if len(chunks[-1]) >= most:
            chunks.append([])
        chunks[-1].append((schedule, slot))
    return [chunk for chunks in found.values() for chunk in chunks]


def grace_of(workflow: Workflow) -> float:
    """Return how late a workflow's slots may begin.

    By default half the interval, at most ten minutes. The interval of a cron expression is the
    shortest between some times in a row.
    """
    if workflow.grace_seconds is not None:
        return workflow.grace_seconds
    if workflow.every_seconds is not None:
        interval: float = workflow.every_seconds
    else:
        interval = _interval(workflow.cron or "", workflow.timezone)
    return min(interval / 2, MOST_GRACE_SECONDS)


def limit_of(workflow: Workflow) -> float:
    """Return how long a workflow's run may take, all its attempts and pauses together."""
    if workflow.limit_seconds is not None:
        return workflow.limit_seconds
    if workflow.timeout_seconds is None:
        return LIMIT_SECONDS
    pauses = sum(
        workflow.retry_delay_seconds * workflow.retry_backoff**number
        for number in range(workflow.retries)
    )
    return workflow.timeout_seconds * (workflow.retries + 1) + pauses + MARGIN_SECONDS


def _due(schedule: Schedule, now: datetime) -> tuple[list[datetime], datetime | None]:
    """Return the slots up to now, not all of very many, and the one that follows them."""
    following = schedule.next_run_at
    until = schedule.disabled_until
    if following is not None and until is not None and following < until:
        following = next_slot(schedule, now if until > now else until - _TICK)
    due: list[datetime] = []
    while following is not None and following <= now and len(due) < MOST_AT_ONCE:
        due.append(following)
        following = next_slot(schedule, following)
    return due, following


def _missed(slots: Sequence[datetime], reason: str) -> tuple[Missed, ...]:
    """Record slots: the last of them one by one, those before as one."""
    together, apart = slots[:-TOLD_APART], slots[-TOLD_APART:]
    found = [Missed(slot_at=it, reason=reason) for it in apart]
    if len(together) > 1:
        more = f"{reason}; one of {len(together):,} until {_time(together[-1])}"
        return (Missed(slot_at=together[0], reason=more, covers=len(together)), *found)
    return (*(Missed(slot_at=it, reason=reason) for it in together), *found)


def _shares(schedule: Schedule, slot: Slot) -> tuple[object, ...]:
    is_alone = schedule.priority is Priority.CRITICAL or schedule.overlap is not Overlap.SKIP
    return (
        schedule.queue,
        schedule.cron_expression,
        schedule.every_seconds,
        schedule.timezone,
        slot.slot_at,
        slot.slot_id if is_alone else None,
    )


@lru_cache(maxsize=4096)
def _interval(cron: str, zone: str) -> float:
    found = list(islice(times(cron, zone, _SAMPLED_FROM), _SAMPLE))
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(found)]
    return min(gaps, default=2 * MOST_GRACE_SECONDS)


def _said(seconds: float) -> str:
    return wording.duration(seconds * 1000)


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
