from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_workflow_monitor.model import Overlap, Priority, Workflow
from pytest_workflow_monitor.schedule.rules import (
    MOST_AT_ONCE,
    TOLD_APART,
    grace_of,
    groups,
    limit_of,
    look,
    next_slot,
    overlap,
    previous_slot,
)
from pytest_workflow_monitor.words.slots import Schedule, SlotStatus
from tests.schedule.timetable import NOON, a_schedule, a_slot, noon

SCHEDULES: list[dict[str, Any]] = [
    {"cron_expression": "*/5 * * * *"},
    {"cron_expression": "30 2 * * *", "timezone": "Europe/Berlin"},
    {"cron_expression": "*/30 * * * *", "timezone": "Australia/Lord_Howe"},
    {"cron_expression": "0 0 29 2 *"},
    {"cron_expression": "H H(1-5) * * mon-fri", "timezone": "America/New_York"},
    {"every_seconds": 7.0},
    {"every_seconds": 3600.0},
]
"""Wild and fixed times, zones whose clocks change, rare days, jitter, intervals."""

STARTS = [
    NOON,
    datetime.fromisoformat("2026-03-28T20:00Z"),
    datetime.fromisoformat("2026-10-24T20Z"),
]


def after(schedule: Schedule, slot_at: datetime, count: int) -> list[datetime]:
    """Return so many slots in a row."""
    found = [slot_at]
    while len(found) < count:
        following = next_slot(schedule, found[-1])
        assert following is not None
        found.append(following)
    return found


@given(
    timing=st.sampled_from(SCHEDULES),
    start=st.sampled_from(STARTS),
    grace=st.sampled_from([0.0, 2.0, 150.0, 600.0, 86400.0]),
    pauses=st.lists(st.integers(0, 20_000) | st.integers(0, 60), min_size=1, max_size=20),
)
@settings(max_examples=150)
def test_every_slot_runs_or_says_why_not(
    timing: dict[str, Any], start: datetime, grace: float, pauses: list[int]
) -> None:
    """However irregular the looks are: each slot exactly once, a run never later than its grace."""
    schedule = a_schedule(grace_seconds=grace, **timing)
    schedule = a_schedule(grace_seconds=grace, next_run_at=next_slot(schedule, start), **timing)
    now, seen = start, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        while True:
            found = look(schedule, now)
            for missed in found.missed:
                assert missed.reason
                seen += after(schedule, missed.slot_at, missed.covers)
            if found.run_at is not None:
                assert timedelta() <= now - found.run_at <= timedelta(seconds=grace)
                assert found.covers == 1 + sum(it.covers for it in found.missed)
                seen.append(found.run_at)
            assert found.next_run_at is not None
            schedule = a_schedule(grace_seconds=grace, next_run_at=found.next_run_at, **timing)
            if found.next_run_at > now:
                break
    expected, slot_at = [], next_slot(schedule, start)
    while slot_at is not None and slot_at <= now:
        expected.append(slot_at)
        slot_at = next_slot(schedule, slot_at)
    assert seen == expected


@given(timing=st.sampled_from(SCHEDULES), seconds=st.integers(0, 10**8))
def test_backwards_is_the_same_way(timing: dict[str, Any], seconds: int) -> None:
    """The slot before the next one is the last one up to now."""
    schedule = a_schedule(**timing)
    now = NOON + timedelta(seconds=seconds)
    following = next_slot(schedule, now)
    assert following is not None
    before = previous_slot(schedule, following)
    assert before is not None
    assert before <= now < following


def test_a_slot_at_the_end_of_its_grace_runs() -> None:
    """A moment later it is missed."""
    schedule = a_schedule()
    assert look(schedule, noon(seconds=150)).run_at == NOON
    late = look(schedule, noon(seconds=150.001))
    assert late.run_at is None
    assert [it.slot_at for it in late.missed] == [NOON]


def test_a_long_absence_is_dealt_with_in_parts() -> None:
    """A month of missed minutes takes many looks, each of which goes on where the last ended."""
    schedule = a_schedule(every_seconds=60.0)
    found = look(schedule, NOON + timedelta(days=30))
    assert found.run_at is None
    assert found.next_run_at is not None
    assert found.next_run_at < NOON + timedelta(days=1)
    assert len(found.missed) == TOLD_APART + 1
    assert sum(it.covers for it in found.missed) == MOST_AT_ONCE


def test_an_override_is_no_reason_to_catch_up() -> None:
    """During it nothing is due; after it, only what came after it."""
    resting = a_schedule(disabled_until=noon(12))
    assert look(resting, noon(11)).next_run_at == noon(15)
    assert look(resting, noon(11)).missed == ()
    ended = look(resting, noon(16))
    assert (ended.run_at, ended.covers, ended.missed) == (noon(15), 1, ())
    at_the_end = look(a_schedule(disabled_until=noon(10)), noon(10))
    assert at_the_end.run_at == noon(10)


