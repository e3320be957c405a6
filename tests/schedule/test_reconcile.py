from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from pytest_workflow_monitor.model import Status, Trigger
from pytest_workflow_monitor.schedule.reconcile import (
    Reconciled,
    expected_slots,
    reconcile,
)
from pytest_workflow_monitor.store.schedules import ScheduledRun
from pytest_workflow_monitor.words.slots import Schedule, SlotStatus
from tests.schedule.timetable import a_schedule, a_slot, noon

_numbers = count()


def a_run(started_at: datetime, *, seconds: float = 10, **changes: Any) -> ScheduledRun:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "run_id": f"run-{number}",
        "workflow_id": "order",
        "session_id": f"session-{number}",
        "trigger": Trigger.CI,
        "status": Status.PASSED,
        "started_at": started_at,
        "completed_at": started_at + timedelta(seconds=seconds),
        "duration_ms": seconds * 1000,
    }
    return ScheduledRun(**(fields | changes))


def found(
    *runs: ScheduledRun,
    now: datetime | None = None,
    schedule: Schedule | None = None,
    slots: Any = (),
) -> Reconciled:
    """Reconcile the slots of 12:00, 12:05, … up to now."""
    asked, at = schedule or a_schedule(), now or noon(20)
    expected = expected_slots(asked, noon(), at, 1000)
    return reconcile(asked, expected, runs, {it.slot_at: it for it in slots}, at)


def said(result: Reconciled) -> list[tuple[str, datetime]]:
    return [(it.kind.value, it.slot_at) for it in result.findings]


def test_what_ran_in_time_is_not_mentioned() -> None:
    """By crontab, CI or a scheduler; the slot that may still begin in time is left out."""
    triggers = [Trigger.CRON, Trigger.CI, Trigger.SCHEDULE, Trigger.CI]
    result = found(
        *(a_run(noon(5 * number, 20), trigger=it) for number, it in enumerate(triggers)),
        now=noon(20, 30),
    )
    assert (result.expected, result.findings, result.trouble) == (5, (), None)
    assert result.latest_at == noon(15)


def test_what_did_not_run_was_missed() -> None:
    """Once its grace is over, and half a minute to start."""
    assert said(found(a_run(noon()), now=noon(5, 180))) == []
    result = found(a_run(noon()), now=noon(5, 181))
    assert said(result) == [("missed", noon(5))]
    assert result.trouble is not None
    assert result.trouble.said == "nothing ran"


def test_runs_by_hand_do_not_count() -> None:
    """A person who tries something neither fulfils a slot nor doubles it."""
    by_hand = a_run(noon(0, 5), trigger=Trigger.MANUAL)
    assert said(found(by_hand, now=noon(4))) == [("missed", noon())]
    assert said(found(by_hand, a_run(noon(0, 1)), now=noon(4))) == []


def test_a_job_that_was_started_six_hours_late_is_seen() -> None:
    """As hosted schedules do: first nothing ran, then it ran late, and then in time again."""
    daily = a_schedule(cron_expression="0 12 * * *", grace_seconds=600.0)
    waiting = found(schedule=daily, now=noon(60))
    assert said(waiting) == [("missed", noon())]
    late = found(a_run(noon(360)), schedule=daily, now=noon(365))
    assert said(late) == [("late", noon())]
    assert late.trouble is not None
    assert late.trouble.said == "began 6 h late by ci"
    in_time = found(a_run(noon(360)), a_run(noon(1441)), schedule=daily, now=noon(1445))
    assert (said(in_time), in_time.trouble) == ([("late", noon())], None)


def test_a_run_ahead_of_its_slot_is_early() -> None:
    """When the slot before it has a run of its own."""
    result = found(a_run(noon()), a_run(noon(4)), a_run(noon(10)), now=noon(11))
    assert said(result) == [("early", noon(5))]


def test_a_slot_that_ran_twice() -> None:
    """As when a crontab line was left behind; two browsers of one session are one run."""
    result = found(a_run(noon(0, 1)), a_run(noon(0, 40), trigger=Trigger.CRON), now=noon(2))
    assert said(result) == [("duplicate", noon())]
    assert result.findings[0].said == "ran again by cron 39.0 s later"
    two_browsers = [a_run(noon(0, it), session_id="one") for it in (1, 2)]
    assert said(found(*two_browsers, now=noon(2))) == []


def test_runs_that_overlap() -> None:
    """One that began before the last had ended, or that is still running."""
    long = a_run(noon(), seconds=400)
    assert said(found(long, a_run(noon(5)), now=noon(6))) == [("overlapping", noon(5))]
    still = a_run(noon(), status=Status.RUNNING, completed_at=None, duration_ms=None)
    assert said(found(still, a_run(noon(5)), now=noon(6))) == [("overlapping", noon(5))]


def test_a_run_that_was_far_too_short() -> None:
    """A pass in less than a third of the usual time, once there are enough to know."""
    runs = [a_run(noon(5 * it), seconds=30) for it in range(12)]
    quick = a_run(noon(60), seconds=9)
    assert said(found(*runs, quick, now=noon(61))) == [("too_short", noon(60))]
    assert said(found(*runs[:3], a_run(noon(15), seconds=1), now=noon(16))) == []


def test_the_scheduler_knows_which_slot_a_run_was_for() -> None:
    """A run that waited for a worker belongs to its own slot, not to the one that came since."""
    late = a_run(noon(6), trigger=Trigger.SCHEDULE, slot_at=noon())
    assert said(found(late, a_run(noon(5)), now=noon(7))) == [("late", noon())]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": SlotStatus.SKIPPED, "reason": "it was busy"}, None),
        ({"status": SlotStatus.CANCELLED}, None),
        ({"status": SlotStatus.RUNNING}, None),
        ({"status": SlotStatus.MISSED, "reason": "found too late"}, "found too late"),
        ({"status": SlotStatus.LOST, "reason": "its worker died"}, "its worker died"),
        ({"status": SlotStatus.NOT_RUN, "reason": "no network"}, "no network"),
        ({"status": SlotStatus.QUEUED}, "waits for a worker for 20 min"),
        (
            {"status": SlotStatus.DONE, "exit_code": 2},
            "ran, but recorded nothing (exit code 2)",
        ),
    ],
)
def test_what_the_scheduler_noted_is_the_reason(
    changes: dict[str, Any], expected: str | None
) -> None:
    """Skipped and cancelled on purpose is no finding; the others say why nothing ran."""
    hourly = a_schedule(cron_expression="0 * * * *")
    result = found(schedule=hourly, slots=[a_slot(noon(), **changes)])
    assert [it.said for it in result.findings] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 5),
        ({"collected_at": noon(8)}, 3),
        ({"disabled_until": noon(15)}, 2),
        ({"enabled": False}, 0),
        ({"removed_at": noon()}, 0),
    ],
)
def test_what_is_expected(changes: dict[str, Any], expected: int) -> None:
    """Nothing from before the code said so, and nothing while it rested or was disabled."""
    schedule = a_schedule(**changes)
    assert len(expected_slots(schedule, noon(), noon(20), 1000)) == expected


def test_only_the_latest_slots_are_looked_at() -> None:
    """As many as asked for."""
    assert expected_slots(a_schedule(), noon(), noon(60), 2) == (noon(55), noon(60))
