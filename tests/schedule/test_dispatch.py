from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.model import Overlap, Priority
from pytest_workflow_monitor.schedule.dispatch import dispatch
from pytest_workflow_monitor.store import Store, queue_schema
from pytest_workflow_monitor.words.queues import TASK, job_queue
from pytest_workflow_monitor.words.slots import SlotStatus
from tests.schedule.timetable import ENVIRONMENT, NOON, PROJECT, a_schedule, keep, noon, recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings

QUEUED, MISSED, SKIPPED = SlotStatus.QUEUED, SlotStatus.MISSED, SlotStatus.SKIPPED


@pytest.fixture
def store(database_url: str) -> Any:
    with Store(database_url, project=PROJECT) as opened:
        queue_schema.prepare(opened)
        yield opened


@pytest.fixture
def settings(settings_for: Callable[..., Settings]) -> Settings:
    return settings_for()


def jobs(store: Store) -> list[dict[str, Any]]:
    """Return the jobs in the queue."""
    return store.connection.execute("SELECT * FROM procrastinate_jobs ORDER BY id").fetchall()


def fates(store: Store, *workflow_ids: str) -> list[tuple[datetime, SlotStatus]]:
    return [(it.slot_at, it.status) for it in recorded(store, *workflow_ids)]


def test_a_due_slot_becomes_a_job(store: Store, settings: Settings) -> None:
    """The slot is recorded with its job, in the queue of its environment, and the next is noted."""
    keep(store, [a_schedule()])
    done = dispatch(store, settings, noon(seconds=1), by="here")
    (slot,) = recorded(store)
    (job,) = jobs(store)
    assert (slot.status, slot.slot_at, slot.claimed_by) == (QUEUED, NOON, "here")
    assert slot.lateness_seconds == 1
    assert slot.job_id == job["id"]
    assert (job["task_name"], job["args"]) == (TASK, {"slot_ids": [slot.slot_id]})
    assert job["queue_name"] == job_queue(PROJECT, ENVIRONMENT, "default")
    assert (done.schedules, done.jobs, len(done.queued)) == (1, 1, 1)
    assert store.next_due_at(PROJECT, ENVIRONMENT) == noon(5)


def test_what_is_not_due_costs_one_question(store: Store, settings: Settings) -> None:
    """Nothing happens before the time, for removed schedules, or in other environments."""
    keep(
        store,
        [
            a_schedule("later", next_run_at=noon(1)),
            a_schedule("off", enabled=False, next_run_at=None),
            a_schedule("gone"),
            a_schedule("elsewhere", environment="production"),
            a_schedule("foreign", project="other"),
        ],
    )
    store.remove_schedules(PROJECT, ENVIRONMENT, ["gone"], NOON)
    assert dispatch(store, settings, NOON).schedules == 0
    assert recorded(store) == []


def test_slots_of_one_time_share_a_job(store: Store, settings: Settings) -> None:
    """So many as the setting says; critical ones, other queues and overlap rules stay apart."""
    keep(
        store,
        [
            *(a_schedule(f"plain-{number:02}") for number in range(12)),
            a_schedule("critical", priority=Priority.CRITICAL),
            a_schedule("queue", overlap=Overlap.QUEUE),
            a_schedule("eu", queue="eu"),
            a_schedule("hourly", cron_expression="0 * * * *"),
        ],
    )
    dispatch(store, settings, NOON)
    names = {it.slot_id: it.workflow_id for it in recorded(store)}
    found = [{names[it] for it in job["args"]["slot_ids"]} for job in jobs(store)]
    assert sorted(map(len, found)) == [1, 1, 1, 1, 2, 10]
    assert {"critical"} in found
    assert {"queue"} in found
    assert {"eu"} in found
    assert {"hourly"} in found
    locks = {job["lock"] for job in jobs(store)}
    assert len(locks) == 2
    assert None in locks
    assert max(jobs(store), key=lambda job: job["priority"])["args"]["slot_ids"] == [
        number for number, name in names.items() if name == "critical"
    ]


def test_what_has_to_begin_first_is_queued_first(store: Store, settings: Settings) -> None:
    """Else the short grace of a frequent workflow is over before the hourly ones have begun."""
    graces = {"hourly": 600.0, "often": 150.0, "quarterly": 450.0}
    critical = {"priority": Priority.CRITICAL}
    keep(store, [a_schedule(it, grace_seconds=grace, **critical) for it, grace in graces.items()])
    dispatch(store, settings, NOON)
    names = {it.slot_id: it.workflow_id for it in recorded(store)}
    found = [names[it] for job in jobs(store) for it in job["args"]["slot_ids"]]
    assert found == ["often", "quarterly", "hourly"]


