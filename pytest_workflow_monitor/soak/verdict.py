"""The verdict of a soak."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.soak.account import Account, TroubleKind
from pytest_workflow_monitor.soak.vitals import (
    Growth,
    Vitals,
    connection_growth,
    memory_growth,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.soak.progress import Progress


class Result(StrEnum):
    """How a soak came out.

    It ``passed`` if every slot ran once and in time, and nothing grew. ``too_fast`` means that all
    that went wrong did so because the machine could not keep up with the speed; it says nothing
    about the real one. Else it ``failed``.
    """

    PASSED = "passed"
    FAILED = "failed"
    TOO_FAST = "too_fast"


class Verdict(Record, frozen=True, kw_only=True, omit_defaults=False):
    """How a soak came out, and why.

    Attributes:
        result: How.
        reasons: Why it did not pass.
        is_complete: Whether all of the time was played.
        began_at: From when on slots were expected, as played.
        ended_at: Until when.
        played_seconds: How much time was played, without what lies between parts.
        real_seconds: How long that took.
        parts: In how many parts it was played: one, and one more for each time it was interrupted.
        cut_off: How many slots were on their way then; they do not count.
        speed: How many played seconds a real one had.
        account: What became of every slot.
        memory: Of the service, in megabytes.
        connections: To the database.
        most_load: The highest load of the machine, over a minute.
        checkpoints: What was measured on the way.
    """

    result: Result
    reasons: tuple[str, ...] = ()
    is_complete: bool
    began_at: datetime
    ended_at: datetime
    played_seconds: float
    real_seconds: float
    parts: int = 1
    cut_off: int = 0
    speed: float
    account: Account
    memory: Growth
    connections: Growth
    most_load: float
    checkpoints: tuple[Vitals, ...] = ()


_SAID = {
    TroubleKind.MISSED: "did not run",
    TroubleKind.LATE: "began later than their grace",
    TroubleKind.DUPLICATED: "ran more than once",
    TroubleKind.SILENT: "ended without a word",
    TroubleKind.UNEXPECTED: "ran although they were never due",
}


def judge(account: Account, progress: Progress) -> Verdict:
    """Judge a soak by what became of its slots, and by what was measured on the way."""
    checkpoints, parts = progress.vitals, progress.parts
    memory, connections = memory_growth(checkpoints), connection_growth(checkpoints)
    faults = [it.problem for it in parts if it.problem]
    if not account.expected:
        faults.append("no slot was due: play a longer time")
    faults += _reasons(account, by_speed=False)
    if memory.has_grown:
        faults.append(f"the memory grew from {memory.start:.0f} to {memory.end:.0f} MB")
    if connections.has_grown:
        faults.append(f"the connections grew from {connections.start:.0f} to {connections.end:.0f}")
    too_fast = _reasons(account, by_speed=True)
    result = Result.TOO_FAST if too_fast else Result.PASSED
    return Verdict(
        result=Result.FAILED if faults else result,
        reasons=(*faults, *too_fast),
        is_complete=progress.is_complete,
        began_at=parts[0].began_at,
        ended_at=parts[-1].ended_at,
        played_seconds=progress.played_seconds,
        real_seconds=sum(it.real_seconds for it in parts),
        cut_off=sum(len(it.cut_off) for it in parts),
        parts=len(parts),
        speed=progress.plan.speed,
        account=account,
        memory=memory,
        connections=connections,
        most_load=max((it.load for it in checkpoints), default=0.0),
        checkpoints=checkpoints,
    )


def _reasons(account: Account, *, by_speed: bool) -> list[str]:
    """Say how many slots were in trouble, of each kind."""
    found = []
    for kind, said in _SAID.items():
        count = sum(it.kind is kind and it.by_speed is by_speed for it in account.troubles)
        if count:
            why = ", because the machine could not keep up with the speed" if by_speed else ""
            found.append(f"{wording.plural(count, 'slot')} {said}{why}")
    return found