def test_a_schedule_can_come_to_its_end() -> None:
    """A last slot is followed by nothing."""
    schedule = a_schedule(
        cron_expression="0 0 31 12 *", next_run_at=datetime.fromisoformat("9999-12-31T00:00Z")
    )
    found = look(schedule, datetime.fromisoformat("9999-12-31T00:00:05Z"))
    assert found.run_at == schedule.next_run_at
    assert found.next_run_at is None


@pytest.mark.parametrize(
    ("rule", "status", "skipped", "replaced", "cancelled"),
    [
        (Overlap.SKIP, SlotStatus.RUNNING, True, 0, 0),
        (Overlap.SKIP, SlotStatus.QUEUED, False, 1, 0),
        (Overlap.QUEUE, SlotStatus.RUNNING, False, 0, 0),
        (Overlap.QUEUE, SlotStatus.QUEUED, False, 0, 0),
        (Overlap.CANCEL_PREVIOUS, SlotStatus.RUNNING, False, 0, 1),
        (Overlap.CANCEL_PREVIOUS, SlotStatus.QUEUED, False, 1, 0),
    ],
)
def test_overlaps(
    rule: Overlap, status: SlotStatus, skipped: bool, replaced: int, cancelled: int
) -> None:
    """The table of the documentation."""
    found = overlap(a_schedule(overlap=rule), [a_slot(status=status)])
    assert (bool(found.skipped), len(found.replaced), len(found.cancelled)) == (
        skipped,
        replaced,
        cancelled,
    )


def test_without_an_overlap_there_is_nothing_to_decide() -> None:
    """Whatever the rule says."""
    for rule in Overlap:
        found = overlap(a_schedule(overlap=rule), [])
        assert (found.skipped, found.replaced, found.cancelled) == ("", (), ())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Priority)),
            st.sampled_from(list(Overlap)),
            st.sampled_from(["default", "eu"]),
            st.sampled_from(["*/5 * * * *", "0 * * * *"]),
        ),
        max_size=40,
    ),
    st.integers(1, 5),
)
def test_groups_lose_nobody(found: list[tuple[Priority, Overlap, str, str]], most: int) -> None:
    """Every slot is in one group, none too large, and only equals share one."""
    runs = [
        (
            a_schedule(
                f"w{number}", priority=priority, overlap=rule, queue=queue, cron_expression=cron
            ),
            a_slot(slot_id=number),
        )
        for number, (priority, rule, queue, cron) in enumerate(found)
    ]
    made = groups(runs, most)
    assert sorted(slot.slot_id for group in made for _, slot in group) == list(range(len(runs)))
    for group in made:
        assert 1 <= len(group) <= most
        schedules = [schedule for schedule, _ in group]
        assert len({(it.queue, it.cron_expression) for it in schedules}) == 1
        if len(group) > 1:
            assert {it.overlap for it in schedules} == {Overlap.SKIP}
            assert Priority.CRITICAL not in {it.priority for it in schedules}


def a_workflow(**changes: Any) -> Workflow:
    fields: dict[str, Any] = {"workflow_id": "w", "name": "W", "nodeid": "t.py::t", "file": "t.py"}
    return Workflow(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({"cron": "*/15 * * * *"}, 450),
        ({"cron": "*/15 8-18 * * mon-fri"}, 450),
        ({"cron": "30 2 * * *"}, 600),
        ({"cron": "0 0 29 2 *"}, 600),
        ({"every_seconds": 60}, 30),
        ({"every_seconds": 86400}, 600),
        ({"cron": "*/15 * * * *", "grace_seconds": 5.0}, 5),
        ({"every_seconds": 60, "grace_seconds": 0.0}, 0),
    ],
)
def test_the_grace(changes: dict[str, Any], seconds: float) -> None:
    """Half the interval, at most ten minutes, unless the marker says."""
    assert grace_of(a_workflow(**changes)) == seconds


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, 1800),
        ({"retries": 5}, 1800),
        ({"timeout_seconds": 30.0}, 90),
        ({"timeout_seconds": 30.0, "retries": 2}, 150),
        (
            {
                "timeout_seconds": 30.0,
                "retries": 2,
                "retry_delay_seconds": 10.0,
                "retry_backoff": 3.0,
            },
            190,
        ),
        ({"timeout_seconds": 30.0, "limit_seconds": 20.0}, 20),
    ],
)
def test_the_limit(changes: dict[str, Any], seconds: float) -> None:
    """All attempts with their pauses and a minute, unless the marker says; else half an hour."""
    assert limit_of(a_workflow(**changes)) == seconds
