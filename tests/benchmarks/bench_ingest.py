"""Rows per second of ingest against a bare binary COPY of the same rows.

Run ``python tests/benchmarks/bench_ingest.py [URL of a database to create schemas in]``; without a
URL, on an embedded server in a temporary folder. Prints medians of alternating rounds.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import msgspec
from psycopg import sql

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import (
    Attempt,
    SessionEnded,
    SessionStarted,
    Status,
    Step,
    Workflow,
)
from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.store import Store, open_store
from pytest_workflow_monitor.wire import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

EXECUTIONS = 10_000
STEPS = 3
ROUNDS = 5
TABLES = (
    "test_sessions",
    "workflows",
    "workflow_versions",
    "workflow_executions",
    "workflow_attempts",
    "workflow_steps",
    "job_metrics",
)
START = datetime(2026, 1, 1, tzinfo=UTC)


def session(number: int) -> SessionStarted:
    """Return a session that starts ``number`` hours after the first."""
    return SessionStarted(
        session_id=str(uuid4()),
        project="bench",
        environment="local",
        started_at=START + timedelta(hours=number),
    )


def lines(started: SessionStarted) -> Iterator[bytes]:
    """Return a journal's attempts."""
    for number in range(EXECUTIONS):
        name = f"test_number_{number}"
        yield encode(
            Attempt(
                run_id=str(uuid4()),
                number=1,
                workflow=Workflow(
                    workflow_id=f"tests-module-{name}",
                    name=name,
                    nodeid=f"tests/test_module.py::{name}",
                    file="tests/test_module.py",
                    line=number,
                ),
                status=Status.PASSED,
                started_at=started.started_at + timedelta(milliseconds=number),
                duration_ms=1.25,
                call_ms=1.0,
                steps=tuple(
                    Step(index=index, name=f"Step {index}", started_ms=index, duration_ms=0.25)
                    for index in range(STEPS)
                ),
            )
        )


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds an action takes."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def ingest_all(store: Store, started: SessionStarted, journal: Sequence[bytes]) -> None:
    """Do what the shipper does with a whole journal: decode it and store it."""
    attempts = [msgspec.json.decode(line, type=Attempt) for line in journal]
    ended = SessionEnded(ended_at=started.started_at + timedelta(minutes=1), exit_status=0)
    ingest(store, started, Batch(attempts=attempts, raw=journal, ended=ended))


class Bare:
    """The rows that ingest made, to be copied again by nothing but COPY."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tables = [self._table(name) for name in TABLES]
        self.count = sum(len(rows) for _, _, rows in self._tables)

    def _table(self, name: str) -> tuple[str, list[int], list[tuple[object, ...]]]:
        source = sql.SQL("SELECT * FROM {}").format(sql.Identifier("workflow_monitor", name))
        cursor = self._store.connection.execute(source)
        types = [column.type_code for column in cursor.description or ()]
        return name, types, [tuple(map(self._plain, row.values())) for row in cursor]

    @staticmethod
    def _plain(value: object) -> object:
        if isinstance(value, dict | list):
            return msgspec.json.encode(value)
        return value.hex if isinstance(value, UUID) else value

    def create(self, like: str) -> None:
        """Create empty tables like ours in another schema."""
        run = self._store.connection.execute
        run("DROP SCHEMA IF EXISTS bare CASCADE")
        run("CREATE SCHEMA bare")
        for name in TABLES:
            ours = sql.Identifier("workflow_monitor", name)
            table = sql.Identifier("bare", name)
            run(sql.SQL("CREATE TABLE {} (LIKE {} {})").format(table, ours, sql.SQL(like)))

    def copy(self, schema: str) -> None:
        """Copy all rows in one transaction."""
        with self._store.transaction(), self._store.connection.cursor() as cursor:
            for name, types, rows in self._tables:
                table = sql.Identifier(schema, name)
                statement = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(table)
                with cursor.copy(statement) as copy:
                    copy.set_types(types)
                    for row in rows:
                        copy.write_row(row)


def empty(store: Store) -> None:
    """Remove everything that ingest wrote."""
    store.connection.execute(
        "TRUNCATE workflow_monitor.test_sessions, workflow_monitor.workflows CASCADE"
    )


def report(name: str, rows: int, seconds: Sequence[float], *bare: float) -> None:
    """Print a line of the result, with the ratios to bare rates."""
    median = statistics.median(seconds)
    ratios = "".join(f"  {rows / median / rate:.2f}" for rate in bare)
    print(f"{name:44} {rows:7,} rows {median:6.3f} s {rows / median:9,.0f} rows/s{ratios}")


def main(store: Store) -> None:
    """Measure and print."""
    first = session(0)
    journal = list(lines(first))
    empty(store)
    ingest_all(store, first, journal)
    bare = Bare(store)
    gc.freeze()  # no shipper has a benchmark's rows in its memory
    plain, indexed, same, new = [], [], [], []
    for _ in range(ROUNDS):
        bare.create("EXCLUDING ALL")
        plain.append(timed(partial(bare.copy, "bare")))
        bare.create("INCLUDING ALL")
        indexed.append(timed(partial(bare.copy, "bare")))
        empty(store)
        same.append(timed(partial(bare.copy, "workflow_monitor")))
        empty(store)
        new.append(timed(partial(ingest_all, store, first, journal)))
    known = []
    for number in range(ROUNDS):
        later = session(number + 1)
        again = list(lines(later))
        gc.freeze()
        known.append(timed(partial(ingest_all, store, later, again)))
    replayed = [timed(partial(ingest_all, store, later, again)) for _ in range(ROUNDS)]
    rates = [bare.count / statistics.median(seconds) for seconds in (same, plain)]
    report("COPY into tables without indexes", bare.count, plain)
    report("COPY into tables with indexes and checks", bare.count, indexed)
    report("COPY into the same tables (foreign keys)", bare.count, same)
    print("ingest: ratios to COPY into the same tables, and without indexes")
    report("ingest, all workflows new", bare.count, new, *rates)
    report("ingest, workflows known", EXECUTIONS * (STEPS + 3), known, *rates)
    report("replay of what is stored", EXECUTIONS * (STEPS + 2), replayed)
    for length in (0, 20):
        reading = timed(partial(store.session_document, "last", history_length=length))
        print(f"session_document, history_length={length}: {reading:.3f} s")


if __name__ == "__main__":
    url = sys.argv[1] if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = Path(folder, "bench")
        root.mkdir()
        chosen = Settings(root=root, sources={}, project="bench", database_url=url)
        with open_store(chosen) as opened:
            main(opened)
