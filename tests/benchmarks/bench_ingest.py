"""Rows per second of ingest against a bare binary COPY of the same rows.

Run ``python -m tests.benchmarks.bench_ingest [--rounds N] [URL]``: on an embedded server with its
usual settings in a temporary folder, or in the database of a URL, whose tables it EMPTIES.

Ingest is all that the shipper does with a session's journal: read and decode the file, look up
what is there, derive executions from attempts, write, keep the running counters, commit. The rows
that it added are read back, and go the same way by nothing but COPY: into the same tables with
their keys, indexes and checks, in one transaction, a binary COPY for each table with the types
set, from rows that lie ready in memory. Both do so by turns, in front of equally full tables, and
a ratio is taken within a round.

The counters of known workflows are updated, which COPY cannot do: they do not count as rows, but
their time is ingest's.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from psycopg import sql

from pytest_workflow_monitor.journal import FILE
from pytest_workflow_monitor.model import (
    Attempt,
    SessionEnded,
    SessionStarted,
    Status,
    Step,
    Workflow,
)
from pytest_workflow_monitor.recording.identity import new_id
from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.shipping.shipment import Shipment
from pytest_workflow_monitor.store import Store, open_store
from pytest_workflow_monitor.support.wire import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

EXECUTIONS = 10_000
STEPS = 3
RECORDS = ("test_sessions", "workflow_executions", "workflow_attempts", "workflow_steps")
EVERYTHING = ("workflows", "workflow_versions", *RECORDS, "job_metrics")
PLAIN = "COPY, no keys or indexes"
INDEXED = "COPY, no foreign keys"
SAME = "COPY, our tables"
INGEST = "ingest"
REPLAY = "ingest of what is stored already"
START = datetime(2026, 1, 1, tzinfo=UTC)


class Journal:
    """A session on disk, of the same workflows as all others."""

    def __init__(self, folder: Path, number: int) -> None:
        self._session = SessionStarted(
            session_id=new_id(),
            project="bench",
            environment="local",
            started_at=START + timedelta(hours=number),
        )
        self._folder = folder / str(number)
        self._folder.mkdir()
        (self._folder / FILE).write_bytes(b"".join(line + b"\n" for line in self._lines()))

    def _lines(self) -> Iterator[bytes]:
        yield encode(self._session)
        for number in range(EXECUTIONS):
            yield encode(_attempt(self._session, number))
        ended_at = self._session.started_at + timedelta(minutes=1)
        yield encode(SessionEnded(ended_at=ended_at, exit_status=0))

    def ingest(self, store: Store) -> None:
        """Do what the shipper does."""
        Shipment(self._folder, self._session).drain(store)


def _attempt(session: SessionStarted, number: int) -> Attempt:
    name = f"test_number_{number}"
    return Attempt(
        run_id=new_id(),
        number=1,
        workflow=Workflow(
            workflow_id=f"tests-module-{name}",
            name=name,
            nodeid=f"tests/test_module.py::{name}",
            file="tests/test_module.py",
            line=number,
        ),
        status=Status.PASSED,
        started_at=session.started_at + timedelta(milliseconds=number),
        duration_ms=1.25,
        call_ms=1.0,
        steps=tuple(
            Step(index=index, name=f"Step {index}", started_ms=index, duration_ms=0.25)
            for index in range(STEPS)
        ),
    )


@dataclass(frozen=True)
class Table:
    """Rows of a table, ready for a binary COPY."""

    name: str
    columns: tuple[str, ...]
    types: tuple[int, ...]
    rows: list[tuple[object, ...]]

    def renamed(self, ids: defaultdict[object, str]) -> Table:
        """Return the same rows of other sessions and executions."""
        rows = [
            tuple(
                ids[value] if column in {"session_id", "run_id"} else value
                for column, value in zip(self.columns, row, strict=True)
            )
            for row in self.rows
        ]
        return Table(self.name, self.columns, self.types, rows)


def read(store: Store, names: Sequence[str]) -> list[Table]:
    """Read tables back."""
    return [_read(store, name) for name in names]


def renamed(tables: Sequence[Table]) -> list[Table]:
    """Return the same rows of another session."""
    ids: defaultdict[object, str] = defaultdict(new_id)
    return [table.renamed(ids) for table in tables]


def size(tables: Sequence[Table]) -> int:
    """Return how many rows these are."""
    return sum(len(table.rows) for table in tables)


def _read(store: Store, name: str) -> Table:
    source = sql.SQL("SELECT * FROM {}").format(sql.Identifier("workflow_monitor", name))
    cursor = store.connection.execute(source)
    columns = cursor.description or []
    return Table(
        name=name,
        columns=tuple(column.name for column in columns),
        types=tuple(column.type_code for column in columns),
        rows=[tuple(map(_plain, row.values())) for row in cursor],
    )


def _plain(value: object) -> object:
    if isinstance(value, dict | list):
        return msgspec.json.encode(value)
    return str(value) if isinstance(value, UUID) else value


def copy(store: Store, tables: Sequence[Table], schema: str = "workflow_monitor") -> None:
    """Copy rows in one transaction, and do nothing else."""
    with store.transaction(), store.connection.cursor() as cursor:
        for table in tables:
            into = sql.Identifier(schema, table.name)
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(into)
            with cursor.copy(statement) as writer:
                writer.set_types(table.types)
                for row in table.rows:
                    writer.write_row(row)


def create_bare(store: Store, like: str) -> None:
    """Create empty tables like ours in another schema."""
    run = store.connection.execute
    run("DROP SCHEMA IF EXISTS bare CASCADE")
    run("CREATE SCHEMA bare")
    for name in EVERYTHING:
        ours = sql.Identifier("workflow_monitor", name)
        bare = sql.Identifier("bare", name)
        run(sql.SQL("CREATE TABLE {} (LIKE {} {})").format(bare, ours, sql.SQL(like)))


def empty(store: Store) -> None:
    """Remove everything that ingest wrote."""
    store.connection.execute(
        "TRUNCATE workflow_monitor.test_sessions, workflow_monitor.workflows CASCADE"
    )


class Timings:
    """Seconds of every round, by what was done with so many rows."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)

    def measure(self, name: str, action: Callable[[], object]) -> None:
        """Do something for a round."""
        gc.collect()
        gc.freeze()  # no shipper has a benchmark's rows in its memory
        begun = time.perf_counter()
        action()
        self._seconds[name].append(time.perf_counter() - begun)

    def measure_copies(self, store: Store, tables: Sequence[Table]) -> None:
        """Copy rows into less demanding tables, which are new each time."""
        for name, like in ((PLAIN, "EXCLUDING ALL"), (INDEXED, "INCLUDING ALL")):
            create_bare(store, like)
            self.measure(name, partial(copy, store, tables, "bare"))
        store.connection.execute("DROP SCHEMA bare CASCADE")

    def report(self, title: str) -> None:
        """Print a table: medians of the rounds, and in brackets the lowest and the highest."""
        print(f"\n{title}, {self._rows:,} rows")
        print(f"{'':36} {'time':>8}   {'rows a second':26} {'× plain':18} × {SAME}")
        for name, seconds in self._seconds.items():
            rates = _spread([self._rows / it for it in seconds], ",.0f")
            line = f"  {name:34} {statistics.median(seconds):6.3f} s   {rates:26} "
            print(line + f"{self._ratios(PLAIN, name):18} {self._ratios(SAME, name)}")

    def _ratios(self, of: str, name: str) -> str:
        pairs = zip(self._seconds[of], self._seconds[name], strict=True)
        return _spread([whole / part for whole, part in pairs], ".2f")


