from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors

from pytest_workflow_monitor.errors import (
    StoreError,
    StoreRefusedError,
    StoreUnreachableError,
)
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.store import Store, embedded, failures, open_store
from tests.conftest import throw_away_folder
from tests.samples import a_session, an_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_workflow_monitor.model import SessionStarted
    from pytest_workflow_monitor.settings import Settings
    from tests.conftest import Server

    Make = Callable[..., Settings]


def refusal(settings: Settings) -> StoreError:
    """Return the error that opening the store ends with, checked to be one sentence."""
    with pytest.raises(StoreError) as caught:
        open_store(settings)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert "s3cret" not in text
    return caught.value


@pytest.fixture(scope="module")
def strict_server() -> Iterator[embedded.EmbeddedServer]:
    """Return a server of its own that asks the user ``careful`` for a password."""
    folder = Path(tempfile.mkdtemp(prefix="wm-", dir=throw_away_folder()))
    folder.chmod(0o755)
    server = embedded.join(folder / ".workflow-monitor")
    rules = server.data / "pg_hba.conf"
    rules.write_text(f"local all careful scram-sha-256\n{rules.read_text()}")
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute("CREATE ROLE careful LOGIN SUPERUSER PASSWORD 'right'")
        admin.execute("SELECT pg_reload_conf()")
    yield server
    server.leave()
    shutil.rmtree(folder, ignore_errors=True)


def as_careful(server: embedded.EmbeddedServer, password: str) -> str:
    """Return the strict server's URL with a password."""
    return server.url.replace("postgres@", f"careful:{password}@", 1)


def test_the_right_password_opens(
    strict_server: embedded.EmbeddedServer, settings_for: Make
) -> None:
    """The strict server lets us in, so that the next test proves something."""
    with open_store(settings_for(as_careful(strict_server, "right"))) as store:
        assert store.sessions(1) == ()
        assert "right" not in store.location
        assert "right" not in store.info().psql


@pytest.mark.parametrize("password", ["s3cret", ""])
def test_a_wrong_password(
    strict_server: embedded.EmbeddedServer, settings_for: Make, password: str
) -> None:
    """Said without the password, with what to check."""
    error = refusal(settings_for(as_careful(strict_server, password)))
    assert isinstance(error, StoreRefusedError)
    assert "refuses the password" in str(error)


def test_nothing_listens(settings_for: Make) -> None:
    """The address is in the sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = refusal(settings_for(f"postgresql://me:s3cret@127.0.0.1:{port}/shop"))
    assert isinstance(error, StoreUnreachableError)
    assert f"postgresql://me:***@127.0.0.1:{port}/shop is not running" in str(error)


def test_no_socket(settings_for: Make, tmp_path: Path) -> None:
    """The same for a Unix socket that is not there."""
    error = refusal(settings_for(f"postgresql:///shop?host={tmp_path}&password=s3cret"))
    assert "is not running" in str(error)


def test_something_listens_and_never_answers(settings_for: Make) -> None:
    """A black hole costs seconds, not minutes."""
    with socket.create_server(("127.0.0.1", 0)) as hole:
        port = hole.getsockname()[1]
        url = f"postgresql://me@127.0.0.1:{port}/shop?connect_timeout=2"
        assert "does not answer in time" in str(refusal(settings_for(url)))


def test_the_host_does_not_exist(settings_for: Make) -> None:
    """A misspelt host name, or no DNS."""
    error = refusal(settings_for("postgresql://me:s3cret@no-such-host.invalid/shop"))
    assert isinstance(error, StoreUnreachableError)
    assert "host name" in str(error)


def test_an_unknown_database(server: Server, settings_for: Make) -> None:
    """Said with its name, because it is in the URL."""
    error = refusal(settings_for(server.url_of("no_such_database")))
    assert isinstance(error, StoreRefusedError)
    assert "no such database" in str(error)


def test_an_unknown_user(strict_server: embedded.EmbeddedServer, settings_for: Make) -> None:
    """Said by a server that trusts everybody it knows."""
    error = refusal(settings_for(strict_server.url.replace("postgres@", "nobody_here@", 1)))
    assert "no such user" in str(error)


def test_no_free_connection(strict_server: embedded.EmbeddedServer, settings_for: Make) -> None:
    """A user's connections are all taken."""
    with psycopg.connect(strict_server.url, autocommit=True) as admin:
        admin.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    error = refusal(settings_for(strict_server.url.replace("postgres@", "crowded@", 1)))
    assert isinstance(error, StoreRefusedError)
    assert "no free connection" in str(error)


