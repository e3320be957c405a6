"""A connection that runs named statements and speaks of failures in one sentence."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format
from psycopg.rows import dict_row

from pytest_workflow_monitor.store import failures
from pytest_workflow_monitor.store.queries import SQL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from psycopg.rows import DictRow


class Database:
    """A psycopg connection in autocommit mode, all statements by name.

    Attributes:
        location: Where the data is, fit to be shown: a URL without its password, or a folder.
    """

    def __init__(self, connection: psycopg.Connection[DictRow], location: str) -> None:
        self.connection = connection
        self.location = location

    def fetch(self, statement: str, /, **parameters: Any) -> list[DictRow]:
        """Run a statement and return its rows."""
        with failures.translated(self.location):
            return self.connection.execute(SQL[statement], parameters).fetchall()

    def fetch_binary(self, statement: str, /, **parameters: Any) -> list[DictRow]:
        """Run a statement and return its rows; twice as quick as text where rows hold arrays."""
        with failures.translated(self.location), self.connection.cursor(binary=True) as cursor:
            return cursor.execute(SQL[statement], parameters).fetchall()

    def fetch_one(self, statement: str, /, **parameters: Any) -> DictRow | None:
        """Run a statement and return its first row."""
        with failures.translated(self.location):
            return self.connection.execute(SQL[statement], parameters).fetchone()

    def run(self, statement: str, /, **parameters: Any) -> int:
        """Run a statement and return how many rows it touched."""
        with failures.translated(self.location):
            return self.connection.execute(SQL[statement], parameters or None).rowcount

    def write(self, statement: str, /, **parameters: Any) -> list[DictRow]:
        """Run a statement that stores what a record holds, and return its rows if it has some.

        Raises:
            RecordRefusedError: PostgreSQL refuses the values.
        """
        with failures.translated_record(self.location):
            cursor = self.connection.execute(SQL[statement], parameters)
            return cursor.fetchall() if cursor.description else []

    def copy(self, statement: str, types: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write rows by a binary COPY.

        Raises:
            RecordRefusedError: PostgreSQL refuses one of them.
        """
        with (
            failures.translated_record(self.location),
            self.connection.cursor() as cursor,
            cursor.copy(SQL[statement]) as copy,
        ):
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything or nothing; inside another transaction, a savepoint."""
        with failures.translated(self.location), self.connection.transaction():
            yield

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def connect(url: str) -> psycopg.Connection[DictRow]:
    """Connect with a PostgreSQL URL.

    Raises:
        StoreUnreachableError: Nothing answers there.
        StoreRefusedError: The server does not let us in.
    """
    location = failures.shown(url)
    try:
        connection = psycopg.connect(
            conninfo(url),
            autocommit=True,
            row_factory=dict_row,
            prepare_threshold=None,  # a plan made when tables were small is slow when they are big
        )
    except (psycopg.Error, OSError) as error:
        raise failures.translate_connect(error, location) from error
    connection.adapters.register_dumper(None, _JsonBytesDumper)
    connection.adapters.register_dumper(None, _UuidTextDumper)
    with failures.translated(location):
        connection.execute(SQL["prepare_connection"])
    return connection


def conninfo(url: str) -> str:
    """Return what psycopg connects with: a URL, and what it leaves open as we want it."""
    given: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(_plain(url))
    return psycopg.conninfo.make_conninfo("", **(CONNECT_DEFAULTS | given))


CONNECT_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 5,
    "application_name": "pytest-workflow-monitor",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


class _JsonBytesDumper(Dumper):
    """Sends encoded JSON to a ``jsonb`` column as it is; for COPY, where types are set."""

    oid = psycopg.postgres.types["jsonb"].oid
    format = Format.BINARY

    def dump(self, obj: Any) -> Buffer | None:
        """Put the version of jsonb's wire format in front."""
        return b"\x01" + bytes(obj)


class _UuidTextDumper(Dumper):
    """Sends the text of a UUID to a ``uuid`` column; for COPY, where types are set."""

    oid = psycopg.postgres.types["uuid"].oid
    format = Format.BINARY

    def dump(self, obj: Any) -> Buffer | None:
        """Read the hexadecimal digits; PostgreSQL refuses what does not have 32 of them."""
        return bytes.fromhex(obj.replace("-", ""))


def _plain(url: str) -> str:
    """Drop the driver that other libraries' URLs name, such as ``postgresql+asyncpg``."""
    return re.sub(r"^(postgres\w*)\+\w+://", r"\1://", url)
