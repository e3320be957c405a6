"""What went wrong with the database, as one sentence that says where and what to do."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors

from pytest_workflow_monitor.errors import (
    RecordRefusedError,
    StoreError,
    StoreRefusedError,
    StoreSchemaError,
    StoreUnreachableError,
)
from pytest_workflow_monitor.settings import without_password

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD_FAILURES = (
    psycopg.DataError,
    psycopg.IntegrityError,
    errors.ProgramLimitExceeded,
    errors.StatementTooComplex,
    ValueError,
    OverflowError,
)
"""What a single record can cause by what is in it, in PostgreSQL or on the way there."""

_CONNECT_FAILURES: tuple[tuple[str, type[StoreError], str], ...] = (
    (
        r"password authentication failed|no password supplied",
        StoreRefusedError,
        "refuses the password; check the user and password in DATABASE_URL",
    ),
    (
        r"(authentication failed|pg_hba\.conf)",
        StoreRefusedError,
        "does not let this user in from here; check DATABASE_URL and the server's pg_hba.conf",
    ),
    (
        r'database ".*" does not exist',
        StoreRefusedError,
        "has no such database; create it or correct DATABASE_URL",
    ),
    (
        r'role ".*" does not exist',
        StoreRefusedError,
        "has no such user; create it or correct DATABASE_URL",
    ),
    (
        r"permission denied for database",
        StoreRefusedError,
        "does not let this user connect; grant CONNECT on the database",
    ),
    (
        r"too many (clients|connections)|remaining connection slots",
        StoreRefusedError,
        "has no free connection; raise max_connections or close others",
    ),
    (
        r"starting up|shutting down|recovery mode",
        StoreUnreachableError,
        "is starting or stopping; try again in a moment",
    ),
    (
        r"connection refused|no such file or directory",
        StoreUnreachableError,
        "is not running there; start it or correct DATABASE_URL",
    ),
    (
        (
            r"translate host name|name or service not known|failed to resolve|nodename nor servname"
            r"|name resolution"
        ),
        StoreUnreachableError,
        "cannot be found by that host name; correct DATABASE_URL or the network's DNS",
    ),
    (
        r"timeout|timed out",
        StoreUnreachableError,
        "does not answer in time; check the address, the network and firewalls",
    ),
    (r"SSL|certificate", StoreRefusedError, "does not agree on encryption; check sslmode"),
)


@contextmanager
def translated(location: str) -> Iterator[None]:
    """Turn every failure of the driver into one of ours; ``location`` is shown."""
    try:
        yield
    except (psycopg.Error, OSError) as error:
        raise translate(error, location) from error


@contextmanager
def translated_record(location: str) -> Iterator[None]:
    """Do as :func:`translated`, where what is written can itself be at fault."""
    try:
        yield
    except RECORD_FAILURES as error:
        raise RecordRefusedError(f"PostgreSQL refuses a record: {first_line(error)}.") from error
    except (psycopg.Error, OSError) as error:
        raise translate(error, location) from error


def translate(error: Exception, location: str) -> StoreError:
    """Return our error for a failure of a statement or of the connection in use."""
    said = first_line(error)
    for kinds, ours, what in _STATEMENT_FAILURES:
        if isinstance(error, kinds):
            return ours(f"The database {location} {what} ({said}).")
    return StoreError(f"The database {location} failed: {said}.")


def translate_connect(error: Exception, location: str) -> StoreError:
    """Return our error for a connection that could not be made."""
    text = str(error)
    if isinstance(error, psycopg.ProgrammingError):  # what it says may hold the password
        return StoreRefusedError(
            f"DATABASE_URL ({location}) is not a PostgreSQL URL; one looks like this: "
            "postgresql://user:password@host:5432/database."
        )
    for pattern, ours, what in _CONNECT_FAILURES:
        if re.search(pattern, text, re.IGNORECASE):
            return ours(f"The database {location} {what}.")
    return StoreUnreachableError(f"The database {location} cannot be reached: {first_line(error)}.")


def shown(url: str) -> str:
    """Return a database URL or connection string as messages may show it."""
    return without_password(url)


def first_line(error: Exception) -> str:
    """Return what an error says, shortened to its first line."""
    lines = str(error).strip().splitlines()
    return lines[0].removesuffix(".") if lines else type(error).__name__


_STATEMENT_FAILURES: tuple[tuple[tuple[type[Exception], ...], type[StoreError], str], ...] = (
    (
        (errors.ReadOnlySqlTransaction,),
        StoreRefusedError,
        "is read-only, such as a standby; point DATABASE_URL to the primary server",
    ),
    (
        (errors.DiskFull,),
        StoreRefusedError,
        "has no space left on its disk; free some, and what is missing is sent again later",
    ),
    (
        (errors.InsufficientPrivilege,),
        StoreRefusedError,
        (
            "does not let this user do that; make it the owner of a schema workflow_monitor, "
            "or let it create one with GRANT CREATE ON DATABASE"
        ),
    ),
    (
        (errors.LockNotAvailable, errors.DeadlockDetected, errors.QueryCanceled),
        StoreUnreachableError,
        "is busy with another process that writes; try again",
    ),
    (
        (errors.TooManyConnections, errors.OutOfMemory, errors.ConfigurationLimitExceeded),
        StoreRefusedError,
        "has reached a limit of its server",
    ),
    (
        (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName),
        StoreSchemaError,
        "does not have the tables of this version; run workflow-monitor db migrate",
    ),
    (
        (psycopg.OperationalError, psycopg.InterfaceError, OSError),
        StoreUnreachableError,
        "went away in the middle; what is missing is sent again later",
    ),
)
