from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from pytest_workflow_monitor.errors import StoreRefusedError, StoreSchemaError
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.store import Store, migrate, open_store
from tests.samples import a_session, an_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_workflow_monitor.settings import Settings
    from tests.conftest import Server

NAMES = sorted(
    path.stem for path in migrate.FOLDER.glob("*.sql") if not path.name.endswith(".rollback.sql")
)


@pytest.fixture
def fresh(empty_database_url: str) -> Iterator[Store]:
    """Return a store on a database without our schema."""
    with Store(empty_database_url, project="shop") as opened:
        yield opened


def tables(store: Store) -> set[str]:
    """Return the names of our tables."""
    rows = store.connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'workflow_monitor'"
    ).fetchall()
    return {row["tablename"] for row in rows if not row["tablename"].startswith(("_yoyo", "yoyo"))}


def test_every_migration_can_be_undone() -> None:
    """Each file has its rollback file."""
    assert [name for name in NAMES if not (migrate.FOLDER / f"{name}.rollback.sql").exists()] == []


def test_forward_back_and_forward_again(fresh: Store) -> None:
    """After a rollback nothing is left, and the way forward is open."""
    assert migrate.migrate(fresh) == tuple(NAMES)
    made = tables(fresh)
    assert "workflow_executions" in made
    assert migrate.rollback(fresh, len(NAMES)) == tuple(reversed(NAMES))
    assert tables(fresh) == set()
    assert migrate.migrate(fresh) == tuple(NAMES)
    assert tables(fresh) == made
    assert ingest(fresh, a_session(), Batch(attempts=[an_attempt()])).attempts == 1


def test_each_step_back_and_forward_again(fresh: Store) -> None:
    """Every migration on its own is undone completely."""
    migrate.migrate(fresh)
    for steps in range(1, len(NAMES) + 1):
        migrate.rollback(fresh, steps)
        assert migrate.migrate(fresh) == tuple(NAMES[-steps:])


def test_an_up_to_date_schema_costs_one_query_and_no_yoyo(database_url: str) -> None:
    """Opening the store is quick on every run but the first."""
    program = (
        "import sys; from pytest_workflow_monitor.store import Store, migrate\n"
        "with Store(sys.argv[1]) as store: assert migrate.migrate(store) == ()\n"
        "assert 'yoyo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, database_url], check=True)


def test_the_state_of_each_migration_is_told(fresh: Store) -> None:
    """Before and after, with the moment."""
    assert all(it.applied_at is None and it.is_known for it in migrate.status(fresh))
    migrate.migrate(fresh)
    found = migrate.status(fresh)
    assert [it.migration_id for it in found] == NAMES
    assert all(it.applied_at is not None and it.applied_at.tzinfo for it in found)


def test_ten_processes_at_once_on_an_empty_database(empty_database_url: str) -> None:
    """Ten sessions that start together all succeed, and one of them migrates."""
    program = (
        "import sys; from pytest_workflow_monitor.store import Store, migrate\n"
        "with Store(sys.argv[1]) as store: print(len(migrate.migrate(store)))"
    )
    command = [sys.executable, "-c", program, empty_database_url]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(10)]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0] * 10
    assert sorted(int(text) for text in said) == [0] * 9 + [len(NAMES)]


def test_a_process_killed_while_migrating_leaves_no_lock(
    fresh: Store, empty_database_url: str
) -> None:
    """The lock goes with the connection, and nothing half done stays."""
    with closing(psycopg.connect(empty_database_url, autocommit=True)) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [LOCK])
        fresh.connection.execute("SET lock_timeout = '50ms'")
        with pytest.raises(Exception, match="busy"):
            migrate.migrate(fresh)
    assert migrate.migrate(fresh) == tuple(NAMES)


LOCK = "pytest-workflow-monitor migrations"


