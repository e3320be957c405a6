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
    from collections.abc import Sequence

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
        stretches: How many stretches of it were played at once.
        parts: In how many parts it was played: one, and one more for each time it was interrupted.
        cut_off: How many slots were on their way then; they do not count.
        speed: How many played seconds a real one had.
        account: What became of every slot.
        memory: Of the service, in megabytes; of the stretch in which it grew most.
        connections: To the database, likewise.
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
    stretches: int = 1
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


def judge(account: Account, stretches: Sequence[Progress]) -> Verdict:
    """Judge a soak by what became of its slots, and by what was measured on the way.

    Args:
        account: Of the slots of all stretches.
        stretches: How far each of them came.
    """
    plan = stretches[0].plan
    parts = [part for it in stretches for part in it.parts]
    memory = max((memory_growth(it.vitals) for it in stretches), key=_by_growth)
    connections = max((connection_growth(it.vitals) for it in stretches), key=_by_growth)
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
    checkpoints = [vitals for it in stretches for vitals in it.vitals]
    return Verdict(
        result=Result.FAILED if faults else result,
        reasons=(*faults, *too_fast),
        is_complete=all(it.is_complete for it in stretches),
        began_at=min(it.began_at for it in parts),
        ended_at=max(it.ended_at for it in parts),
        played_seconds=sum(it.played_seconds for it in stretches),
        real_seconds=max(it.real_seconds for it in stretches),
        stretches=plan.stretches,
        cut_off=sum(len(it.cut_off) for it in parts),
        parts=max(len(it.parts) for it in stretches),
        speed=plan.speed,
        account=account,
        memory=memory,
        connections=connections,
        most_load=max((it.load for it in checkpoints), default=0.0),
        checkpoints=tuple(checkpoints),
    )


def _by_growth(growth: Growth) -> tuple[bool, float]:
    return growth.has_grown, growth.more


def _reasons(account: Account, *, by_speed: bool) -> list[str]:
    """Say how many slots were in trouble, of each kind."""
    found = []
    for kind, said in _SAID.items():
        count = sum(it.kind is kind and it.by_speed is by_speed for it in account.troubles)
        if count:
            why = ", because the machine could not keep up with the speed" if by_speed else ""
            found.append(f"{wording.plural(count, 'slot')} {said}{why}")
    return found
