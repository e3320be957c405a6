"""The verdict of a soak: what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pytest_workflow_monitor.soak.account import Account, Trouble, TroubleKind
from pytest_workflow_monitor.soak.progress import Part, Plan, Progress
from pytest_workflow_monitor.soak.verdict import Result, Verdict, judge
from pytest_workflow_monitor.soak.vitals import Vitals, connection_growth, memory_growth
from tests.schedule.timetable import NOON, noon

if TYPE_CHECKING:
    from collections.abc import Sequence


def vitals(memory_mb: float = 60, connections: int = 6) -> Vitals:
    """Make a measurement."""
    return Vitals(at=NOON, memory_mb=memory_mb, processes=0, connections=connections, load=0.5)


PLAN = Plan(seconds=3600, speed=60, checkpoint_seconds=10, concurrency=3)


def a_part(begins: float = 0, ends: float = 60, **changes: Any) -> Part:
    """Make a part that was played from one minute past noon to another."""
    return Part(
        began_at=noon(begins),
        ended_at=noon(ends),
        really_began_at=NOON,
        real_seconds=ends - begins,
        **changes,
    )


def ten_slots(*troubles: Trouble) -> Account:
    """Make the account of ten slots that ran."""
    return Account(expected=10, run=10, statuses={}, troubles=troubles)


def verdict(
    *troubles: Trouble,
    checkpoints: Sequence[Vitals] = (),
    parts: Sequence[Part] = (),
    account: Account | None = None,
) -> Verdict:
    """Judge a soak of ten slots."""
    progress = Progress(
        plan=PLAN,
        is_complete=True,
        parts=tuple(parts) or (a_part(),),
        vitals=tuple(checkpoints) or (vitals(),),
    )
    return judge(account or ten_slots(*troubles), [progress])


def trouble(kind: TroubleKind, *, by_speed: bool = False) -> Trouble:
    """Make a trouble."""
    return Trouble(kind=kind, workflow_id="order", slot_at=NOON, said="", by_speed=by_speed)


def test_a_soak_passes_when_nothing_was_wrong() -> None:
    """There is no reason then."""
    found = verdict()
    assert (found.result, found.reasons) == (Result.PASSED, ())


@pytest.mark.parametrize("kind", list(TroubleKind))
def test_any_trouble_fails_it(kind: TroubleKind) -> None:
    """With how many slots had it."""
    found = verdict(trouble(kind), trouble(kind))
    assert found.result is Result.FAILED
    assert found.reasons[0].startswith("2 slots ")


def test_what_the_speed_is_to_blame_for_fails_nothing() -> None:
    """It is named, and hides nothing else."""
    by_speed = trouble(TroubleKind.MISSED, by_speed=True)
    found = verdict(by_speed)
    assert found.result is Result.TOO_FAST
    assert found.reasons == (
        "1 slot did not run, because the machine could not keep up with the speed",
    )
    both = verdict(by_speed, trouble(TroubleKind.DUPLICATED))
    assert both.result is Result.FAILED
    assert len(both.reasons) == 2


def test_a_service_that_ended_fails_it() -> None:
    """And so does a time in which nothing was due."""
    died = a_part(problem="the service ended with exit code -9")
    assert verdict(parts=[died, a_part()]).result is Result.FAILED
    assert verdict(account=Account(statuses={})).result is Result.FAILED


def test_what_lies_between_two_parts_was_not_played() -> None:
    """Nor do slots count that were on their way when the first of them ended."""
    found = verdict(parts=[a_part(0, 20, cut_off=(("order", noon(20)),)), a_part(50, 90)])
    assert (found.played_seconds, found.real_seconds) == (3600, 60)
    assert (found.parts, found.cut_off) == (2, 1)
    assert (found.began_at, found.ended_at) == (noon(0), noon(90))


def test_stretches_are_judged_together() -> None:
    """All of their time was played, at once; any of them can grow, or not come to its end."""
    plan = replace(PLAN, stretches=2)
    first = Progress(plan=plan, is_complete=True, parts=(a_part(0, 30),), vitals=(vitals(),) * 40)
    second = replace(
        first,
        stretch=1,
        parts=(a_part(30, 50), a_part(55, 65)),
        vitals=tuple(vitals(60 + it) for it in range(40)),
    )
    found = judge(ten_slots(), [first, second])
    assert (found.result, found.reasons) == (Result.FAILED, ("the memory grew from 62 to 98 MB",))
    assert (found.stretches, found.parts, found.is_complete) == (2, 2, True)
    assert (found.played_seconds, found.real_seconds) == (3600, 30)
    assert (found.began_at, found.ended_at) == (noon(0), noon(65))
    assert len(found.checkpoints) == 80
    assert not judge(ten_slots(), [first, replace(second, is_complete=False)]).is_complete


def test_memory_that_grows_fails_it() -> None:
    """A tenth of the checkpoints at each end is compared, the very first left out."""
    steady = [vitals(20), *[vitals(60)] * 20, *[vitals(75)] * 5]
    assert not memory_growth(steady).has_grown
    growing = [vitals(60 + 2 * it) for it in range(40)]
    grown = memory_growth(growing)
    assert (grown.start, grown.end, grown.has_grown) == (64, 136, True)
    assert verdict(checkpoints=growing).reasons == ("the memory grew from 64 to 136 MB",)


def test_connections_that_grow_fail_it() -> None:
    """Some more or less are those of runs; few checkpoints tell nothing."""
    assert not connection_growth([vitals()] * 20 + [vitals(connections=10)] * 10).has_grown
    assert not connection_growth([vitals(), vitals(), vitals(connections=20)]).has_grown
    growing = [vitals(connections=6 + it) for it in range(20)]
    assert connection_growth(growing).has_grown
    assert verdict(checkpoints=growing).result is Result.FAILED
