"""Real PostgreSQL for every test that wants one: a server per machine, a database per test.

The server is the embedded one, in a temporary folder that stays: workers of pytest-xdist and later
runs share it. ``TEST_POSTGRES_URL``, the URL of a superuser, names another
server instead.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

import hypothesis
import psycopg
import pytest
from playwright.sync_api import expect
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.store import Store, embedded, migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY = Path("/dev/shm")
ENOUGH = 2_000_000_000
SERVER_VARIABLE = "TEST_POSTGRES_URL"
_numbers = itertools.count()

hypothesis.settings.register_profile("any machine", deadline=None)  # a slow one proves nothing
hypothesis.settings.load_profile("any machine")

expect.set_options(timeout=30_000)  # pages of a busy machine, too

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a script, where a shell lets Ctrl-C pass: the processes that
    # tests start and interrupt would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Server:
    """A PostgreSQL server where tests may create databases and users.

    Attributes:
        url: The URL of a superuser.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._admin = psycopg.connect(url, autocommit=True)

    def run(self, statement: LiteralString, *names: str) -> list[Any]:
        """Run a statement as superuser; ``{}`` stand for names."""
        made = sql.SQL(statement).format(*map(sql.Identifier, names))
        cursor = self._admin.execute(made)
        return cursor.fetchall() if cursor.description else []

    def url_of(self, database: str, **changes: str) -> str:
        """Return the URL of a database, with other changes such as ``user``."""
        parts = conninfo_to_dict(self.url) | {"dbname": database} | changes
        user, password = parts.pop("user", None), parts.pop("password", None)
        who = f"{user}:{password}@" if password else f"{user}@" if user else ""
        name = parts.pop("dbname")
        return f"postgresql://{who}/{name}?" + "&".join(f"{k}={v}" for k, v in parts.items())

    def create(self, template: str = "template1") -> str:
        """Create a database of a name that tells which process it belongs to."""
        name = f"wm_test_{os.getpid()}_{next(_numbers)}"
        self.run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        self.run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def forget_dead(self) -> None:
        """Drop the databases of processes that were killed."""
        for name in self.databases():
            if name.startswith("wm_test_") and not _is_alive(int(name.split("_")[2])):
                self.drop(name)

    def databases(self) -> set[str]:
        """Return the names of all databases."""
        return {name for (name,) in self.run("SELECT datname FROM pg_database")}

    def template(self) -> str:
        """Return a database with the schema of this checkout, made once per schema."""
        files = sorted(migrate.FOLDER.glob("*.sql"))
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
        name = f"wm_template_{digest}"
        self.run("SELECT pg_advisory_lock(7)")
        if name not in self.databases():
            fresh = self.create()
            with Store(self.url_of(fresh)) as store:
                migrate.migrate(store)
            self.run("ALTER DATABASE {} RENAME TO {}", fresh, name)
        self.run("SELECT pg_advisory_unlock(7)")
        return name

    def close(self) -> None:
        """Disconnect."""
        self._admin.close()


def throw_away_folder() -> Path:
    """Return where servers of tests keep their data: in memory, where there is enough of it."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
        return MEMORY
    return Path(tempfile.gettempdir())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Return the server that all tests share."""
    given = os.environ.get(SERVER_VARIABLE)
    shared = None
    if not given:
        state = throw_away_folder() / f"workflow-monitor-tests-{os.geteuid()}" / "state"
        state.mkdir(mode=0o755, parents=True, exist_ok=True)
        shared = embedded.join(state)
    made = Server(given or shared.url)  # type: ignore[union-attr]
    if shared is not None:  # nothing in it has to outlive a power cut
        made.run("ALTER SYSTEM SET fsync = off")
        made.run("ALTER SYSTEM SET max_connections = 200")
        made.run("SELECT pg_reload_conf()")
    made.forget_dead()
    yield made
    made.close()
    if shared is not None:
        shared.leave()


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """Return the name of a database with our schema, to clone."""
    return server.template()


@pytest.fixture
def database_url(server: Server, template: str) -> Iterator[str]:
    """Return the URL of a database of this test's own, with our schema."""
    name = server.create(template)
    yield server.url_of(name)
    server.drop(name)


@pytest.fixture
def empty_database_url(server: Server) -> Iterator[str]:
    """Return the URL of an empty database of this test's own."""
    name = server.create()
    yield server.url_of(name)
    server.drop(name)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that other users can pass through, for embedded servers started by root."""
    folder = Path(tempfile.mkdtemp(prefix="wm-", dir=throw_away_folder()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., Settings]:
    """Return a function that makes settings of the project ``shop``, with changes."""

    def make(database_url: str = "", **changes: Any) -> Settings:
        fields: dict[str, Any] = {"root": tmp_path, "sources": {}, "project": "shop"} | changes
        return Settings(database_url=database_url, **fields)

    return make


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """Return an open store of the project ``shop``."""
    with Store(database_url, project="shop") as opened:
        yield opened
