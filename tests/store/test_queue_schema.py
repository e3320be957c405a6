from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.store import Store, migrate, queue_schema

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Server

NEWEST = queue_schema._changes()[-1].stem
EARLIER = "02.14.01_01_add_indexes_for_fetch_job"


def objects(store: Store) -> set[tuple[Any, ...]]:
    """Name every table, column, function and trigger of the queue."""
    rows = store.connection.execute("""
        SELECT 'column', table_name || '.' || column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'workflow_monitor' AND table_name LIKE 'procrastinate%'
        UNION SELECT 'function', proname, pg_get_function_arguments(oid) FROM pg_proc
        WHERE pronamespace = 'workflow_monitor'::regnamespace AND proname LIKE 'procrastinate%'
        UNION SELECT 'trigger', tgname, '' FROM pg_trigger WHERE tgname LIKE 'procrastinate%'
    """).fetchall()
    return {tuple(row.values()) for row in rows}


def a_job_can_wait(store: Store) -> bool:
    """Queue a job and let a worker fetch it."""
    store.connection.execute("""
        SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('q', 't', 0, NULL, NULL, '{}', NULL)
            ::procrastinate_job_to_defer_v1])
    """)
    found = store.connection.execute("""
        SELECT (procrastinate_fetch_job_v2(ARRAY['q'], worker_id)).task_name AS name
        FROM procrastinate_register_worker_v1()
    """).fetchone()
    return found is not None and found["name"] == "t"


def test_the_queue_is_in_our_schema_and_works(store: Store) -> None:
    """Nothing of it lies anywhere else, and a second call has nothing to do."""
    assert queue_schema.prepare(store) == ("schema",)
    assert queue_schema.prepare(store) == ()
    assert a_job_can_wait(store)
    elsewhere = "SELECT count(*) AS n FROM pg_class WHERE relname LIKE 'procrastinate%' AND "
    row = store.connection.execute(
        elsewhere + "relnamespace <> 'workflow_monitor'::regnamespace"
    ).fetchone()
    assert row == {"n": 0}


def test_ten_processes_at_once_make_it_once(empty_database_url: str) -> None:
    """Whoever comes second finds it made, from an empty database on."""

    def prepare(_: int) -> tuple[str, ...]:
        with Store(empty_database_url) as store:
            return queue_schema.prepare(store)

    with ThreadPoolExecutor(10) as threads:
        assert sorted(threads.map(prepare, range(10))) == [()] * 9 + [("schema",)]


def test_an_older_queue_gets_what_came_since(store: Store, database_url: str) -> None:
    """A queue that an earlier Procrastinate made becomes the same as a new one."""
    for path in queue_schema._changes():
        if path.stem <= EARLIER:
            store.connection.execute(path.read_bytes())
    store.run("note_queue_migration", migration=EARLIER)
    applied = queue_schema.prepare(store)
    assert applied[-1] == NEWEST
    assert min(applied) > EARLIER
    assert a_job_can_wait(store)
    upgraded = objects(store)
    migrate.rollback(store, sum(it.migration_id >= "0007" for it in migrate.status(store)))
    assert objects(store) == set()
    queue_schema.prepare(store)
    assert objects(store) <= upgraded


def test_a_role_that_owns_only_its_schema_can_make_it(
    server: Server, empty_database_url: str
) -> None:
    """It needs no more rights than our own tables do."""
    name = str(psycopg.conninfo.conninfo_to_dict(empty_database_url)["dbname"])
    role = f"{name}_tenant"
    server.run("CREATE ROLE {} LOGIN", role)
    try:
        with psycopg.connect(empty_database_url, autocommit=True) as owner:
            owner.execute(
                sql.SQL("CREATE SCHEMA workflow_monitor AUTHORIZATION {}").format(
                    sql.Identifier(role)
                )
            )
        with Store(server.url_of(name, user=role)) as store:
            assert queue_schema.prepare(store) == ("schema",)
            assert a_job_can_wait(store)
    finally:
        server.drop(name)
        server.run("DROP ROLE {}", role)


def test_what_fails_leaves_nothing_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file that fails half-way is undone, and the next call tries again."""
    broken = tmp_path / "schema.sql"
    broken.write_text("CREATE TABLE procrastinate_half (); SELECT 1 / 0;")
    monkeypatch.setattr(queue_schema, "_missing", lambda _: (broken,))
    with pytest.raises(StoreError):
        queue_schema.prepare(store)
    assert objects(store) == set()
    monkeypatch.undo()
    assert queue_schema.prepare(store) == ("schema",)