def test_a_late_slot_runs_within_its_grace(store: Store, settings: Settings) -> None:
    """At the grace it still runs; beyond it, it is recorded as missed and counted."""
    keep(store, [a_schedule("in-time"), a_schedule("late", grace_seconds=149.0)])
    dispatch(store, settings, noon(seconds=150))
    assert fates(store, "in-time") == [(NOON, QUEUED)]
    assert fates(store, "late") == [(NOON, MISSED)]
    assert recorded(store, "late")[0].reason == "found too late: the grace is 2 min 29 s"
    assert [it.missed_count for it in store.schedules(PROJECT, ENVIRONMENT)] == [0, 1]


def test_many_missed_slots_become_one_run(store: Store, settings: Settings) -> None:
    """The latest runs for all; the others are recorded, many of them as one row."""
    keep(store, [a_schedule()])
    dispatch(store, settings, noon(60 * 5))
    *missed, last = recorded(store)
    assert (last.slot_at, last.status, last.covers) == (noon(300), QUEUED, 61)
    assert {it.status for it in missed} == {MISSED}
    assert len(missed) == 21
    assert sum(it.covers for it in missed) == 60
    assert (missed[0].slot_at, missed[0].covers) == (NOON, 40)
    assert missed[-1].reason == "made up for by the slot of 2026-03-02 17:00:00 UTC"
    assert store.schedules(PROJECT, ENVIRONMENT)[0].missed_count == 60


def test_a_slot_is_skipped_while_the_run_before_goes_on(store: Store, settings: Settings) -> None:
    """It is recorded with the reason; once the run has ended, slots run again."""
    keep(store, [a_schedule()])
    (slot,) = dispatch(store, settings, NOON).queued
    store.start_slots([slot.slot_id], at=NOON, by="worker")
    dispatch(store, settings, noon(5))
    store.end_slots([slot.slot_id], SlotStatus.DONE, at=noon(6), exit_code=0)
    dispatch(store, settings, noon(10))
    first, second, third = recorded(store)
    assert (first.status, second.status, third.status) == (SlotStatus.DONE, SKIPPED, QUEUED)
    assert second.reason == "the run of 2026-03-02 12:00:00 UTC had not ended"
    (schedule,) = store.schedules(PROJECT, ENVIRONMENT)
    assert (schedule.run_count, schedule.success_count, schedule.missed_count) == (1, 1, 0)
    assert (schedule.last_run_at, schedule.last_status) == (NOON, "passed")


def test_a_slot_replaces_one_that_no_worker_began(store: Store, settings: Settings) -> None:
    """While the workers are away, only the latest slot waits for them."""
    keep(store, [a_schedule()])
    for minutes in (0, 5, 10):
        dispatch(store, settings, noon(minutes))
    assert [it.status for it in recorded(store)] == [MISSED, MISSED, QUEUED]
    assert recorded(store)[-1].covers == 3
    assert "no worker began it" in recorded(store)[0].reason
    first = jobs(store)[0]["args"]["slot_ids"]
    assert store.start_slots(first, at=noon(11), by="worker") == ()


def test_overlaps_that_queue_wait_for_each_other(store: Store, settings: Settings) -> None:
    """Their jobs have one lock, so that the queue runs them one by one; not without end."""
    keep(store, [a_schedule(overlap=Overlap.QUEUE)])
    for number in range(12):
        dispatch(store, settings, noon(5 * number))
    assert [it.status for it in recorded(store)] == [QUEUED] * 10 + [SKIPPED] * 2
    assert recorded(store)[-1].reason == "10 slots wait already"
    assert len({job["lock"] for job in jobs(store)}) == 1


def test_a_newer_slot_stops_the_run_before(store: Store, settings: Settings) -> None:
    """The run's job is asked to stop, its slot says for what, and the new one waits for it."""
    keep(store, [a_schedule(overlap=Overlap.CANCEL_PREVIOUS)])
    (slot,) = dispatch(store, settings, NOON).queued
    store.start_slots([slot.slot_id], at=NOON, by="worker")
    store.connection.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    assert dispatch(store, settings, noon(5)).cancelled == 1
    first, second = recorded(store)
    assert (first.status, first.reason) == (
        SlotStatus.RUNNING,
        "stopped for the slot of 2026-03-02 12:05:00 UTC",
    )
    assert second.status is QUEUED
    before, after = jobs(store)
    assert before["abort_requested"]
    assert before["lock"] == after["lock"]


def test_an_override_takes_slots_away(store: Store, settings: Settings) -> None:
    """While it lasts nothing is recorded; at its end nothing is caught up with."""
    keep(store, [a_schedule()])
    store.disable_schedules(
        PROJECT, ENVIRONMENT, ["order"], until=noon(17), actor="kim", reason="move"
    )
    for minutes in (0, 5, 10, 15, 16):
        dispatch(store, settings, noon(minutes))
    assert recorded(store) == []
    dispatch(store, settings, noon(21))
    assert fates(store) == [(noon(20), QUEUED)]


