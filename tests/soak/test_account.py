"""The account of a soak: every slot that was due, and who is to blame."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.model import Status, Trigger, Workflow
from pytest_workflow_monitor.soak.account import Account, Audit, TroubleKind, take_account
from pytest_workflow_monitor.soak.expectation import enabled, expect
from pytest_workflow_monitor.soak.progress import Part, expect_in
from pytest_workflow_monitor.store.schedules import ScheduledRun
from pytest_workflow_monitor.words.slots import Slot, SlotStatus
from tests.schedule.timetable import NOON, a_slot, noon

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ORDER = Workflow(
    workflow_id="order", name="Order", nodeid="t.py::t", file="t.py", cron="*/5 * * * *"
)
EXPECTED = expect([ORDER], NOON, noon(15))


def done(minutes: float, **changes: Any) -> Slot:
    """Make a slot that ran for ten seconds, in time."""
    at = noon(minutes)
    fields = {"started_at": at, "ended_at": at + timedelta(seconds=10)} | changes
    return a_slot(at, slot_id=int(minutes), status=SlotStatus.DONE, **fields)


def missed(minutes: float, *, found_after: float, **changes: Any) -> Slot:
    """Make a slot that was found too late, after so many seconds."""
    found_at = noon(minutes, found_after)
    fields = {"status": SlotStatus.MISSED, "claimed_at": found_at, "ended_at": found_at}
    return a_slot(noon(minutes), reason="found too late", **(fields | changes))


def run(slot_at: datetime, session_id: str = "", status: Status = Status.PASSED) -> ScheduledRun:
    """Make an execution of a slot."""
    return ScheduledRun(
        run_id=f"{slot_at}/{session_id}",
        workflow_id="order",
        session_id=session_id or f"{slot_at}",
        trigger=Trigger.SCHEDULE,
        status=status,
        started_at=slot_at,
        slot_at=slot_at,
    )


def account(
    slots: Sequence[Slot],
    runs: Sequence[ScheduledRun] | None = None,
    *,
    speed: float = 1,
    is_over: bool = True,
    until: datetime | None = None,
) -> Account:
    """Take account of a quarter of an hour; by default every slot that is done has run."""
    ran = [run(it.slot_at) for it in slots if it.status is SlotStatus.DONE]
    audit = Audit(
        EXPECTED,
        slots,
        ran if runs is None else runs,
        now=until or noon(15),
        speed=speed,
        is_over=is_over,
    )
    return take_account([audit])


def kinds(found: Account) -> list[tuple[TroubleKind, bool]]:
    """Return what was wrong, and whether the speed is to blame."""
    return [(it.kind, it.by_speed) for it in found.troubles]


def test_expected_are_the_slots_after_the_beginning_up_to_the_end() -> None:
    """Of workflows that run here by a schedule."""
    assert EXPECTED["order"].slots == (noon(5), noon(10), noon(15))
    assert EXPECTED["order"].grace_seconds == 150
    others = [
        Workflow(workflow_id="off", name="", nodeid="a", file="t.py", every_seconds=60),
        Workflow(workflow_id="none", name="", nodeid="b", file="t.py"),
    ]
    assert set(enabled([ORDER, *others], "local")) == {"order", "off"}


def test_all_is_well() -> None:
    """Every slot has one execution; failed ones are counted apart."""
    runs = [run(noon(5)), run(noon(10), status=Status.FAILED), run(noon(15))]
    found = account([done(5), done(10), done(15)], runs)
    assert (found.expected, found.run, found.failed, found.open) == (3, 3, 1, 0)
    assert (found.statuses, found.troubles) == ({"done": 3}, ())


def test_a_slot_of_which_nothing_is_recorded_is_found() -> None:
    """It is silent once all is over, or after a real minute; before, it may be on its way."""
    silent = [(TroubleKind.SILENT, False)]
    assert kinds(account([done(5), done(15)])) == silent
    found = account([done(5), done(10)], is_over=False)
    assert (found.open, found.troubles) == (1, ())
    assert kinds(account([done(5), done(15)], is_over=False)) == silent
    found = account([done(5), done(15)], is_over=False, speed=60)
    assert (found.open, found.troubles) == (1, ())


def test_a_run_without_an_execution_is_found() -> None:
    """That the scheduler says so is not enough."""
    found = account([done(5), done(10), done(15)], [run(noon(5)), run(noon(15))])
    assert [(it.kind, it.slot_at) for it in found.troubles] == [(TroubleKind.SILENT, noon(10))]


def test_a_slot_that_ran_twice_is_found() -> None:
    """Two sessions ended; one that died with its worker, and was repeated, does not count."""
    slots = [done(5), done(10), done(15)]
    runs = [run(it.slot_at) for it in slots]
    assert kinds(account(slots, [*runs, run(noon(10), "again")])) == [
        (TroubleKind.DUPLICATED, False)
    ]
    assert not account(slots, [*runs, run(noon(10), "dead", Status.INTERRUPTED)]).troubles


def test_a_slot_that_was_never_due_is_found() -> None:
    """Those before the beginning and after the end are nobody's concern."""
    slots = [done(it) for it in (0, 5, 10, 12, 15, 20)]
    found = account(slots)
    assert [(it.kind, it.slot_at) for it in found.troubles] == [(TroubleKind.UNEXPECTED, noon(12))]


