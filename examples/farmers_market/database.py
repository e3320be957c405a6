"""The shop's SQLite database: short transactions, each on a connection of its own."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
T = TypeVar("T")

HERE = Path(__file__).parent
BUSY_TIMEOUT_SECONDS = 10.0


class Database:
    """A database file. Units of work are functions whose first argument is a connection."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> None:
        """Create the tables that are missing; readers never wait for writers from then on."""
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript((HERE / "schema.sql").read_text(encoding="utf-8"))

    async def read(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function that only reads, in a thread, on one consistent snapshot."""
        return await run_in_threadpool(self._run, "BEGIN", _with(work, *args, **kwargs))

    async def write(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a function that writes, in a thread; all of it is kept, or nothing."""
        return await run_in_threadpool(self.write_now, _with(work, *args, **kwargs))

    def write_now(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do the same as `write` in the calling thread."""
        return self._run("BEGIN IMMEDIATE", work)

    def _run(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        with closing(self._connect()) as connection, _transaction(connection, begin):
            return work(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


def _with(
    work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
) -> Callable[[sqlite3.Connection], T]:
    return lambda connection: work(connection, *args, **kwargs)


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def statements(name: str) -> dict[str, str]:
    """Return the SQL statements of `store/queries/<name>.sql` by the names in its headings."""
    text = (HERE / "store" / "queries" / f"{name}.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- (\w+) --$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))
