"""Fills a database with ten million executions, made by the server itself, as retention leaves it.

Five hundred workflows have run for four hundred days, ten in a session. Attempts are there for
all, steps, metrics and slots for the last ninety days, output for the last thirty. The sums are
made by the statements that make them always.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.store import summaries
from pytest_workflow_monitor.store.queries import _read

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store

PROJECT = "shop"
WORKFLOWS = 500
IN_A_SESSION = 10
DAYS = 400
DETAIL_DAYS = 90
LOG_DAYS = 30
SLOT_DAYS = 90

_SQL = _read(Path(__file__).parent)


def fill(store: Store, executions: int, *, now: datetime | None = None) -> None:
    """Fill an empty database; it says how far it is on standard error.

    What is there already, of an earlier try, is left: the next day is the first that is missing.
    """
    end = (now or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = end - timedelta(days=DAYS)
    run = _runner(store)
    run("SET session_replication_role = replica")  # nothing is checked row by row
    run("SET synchronous_commit = off")
    run("SET maintenance_work_mem = '512MB'")
    run("SET work_mem = '256MB'")
    if not _first(store, "SELECT count(*) FROM workflow_monitor.workflows"):
        run("big_workflows", workflows=WORKFLOWS, begin=begin)
        run("big_versions")
    last = _first(store, "SELECT max(started_at) FROM workflow_monitor.test_sessions")
    sessions = executions // DAYS // IN_A_SESSION
    started = perf_counter()
    for number in range(DAYS):
        day = begin + timedelta(days=number)
        if last is not None and day <= last:
            continue
        age = DAYS - number
        with store.transaction():
            run(
                "big_day",
                day=day,
                sessions=sessions,
                workflows=WORKFLOWS,
                with_logs=age <= LOG_DAYS,
            )
            if age <= DETAIL_DAYS:
                run("big_steps", day=day)
                run("big_metrics", day=day)
            _sum(store, day, with_details=age <= DETAIL_DAYS)
        if number % 20 == 0 or age == DETAIL_DAYS:
            print(f"day {number}: {perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
            run("ANALYZE")
    if not _first(store, "SELECT count(*) FROM workflow_monitor.job_metrics"):
        run("big_counters")
    is_new = not _first(store, "SELECT count(*) FROM workflow_monitor.prunings")
    if is_new:
        details, logs = (end - timedelta(days=it) for it in (DETAIL_DAYS, LOG_DAYS))
        run("big_prunings", executions=begin, details=details, logs=logs)
        run("big_schedules", end=end)
        run("big_slots", since=end - timedelta(days=SLOT_DAYS))
    run("SET session_replication_role = origin")
    if is_new:
        run("VACUUM ANALYZE")


def _sum(store: Store, day: datetime, *, with_details: bool) -> None:
    """Sum a day up by the statements of :mod:`~pytest_workflow_monitor.store.summaries`."""
    with store.connection.cursor() as cursor:
        hours = cursor.execute(_SQL["big_hours"], {"day": day}).fetchone()
    statements: tuple[str, ...] = summaries.OF_EXECUTIONS
    if with_details:
        statements += summaries.OF_DETAILS
    for statement in statements:
        if statement.startswith("sum_"):
            store.run(statement, project=PROJECT, **(hours or {}))


def _runner(store: Store) -> Any:
    def run(statement: str, **values: Any) -> None:
        text = _SQL.get(statement, statement.encode())
        store.connection.execute(text, values or None)

    return run


def _first(store: Store, question: str) -> Any:
    row = store.connection.execute(question.encode()).fetchone() or {}
    return next(iter(row.values()), None)
