"""The tables of the queue, Procrastinate's, in our schema: made once and kept up to date.

Procrastinate brings a file with its whole schema, and one for each change of it. A database gets
the whole where there is nothing, and later the changes that came since, each in one transaction
with the note that it was made. Its statements name no schema: they find ours by ``search_path``.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_workflow_monitor.store import failures, migrate

if TYPE_CHECKING:
    from pytest_workflow_monitor.store.database import Database


def prepare(database: Database) -> tuple[str, ...]:
    """Bring our schema and the queue's up to date, and return what was missing of the queue's.

    Any number of processes may call this at once; one of them does it and the others wait.
    """
    migrate.migrate(database)
    if not _missing(database):
        return ()
    with migrate.lock(database):
        missing = _missing(database)  # another process may have been faster
        for path in missing:
            with database.transaction():
                with failures.translated(database.location):
                    database.connection.execute(path.read_bytes())
                database.run("note_queue_migration", migration=_newest(path))
        return tuple(path.stem for path in missing)


@cache
def _folder() -> Path:
    """Find Procrastinate's files without importing it, which takes long."""
    spec = find_spec("procrastinate")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("procrastinate", name="procrastinate")
    return Path(spec.submodule_search_locations[0]) / "sql"


@cache
def _changes() -> tuple[Path, ...]:
    return tuple(sorted((_folder() / "migrations").glob("*.sql")))


def _newest(path: Path) -> str:
    """Name the change up to which a database is, once a file has been applied."""
    return (path if path in _changes() else _changes()[-1]).stem


def _missing(database: Database) -> tuple[Path, ...]:
    row = database.fetch_one("newest_queue_migration")
    newest = row["newest"] if row else None
    if newest is None:
        return (_folder() / "schema.sql",)
    return tuple(path for path in _changes() if path.stem > newest)