def test_a_failing_migration_leaves_nothing_behind(
    fresh: Store, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A migration and the note that it ran are one transaction."""
    folder = tmp_path_factory.mktemp("migrations")
    (folder / "0001_broken.sql").write_text(
        "CREATE TABLE workflow_monitor.half_done (id int);\nSELECT no_such_function();"
    )
    (folder / "0001_broken.rollback.sql").write_text("DROP TABLE workflow_monitor.half_done;")
    monkeypatch.setattr(migrate, "FOLDER", folder)
    with pytest.raises(Exception, match="no_such_function"):
        migrate.migrate(fresh)
    assert tables(fresh) == set()
    assert [it.applied_at for it in migrate.status(fresh)] == [None]


def test_a_newer_schema_is_left_alone(
    store: Store, database_url: str, settings_for: Callable[..., Settings]
) -> None:
    """An old program does not write into tables it does not know."""
    store.connection.execute(
        "INSERT INTO workflow_monitor._yoyo_migration VALUES ('x', '9999_future', now())"
    )
    with pytest.raises(StoreSchemaError, match=r"newer version .*9999_future.* upgrade"):
        open_store(settings_for(database_url))
    with pytest.raises(StoreSchemaError):
        migrate.rollback(store)
    assert migrate.status(store)[-1].is_known is False


def test_missing_tables_are_said_to_be_missing(fresh: Store) -> None:
    """Somebody rolled back while we were connected."""
    with pytest.raises(StoreSchemaError, match="db migrate"):
        fresh.sessions(1)


@pytest.fixture
def role(server: Server) -> Iterator[str]:
    """Return a user who may log in and nothing else."""
    name = f"{server.create()}_role"
    database = name.removesuffix("_role")
    server.run("CREATE ROLE {} LOGIN PASSWORD 'simple'", name)
    yield name
    server.drop(database)
    server.run("DROP ROLE {}", name)


def url_as(server: Server, role: str) -> str:
    """Return the URL of the role's database, as that role."""
    return server.url_of(role.removesuffix("_role"), user=role, password="simple")


def test_a_role_that_owns_only_its_schema(
    server: Server, role: str, settings_for: Callable[..., Settings]
) -> None:
    """A database administrator need not give more than one schema."""
    database = role.removesuffix("_role")
    server.run("REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
    server.run("GRANT CONNECT ON DATABASE {} TO {}", database, role)
    with psycopg.connect(server.url_of(database)) as admin:
        admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        admin.execute(f"CREATE SCHEMA workflow_monitor AUTHORIZATION {role}".encode())
    with open_store(settings_for(url_as(server, role))) as store:
        first = an_attempt()
        session = a_session()
        ingest(store, session, Batch(attempts=[first]))
        ingest(store, session, Batch(attempts=[an_attempt("other"), an_attempt()]))
        assert len(store.session_document("last", history_length=2).executions) == 3


def test_a_role_that_may_do_nothing_is_told_what_it_needs(
    server: Server, role: str, settings_for: Callable[..., Settings]
) -> None:
    """One sentence for the administrator."""
    with pytest.raises(StoreRefusedError, match="owner of a schema workflow_monitor"):
        open_store(settings_for(url_as(server, role)))


def test_beside_an_applications_own_tables(
    empty_database_url: str, settings_for: Callable[..., Settings]
) -> None:
    """Tables of the same names, and yoyo's own of another program, stay untouched."""
    with psycopg.connect(empty_database_url, autocommit=True) as application:
        application.execute("CREATE TABLE public.workflows (id int PRIMARY KEY)")
        application.execute("CREATE TABLE public._yoyo_migration (id int)")
        application.execute("INSERT INTO public.workflows VALUES (1)")
        with open_store(settings_for(empty_database_url)) as store:
            ingest(store, a_session(), Batch(attempts=[an_attempt()]))
            assert store.row_counts()["workflows"] == 1
            migrate.rollback(store, len(NAMES))
        found = application.execute("SELECT count(*) FROM public.workflows").fetchone()
    assert found == (1,)
