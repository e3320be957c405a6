"""The schema's migrations: which are there, which are missing, forward and back.

The files in ``migrations/`` are the only source of the schema. yoyo-migrations runs them, on our
connection and under PostgreSQL's advisory lock: yoyo's own lock is a row, which a killed process
would leave behind for ever. A migration and the note that it ran are one transaction.
"""

from __future__ import annotations

import getpass
import logging
import socket
import uuid
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.rows import tuple_row

from pytest_workflow_monitor.errors import StoreSchemaError
from pytest_workflow_monitor.store import failures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.store.database import Database

FOLDER = Path(__file__).parent / "migrations"
TABLE = "_yoyo_migration"


@dataclass(frozen=True, kw_only=True)
class MigrationState:
    """One migration and when this database had it; None means not yet."""

    migration_id: str
    applied_at: datetime | None = None
    is_known: bool = True


def status(database: Database) -> tuple[MigrationState, ...]:
    """List every migration that the program or the database knows, in order."""
    applied = _applied(database)
    known = _known()
    return tuple(
        MigrationState(migration_id=name, applied_at=applied.get(name), is_known=name in known)
        for name in sorted({*applied, *known})
    )


def migrate(database: Database) -> tuple[str, ...]:
    """Bring the schema up to date, and return the migrations that were missing.

    Any number of processes may call this at once; one of them migrates and the others wait.

    Raises:
        StoreSchemaError: The schema is newer than this program.
    """
    if not _missing(database):
        return ()
    with lock(database):
        missing = _missing(database)  # another process may have been faster
        if missing:
            _ensure_schema(database)
            with _yoyo(database) as (backend, migrations):
                for migration in backend.to_apply(migrations):
                    with backend.transaction():
                        backend.apply_one(migration)
        return missing


def rollback(database: Database, steps: int = 1) -> tuple[str, ...]:
    """Undo the last migrations, with the data of their tables, and return them.

    Raises:
        StoreSchemaError: The schema is newer than this program.
    """
    with lock(database):
        _missing(database)
        applied = sorted(_applied(database), reverse=True)[:steps]
        with _yoyo(database) as (backend, migrations):
            for migration in backend.to_rollback(migrations):
                if migration.id in applied:
                    with backend.transaction():
                        backend.rollback_one(migration)
        return tuple(applied)


def _known() -> list[str]:
    """Return the ids of the program's migrations: the names of their files."""
    return sorted(
        path.stem for path in FOLDER.glob("*.sql") if not path.name.endswith(".rollback.sql")
    )


def _applied(database: Database) -> dict[str, datetime]:
    try:
        rows = database.fetch("applied_migrations")
    except StoreSchemaError:  # no such table yet
        return {}
    return {row["migration_id"]: row["applied_at"] for row in rows}


def _missing(database: Database) -> tuple[str, ...]:
    applied = _applied(database)
    known = _known()
    newer = sorted(set(applied) - set(known))
    if newer:
        raise StoreSchemaError(
            f"The tables in {database.location} belong to a newer version of "
            f"pytest-workflow-monitor (migration {newer[-1]}); upgrade this one."
        )
    return tuple(name for name in known if name not in applied)


def _ensure_schema(database: Database) -> None:
    """Create the schema unless it is there: a role may own it without being able to make one."""
    row = database.fetch_one("schema_exists")
    if not row or not row["found"]:
        database.run("create_schema")


@contextmanager
def lock(database: Database) -> Iterator[None]:
    """Let one process at a time change tables; a process that dies lets go of it."""
    database.run("lock_migrations")
    try:
        yield
    finally:
        if not database.connection.closed:
            database.run("unlock_migrations")


@contextmanager
def _yoyo(database: Database) -> Iterator[tuple[Any, Any]]:
    from yoyo import read_migrations
    from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
    from yoyo.connections import DatabaseURI

    class Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no types
        """yoyo on a connection that it does not own, without its lock."""

        def connect(self, _: object) -> object:
            return database.connection

        def cursor(self) -> object:
            return database.connection.cursor(row_factory=tuple_row)

        def copy(self) -> Any:
            return nullcontext(self)

        def lock(self, *_: object) -> Any:
            return nullcontext()

        def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, Any]:
            return {
                "id": str(uuid.uuid4()),
                "migration_id": migration and migration.id,
                "migration_hash": migration and migration.hash,
                "username": _user_name(),
                "hostname": socket.gethostname(),
                "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
                "operation": operation,
            }

    logging.getLogger("yoyo.migrations").setLevel(logging.ERROR)
    uri = DatabaseURI("postgresql", None, None, None, None, "", {})
    with failures.translated(database.location):
        backend = Backend(uri, TABLE)
        backend.ensure_internal_schema_updated()
        yield backend, read_migrations(str(FOLDER))


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return ""