@pytest.mark.parametrize(
    "url", ["mysql://me:s3cret@db/shop", "postgresql://me:s3cret@[::1/%", "nonsense"]
)
def test_no_postgresql_url(settings_for: Make, url: str) -> None:
    """The sentence shows what one looks like, and not what was taken for one."""
    assert "is not a PostgreSQL URL; one looks like this" in str(refusal(settings_for(url)))


def test_urls_of_other_libraries_work(server: Server, template: str, settings_for: Make) -> None:
    """``postgresql+asyncpg://`` and ``postgres://`` are what frameworks write."""
    url = server.url_of(template).removeprefix("postgresql")
    for scheme in ("postgresql+asyncpg", "postgres", "postgresql+psycopg"):
        with open_store(settings_for(scheme + url)) as store:
            assert store.sessions(1) == ()


def test_a_read_only_database(server: Server, database_url: str, settings_for: Make) -> None:
    """A standby is read-only; what is stored there can still be read."""
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    server.run("ALTER DATABASE {} SET default_transaction_read_only = on", str(name))
    with open_store(settings_for(database_url)) as store:
        assert store.sessions(1) == ()
        with pytest.raises(StoreRefusedError, match="read-only"):
            ingest(store, a_session(), Batch(attempts=[an_attempt()]))


def test_a_read_only_empty_database(
    server: Server, empty_database_url: str, settings_for: Make
) -> None:
    """Where the tables cannot be made, it is said why."""
    name = psycopg.conninfo.conninfo_to_dict(empty_database_url)["dbname"]
    server.run("ALTER DATABASE {} SET default_transaction_read_only = on", str(name))
    assert "read-only" in str(refusal(settings_for(empty_database_url)))


def test_a_server_that_goes_away(settings_for: Make, open_folder: Path) -> None:
    """Killed in the middle: one sentence now, and after its recovery all goes on."""
    settings = settings_for(root=open_folder)
    store = open_store(settings)
    assert store.server is not None
    session = a_session()
    ingest(store, session, Batch(attempts=[an_attempt()]))
    os.kill(int((store.server.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    with pytest.raises(StoreUnreachableError, match="went away"):
        keep_on_ingesting(store, session)
    store.close()
    with open_store(settings) as again:
        assert again.row_counts()["workflow_executions"] >= 1
        assert ingest(again, session, Batch(attempts=[an_attempt()])).attempts == 1


def keep_on_ingesting(store: Store, session: SessionStarted) -> None:
    """Store attempts until that fails."""
    while True:
        ingest(store, session, Batch(attempts=[an_attempt()]))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me:s3cret@db/shop", "postgresql://me:***@db/shop"),
        ("postgresql://db/shop?password=s3cret&sslmode=require", None),
        ("host=db password=s3cret dbname=shop", "host=db password=*** dbname=shop"),
        ("host=db password='s3 cret' dbname=shop", "host=db password=*** dbname=shop"),
    ],
)
def test_passwords_are_not_shown(url: str, expected: str | None) -> None:
    """However a password is written, no message holds it."""
    shown = failures.shown(url)
    assert "s3" not in shown
    assert expected is None or shown == expected


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (errors.DiskFull("x"), StoreRefusedError),
        (errors.TooManyConnections("x"), StoreRefusedError),
        (errors.InsufficientPrivilege("x"), StoreRefusedError),
        (errors.AdminShutdown("x"), StoreUnreachableError),
        (errors.LockNotAvailable("x"), StoreUnreachableError),
        (psycopg.InterfaceError("x"), StoreUnreachableError),
        (psycopg.InternalError("x\ny"), StoreError),
    ],
)
def test_every_failure_is_one_of_ours(error: psycopg.Error, ours: type[StoreError]) -> None:
    """Callers handle four kinds of failure, not forty."""
    translated = failures.translate(error, "here")
    assert type(translated) is ours
    assert "here" in str(translated)
    assert "\n" not in str(translated)


def test_closing_twice_is_no_mistake(database_url: str) -> None:
    """Whoever cleans up need not know what was cleaned up already."""
    store = Store(database_url)
    store.close()
    store.close()