def test_an_override_that_ended_unseen_is_obeyed(store: Store, settings: Settings) -> None:
    """Slots during it are not missed, those after it are, although nobody looked meanwhile."""
    keep(store, [a_schedule()])
    store.disable_schedules(
        PROJECT, ENVIRONMENT, ["order"], until=noon(15), actor="kim", reason="move"
    )
    dispatch(store, settings, noon(20))
    assert fates(store) == [(noon(15), MISSED), (noon(20), QUEUED)]


def test_an_override_can_end_early(store: Store, settings: Settings) -> None:
    """The next slot after that moment runs, none before it."""
    keep(store, [a_schedule()])
    store.disable_schedules(
        PROJECT, ENVIRONMENT, ["order"], until=noon(600), actor="kim", reason="move"
    )
    dispatch(store, settings, noon(1))
    assert store.enable_schedules(PROJECT, ENVIRONMENT, ["order"], noon(7)) == {"order"}
    dispatch(store, settings, noon(11))
    assert fates(store) == [(noon(10), QUEUED)]


def test_a_clock_that_jumps_runs_nothing_twice(store: Store, settings: Settings) -> None:
    """Forwards, slots become one run; back again, what is recorded stays recorded once."""
    keep(store, [a_schedule()])
    dispatch(store, settings, noon(60))
    before = recorded(store)
    keep(store, [a_schedule(next_run_at=noon(5))])  # as the catalogue notices that it went back
    for minutes in range(5, 61):
        dispatch(store, settings, noon(minutes))
    assert recorded(store) == before
    dispatch(store, settings, noon(65))
    assert fates(store)[-1] == (noon(65), QUEUED)


@pytest.mark.parametrize(
    ("night", "expected"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), ["01:00"]),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), ["00:30"]),
    ],
)
def test_a_fixed_time_runs_once_in_nights_when_clocks_change(
    store: Store, settings: Settings, night: datetime, expected: list[str]
) -> None:
    """In Berlin, 02:30 is skipped in March and comes twice in October: one run in both."""
    keep(
        store,
        [
            a_schedule(
                cron_expression="30 2 * * *",
                timezone="Europe/Berlin",
                next_run_at=night + timedelta(hours=2 if night.month == 3 else 2.5),
            )
        ],
    )
    for minutes in range(0, 6 * 60, 5):
        dispatch(store, settings, night + timedelta(minutes=minutes))
    assert [f"{it.slot_at:%H:%M}" for it in recorded(store)] == expected


DISPATCHER = """
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pytest_workflow_monitor.schedule.dispatch import dispatch
from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.store import Store

url, minutes = sys.argv[1], int(sys.argv[2])
settings = Settings(root=Path("."), sources={}, project="shop")
with Store(url, project="shop") as store:
    sys.stdin.readline()
    if len(sys.argv) > 3:
        left = int(sys.argv[3])

        def dying(run):
            def execute(*args, **kwargs):
                global left
                done = run(*args, **kwargs)
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
                return done

            return execute

        store.connection.execute = dying(store.connection.execute)
    for minute in range(0, minutes, 5):
        now = datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(minutes=minute)
        dispatch(store, settings, now)
"""


def a_dispatcher(url: str, *arguments: int) -> subprocess.Popen[bytes]:
    """Start a process that dispatches from noon on, and dies after so many statements if asked."""
    command = [sys.executable, "-c", DISPATCHER, url, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def test_three_dispatchers_queue_every_slot_once(store: Store) -> None:
    """300 schedules are due at once: every slot is in exactly one job."""
    keep(store, [a_schedule(f"order-{number:03}") for number in range(300)])
    processes = [a_dispatcher(store.url, 1) for _ in range(3)]
    for process in processes:
        process.communicate(b"\n", timeout=60)
    slots = recorded(store)
    assert len(slots) == len({it.workflow_id for it in slots}) == 300
    assert {it.status for it in slots} == {QUEUED}
    in_jobs = [slot_id for job in jobs(store) for slot_id in job["args"]["slot_ids"]]
    assert sorted(in_jobs) == sorted(it.slot_id for it in slots)


def test_a_dispatcher_can_be_killed_between_any_two_statements(
    store: Store, settings: Settings
) -> None:
    """Wherever it dies, all of its batch is there or nothing, and the next one does the rest."""
    died = 0
    for number in range(1, 50):
        name = f"order-{number}"
        keep(store, [a_schedule(name)])
        process = a_dispatcher(store.url, 1, number)
        process.communicate(b"\n", timeout=60)
        left = recorded(store, name)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        died += 1
        assert [it.job_id is not None for it in left] in ([], [True])
        dispatch(store, settings, NOON)
        (slot,) = recorded(store, name)
        assert slot.status is QUEUED
        assert [job["id"] for job in jobs(store) if slot.slot_id in job["args"]["slot_ids"]] == [
            slot.job_id
        ]
    assert died >= 8