@pytest.mark.parametrize(("speed", "by_speed"), [(1, False), (2, False), (60, True)])
def test_a_slot_that_was_found_too_late(speed: float, by_speed: bool) -> None:
    """With a grace of 150 s, 400 played ones are too many unless they were 7 real ones."""
    found = account([done(5), missed(10, found_after=400), done(15)], speed=speed)
    assert kinds(found) == [(TroubleKind.MISSED, by_speed)]
    assert found.troubles[0].said == "missed: found too late"


@pytest.mark.parametrize(("speed", "by_speed"), [(1, False), (60, True)])
def test_a_slot_that_the_run_before_left_no_room_for(speed: float, by_speed: bool) -> None:
    """A run of 9 minutes is too long for every five; one of 9 seconds is not."""
    first = done(5, ended_at=noon(14))
    second = a_slot(noon(10), status=SlotStatus.SKIPPED, reason="had not ended")
    assert kinds(account([first, second, done(15)], speed=speed)) == [
        (TroubleKind.MISSED, by_speed)
    ]


def test_a_run_before_the_first_slot_may_be_in_the_way() -> None:
    """It belongs to no slot that is expected, but explains why one was skipped."""
    first = a_slot(noon(5), status=SlotStatus.SKIPPED, reason="had not ended")
    found = account([done(0, ended_at=noon(6)), first, done(10), done(15)], speed=60)
    assert kinds(found) == [(TroubleKind.MISSED, True)]


@pytest.mark.parametrize(("speed", "by_speed"), [(1, False), (10, True)])
def test_a_run_that_began_later_than_its_grace(speed: float, by_speed: bool) -> None:
    """It ran, and it was late; how late is told in real time."""
    found = account([done(5), done(10, started_at=noon(14)), done(15)], speed=speed)
    assert (found.run, kinds(found)) == (3, [(TroubleKind.LATE, by_speed)])
    assert found.lateness_ms[2] == 240_000 / speed


def test_one_row_stands_for_slots_that_were_missed_together() -> None:
    """Each of them is missed, and none silent."""
    found = account([missed(5, found_after=700, covers=2), done(15)])
    assert [(it.kind, it.slot_at) for it in found.troubles] == [
        (TroubleKind.MISSED, noon(5)),
        (TroubleKind.MISSED, noon(10)),
    ]


def test_slots_to_come_are_not_due() -> None:
    """At a checkpoint only those up to now count."""
    found = account([done(5)], until=noon(7), is_over=False)
    assert (found.expected, found.run, found.open) == (1, 1, 0)


PARTS = (
    Part(
        began_at=NOON,
        ended_at=noon(12),
        really_began_at=NOON,
        cut_off=(("order", noon(10)),),
    ),
    Part(began_at=noon(33), ended_at=noon(45), really_began_at=noon(33)),
)


def test_what_a_soak_did_not_play_does_not_count() -> None:
    """Neither what lies between its parts, nor what was on its way when one ended."""
    found = Audit(
        expect_in([ORDER], PARTS),
        [
            done(5),
            missed(10, found_after=1500),
            missed(15, found_after=1100, covers=4),
            *map(done, (35, 40, 45)),
        ],
        [run(noon(it)) for it in (5, 35, 40, 45)],
        now=noon(46),
        speed=1,
        is_over=True,
    )
    assert (found.expected, len(found.lateness), found.troubles) == (4, 4, [])


def test_a_row_for_many_slots_reaches_into_what_is_played() -> None:
    """Of the slots that it stands for, those that were played were missed."""
    found = Audit(
        expect_in([ORDER], PARTS),
        [done(5), missed(15, found_after=1600, covers=5), done(40), done(45)],
        [run(noon(it)) for it in (5, 40, 45)],
        now=noon(46),
        speed=1,
        is_over=True,
    )
    assert [(it.kind, it.slot_at) for it in found.troubles] == [(TroubleKind.MISSED, noon(35))]


def test_what_is_on_its_way_is_named() -> None:
    """It is no fault of anybody when a soak is interrupted."""
    slots = [a_slot(noon(15)), done(5), done(10)]
    found = Audit(EXPECTED, slots, [run(noon(5))], now=noon(15), speed=1, is_over=False)
    assert found.on_their_way == [("order", noon(10)), ("order", noon(15))]


def test_accounts_of_several_stretches_are_summed_up() -> None:
    """What was wrong in any of them is told in the order in which it was due."""

    def audit(after: float, slots: Sequence[Slot]) -> Audit:
        runs = [run(it.slot_at, status=Status.FAILED) for it in slots]
        until = noon(after + 10)
        expected = expect([ORDER], noon(after), until)
        return Audit(expected, slots, runs, now=until, speed=1, is_over=True)

    late = done(25, started_at=noon(28))
    first, second = audit(0, [done(5)]), audit(20, [late, done(30)])
    found = take_account([second, first])
    assert (found.expected, found.run, found.failed) == (4, 3, 3)
    assert found.statuses == {"done": 3, "nothing": 1}
    assert list(found.lateness_ms) == [0, 0, 180_000]
    assert [(it.kind, it.slot_at) for it in found.troubles] == [
        (TroubleKind.SILENT, noon(10)),
        (TroubleKind.LATE, noon(25)),
    ]
