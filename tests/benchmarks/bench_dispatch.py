"""What it costs to look at many schedules, and how quickly those that are due are dispatched.

Run it as ``python -m tests.benchmarks.bench_dispatch``; it uses an embedded server of its own.
There are 10,000 schedules. Printed are the milliseconds of a look at which nothing is due; the
seconds until 1,000 that are due at once are all queued, and until the first of them is; and the
milliseconds of bringing an unchanged catalogue up to date and of comparing it with what ran.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Overlap, Priority, Workflow
from pytest_workflow_monitor.schedule import checking
from pytest_workflow_monitor.schedule.catalogue import plan, scheduled
from pytest_workflow_monitor.schedule.dispatch import dispatch
from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.store import open_store, queue_schema
from pytest_workflow_monitor.store.schedules import NewSchedule

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store

SCHEDULES, DUE = 10_000, 1_000
LOOKS = 200
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
SCOPE = ("shop", "local")


def fill(store: Store) -> None:
    """Store the schedules: some every minute, the others once an hour."""
    store.set_schedules(
        [
            NewSchedule(
                project=SCOPE[0],
                workflow_id=f"check-{number:05}",
                environment=SCOPE[1],
                workflow_name=f"Check {number}",
                nodeid=f"tests/test_checks.py::test_{number}",
                priority=Priority.MEDIUM,
                cron_expression="* * * * *" if number < DUE else "0 * * * *",
                every_seconds=None,
                timezone="UTC",
                queue="default",
                overlap=Overlap.SKIP,
                grace_seconds=30.0 if number < DUE else 600.0,
                limit_seconds=1800.0,
                enabled=True,
                collected_at=START,
                next_run_at=START + timedelta(minutes=1 if number < DUE else 60),
            )
            for number in range(SCHEDULES)
        ]
    )
    store.connection.execute("ANALYZE")


def idle_look(store: Store, settings: Settings) -> float:
    """Return the milliseconds of a look at which nothing is due."""
    taken = []
    for _ in range(LOOKS):
        began = perf_counter()
        dispatch(store, settings, START)
        taken.append(perf_counter() - began)
    return median(taken) * 1000


def due_look(store: Store, settings: Settings, number: int) -> tuple[float, float]:
    """Return the seconds until the first and until the last of a minute's slots are queued."""
    first = 0.0
    began = perf_counter()

    def note(*_: object) -> None:
        nonlocal first
        first = first or perf_counter() - began

    defer = store.defer_jobs

    def deferring(jobs: object) -> tuple[int, ...]:
        done = defer(jobs)  # type: ignore[arg-type]
        note()
        return done

    store.defer_jobs = deferring  # type: ignore[method-assign]
    found = dispatch(store, settings, START + timedelta(minutes=number))
    store.defer_jobs = defer  # type: ignore[method-assign]
    assert len(found.queued) == DUE, len(found.queued)
    return first, perf_counter() - began


def catalogue(store: Store) -> float:
    """Return the milliseconds of finding that nothing has changed in the code."""
    workflows = [
        Workflow(
            workflow_id=f"check-{number:05}",
            name=f"Check {number}",
            nodeid=f"tests/test_checks.py::test_{number}",
            file="tests/test_checks.py",
            cron="* * * * *" if number < DUE else "0 * * * *",
        )
        for number in range(SCHEDULES)
    ]
    began = perf_counter()
    known = store.schedules(*SCOPE, with_removed=True)
    plan(known, scheduled(workflows, SCOPE[1]), (), SCOPE, START + timedelta(minutes=4))
    return (perf_counter() - began) * 1000


def check(store: Store, settings: Settings) -> float:
    """Return the milliseconds of comparing the latest slots with what ran."""
    began = perf_counter()
    checking.check(store, settings, START + timedelta(minutes=4))
    return (perf_counter() - began) * 1000


def main() -> None:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp(prefix="wm-bench-"))
    folder.chmod(0o755)
    settings = Settings(root=folder, sources={}, project=SCOPE[0])
    try:
        with open_store(settings) as store:
            queue_schema.prepare(store)
            fill(store)
            print(
                f"{SCHEDULES:,} schedules, nothing due: {idle_look(store, settings):.2f} ms a look"
            )
            for number in range(1, 4):
                first, last = due_look(store, settings, number)
                print(f"{DUE:,} due at once: first queued after {first:.2f} s, all {last:.2f} s")
                for slot in store.open_slots(*SCOPE):
                    store.replace_slots([slot.slot_id], at=START, reason="the next minute")
            print(f"catalogue of {SCHEDULES:,}, unchanged: {catalogue(store):.0f} ms")
            print(f"latest slots of {SCHEDULES:,} against runs: {check(store, settings):.0f} ms")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