def _spread(values: Sequence[float], form: str) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:{form}} ({low:{form}}–{high:{form}})"


def measure_new(store: Store, journals: Iterator[Journal], rounds: int) -> Timings:
    """Fill empty tables; leave the rows of one session."""
    empty(store)
    next(journals).ingest(store)
    tables = read(store, EVERYTHING)
    timings = Timings(size(tables))
    for _ in range(rounds):
        timings.measure_copies(store, tables)
        empty(store)
        timings.measure(SAME, partial(copy, store, tables))
        journal = next(journals)
        empty(store)
        timings.measure(INGEST, partial(journal.ingest, store))
    return timings


def measure_known(store: Store, journals: Iterator[Journal], rounds: int) -> Timings:
    """Add sessions of workflows that are there, with COPY and with ingest by turns."""
    tables = read(store, RECORDS)
    timings = Timings(size(tables))
    for number in range(rounds):
        timings.measure_copies(store, tables)
        journal = next(journals)
        turns = [
            (SAME, partial(copy, store, renamed(tables))),
            (INGEST, partial(journal.ingest, store)),
        ]
        for name, action in reversed(turns) if number % 2 else turns:
            timings.measure(name, action)
        timings.measure(REPLAY, partial(journal.ingest, store))
    return timings


def wait_for_stop(data: Path) -> None:
    """Wait for an embedded server that nobody uses any more to be gone from its folder."""
    while (data / "postmaster.pid").exists():
        time.sleep(0.05)


def main(store: Store, folder: Path, rounds: int) -> None:
    """Measure and print."""
    journals = (Journal(folder, number) for number in count())
    print(f"{rounds} rounds: median (lowest–highest)")
    measure_new(store, journals, rounds).report("Workflows new")
    measure_known(store, journals, rounds).report("Workflows known")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_ingest")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("url", nargs="?", default="", help="a database to use, and to empty")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary).chmod(0o755)
        root, sessions = Path(temporary, "bench"), Path(temporary, "sessions")
        root.mkdir()
        sessions.mkdir()
        chosen = Settings(root=root, sources={}, project="bench", database_url=options.url)
        with open_store(chosen) as opened:
            main(opened, sessions, options.rounds)
        if opened.server is not None:
            wait_for_stop(opened.server.data)
