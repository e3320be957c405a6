"""Faults of database, disk and journal: one clear line, unchanged outcomes, nothing lost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from pytest_workflow_monitor.journal import FILE, FOLDER
from pytest_workflow_monitor.store import embedded
from tests.plugin.conftest import NO_DATABASE
from tests.plugin.stored import TWO_WORKFLOWS, documents, ended, go_on, start, statuses, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_workflow_monitor.model import SessionDocument
    from tests.conftest import Server
    from tests.plugin.conftest import Run, Suite

BOTH = {"login": "passed", "order": "failed"}


def lines_of(run: Run) -> list[str]:
    """What the terminal summary of monitoring says."""
    lines = run.result.outlines
    first = next(n for n, line in enumerate(lines) if "= workflow monitor =" in line)
    rest = lines[first + 1 :]
    return rest[: next(n for n, line in enumerate(rest) if line.startswith("==="))]


def sessions_that_ended(database_url: str, count: int) -> list[SessionDocument]:
    """All sessions, once there are that many."""
    return until(lambda: d if len(d := ended(database_url) or []) == count else None)


def alter(database_url: str, server: Server, what: str) -> None:
    """Change the test's database as its owner could."""
    name = str(conninfo_to_dict(database_url)["dbname"])
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(sql.SQL(what).format(sql.Identifier(name)))


def refuse_connections(database_url: str, server: Server) -> None:
    """Throw everybody out and let nobody in."""
    alter(database_url, server, "ALTER DATABASE {} ALLOW_CONNECTIONS false")
    name = conninfo_to_dict(database_url)["dbname"]
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )


def be_read_only(database_url: str, server: Server) -> None:
    alter(database_url, server, "ALTER DATABASE {} SET default_transaction_read_only = on")


def be_newer(database_url: str, server: Server) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO workflow_monitor._yoyo_migration"
            " (migration_hash, migration_id, applied_at_utc)"
            " VALUES ('f', '9999_from_the_future', now())"
        )


def be_full(database_url: str, server: Server) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        )
        connection.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON workflow_monitor.workflow_attempts"
            " EXECUTE FUNCTION full_disk()"
        )


def vanish(database_url: str, server: Server) -> None:
    alter(database_url, server, "DROP DATABASE {} WITH (FORCE)")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (refuse_connections, "not currently accepting connections"),
        (be_read_only, "read-only"),
        (be_newer, "newer"),
        (be_full, "no space left"),
        (vanish, "no such database"),
    ],
    ids=["refusing", "read-only", "newer", "full", "unknown"],
)
def test_a_database_fault_is_one_line_and_changes_nothing(
    suite: Suite,
    database_url: str,
    server: Server,
    fault: Callable[[str, Server], None],
    says: str,
) -> None:
    """The line says what is wrong and that nothing is lost; outcomes and exit code stay."""
    fault(database_url, server)
    suite.write("test_shop.py", TWO_WORKFLOWS)
    run = suite.run(env={"DATABASE_URL": database_url})
    assert run.result.ret == 1
    assert run.result.parseoutcomes() == {"passed": 1, "failed": 1}
    (line,) = (line for line in lines_of(run) if "Nothing is lost" in line)
    assert says in line
    assert "Traceback" not in run.output
    assert {workflow_id: status.value for workflow_id, status in run.statuses.items()} == BOTH


@pytest.fixture
def guarded_url(open_folder: Path) -> Iterator[str]:
    """Return the URL, with the password, of a role that a server of its own asks for one."""
    guarded = embedded.join(open_folder / "state")
    try:
        with psycopg.connect(guarded.url, autocommit=True) as admin:
            admin.execute("CREATE ROLE monitor LOGIN PASSWORD 'open-sesame'")
            admin.execute("CREATE DATABASE shop OWNER monitor")
            rules = guarded.data / "pg_hba.conf"
            rules.write_text(f"local shop monitor scram-sha-256\n{rules.read_text()}")
            admin.execute("SELECT pg_reload_conf()")
            url = f"postgresql://monitor:open-sesame@/shop?host={guarded.data}"
            until(lambda: is_refused(url.replace("open", "shut")) or None)
        yield url
    finally:
        guarded.leave()


def is_refused(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return True
    return False


def test_a_wrong_password_is_one_line_and_repeated_nowhere(suite: Suite, guarded_url: str) -> None:
    """The results wait for the right password; the wrong one is in no output, journal or log."""
    suite.write("test_shop.py", TWO_WORKFLOWS)
    run = suite.run(env={"DATABASE_URL": guarded_url.replace("open", "shut"), "LOG_LEVEL": "debug"})
    assert run.result.ret == 1
    assert run.result.parseoutcomes() == {"passed": 1, "failed": 1}
    (line,) = (line for line in lines_of(run) if "Nothing is lost" in line)
    assert "refuses the password; check the user and password in DATABASE_URL" in line
    assert "Traceback" not in run.output
    assert {workflow_id: status.value for workflow_id, status in run.statuses.items()} == BOTH
    files = [path for path in suite.path.rglob("*") if path.is_file()]
    assert any(path.name == FILE for path in files)
    for said in (run.output.encode(), *(path.read_bytes() for path in files)):
        assert b"shut-sesame" not in said

    suite.run(env={"DATABASE_URL": guarded_url})
    found = sessions_that_ended(guarded_url, 2)
    assert [statuses(document) for document in found] == [BOTH] * 2
    until(lambda: not suite.journals())


def test_what_was_kept_is_stored_once_by_the_next_session(suite: Suite, database_url: str) -> None:
    """Away at first, back later: the next session brings both, and a third doubles nothing."""
    suite.write("test_shop.py", TWO_WORKFLOWS)
    away = suite.run(env={"DATABASE_URL": NO_DATABASE})
    assert any("is not running there" in line for line in lines_of(away))
    for count in (2, 3):
        suite.run(env={"DATABASE_URL": database_url})
        found = sessions_that_ended(database_url, count)
        assert [statuses(document) for document in found] == [BOTH] * count
        until(lambda: not suite.journals())
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT workflow_id, run_count, failure_count FROM workflow_monitor.job_metrics"
            " ORDER BY 1"
        ).fetchall()
    assert rows == [("login", 3, 0), ("order", 3, 3)]


def test_a_database_that_goes_and_comes_back_within_a_session(
    suite: Suite, database_url: str, server: Server
) -> None:
    """Gone in the middle and back before the end: everything is stored, nothing is said."""
    process = start(suite, database_url)
    until(lambda: documents(database_url) or None)
    refuse_connections(database_url, server)
    alter(database_url, server, "ALTER DATABASE {} ALLOW_CONNECTIONS true")
    output = go_on(suite, process)
    assert "stored in" in output
    (document,) = documents(database_url)
    assert statuses(document) == {"first": "passed", "waits": "passed"}


def test_a_database_that_goes_in_the_middle_and_stays_away(
    suite: Suite, database_url: str, server: Server
) -> None:
    """Gone for good: the line says so, and once it is back the rest is added, not doubled."""
    process = start(suite, database_url)
    until(lambda: documents(database_url) or None)
    refuse_connections(database_url, server)
    output = go_on(suite, process)
    assert process.returncode == 0
    assert "Nothing is lost" in output
    alter(database_url, server, "ALTER DATABASE {} ALLOW_CONNECTIONS true")
    suite.run(env={"DATABASE_URL": database_url})
    found = sessions_that_ended(database_url, 2)
    assert [statuses(d) for d in found] == [{"first": "passed", "waits": "passed"}] * 2


def test_a_slow_database_is_left_to_the_shipper(suite: Suite, database_url: str) -> None:
    """After the deadline pytest ends and says so; the shipper stores the rest alone."""
    suite.write("test_shop.py", TWO_WORKFLOWS)
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE workflow_monitor.test_sessions")
        run = suite.run(
            env={"DATABASE_URL": database_url, "WORKFLOW_MONITOR_DEADLINE_SECONDS": "0.5"}
        )
    assert any("a background process goes on" in line for line in lines_of(run))
    (document,) = until(lambda: ended(database_url))
    assert statuses(document) == BOTH


def test_without_a_process_the_session_stores_by_itself(suite: Suite, database_url: str) -> None:
    """Where no process can be started, the results are stored at the end all the same."""
    suite.write("test_shop.py", TWO_WORKFLOWS)
    suite.write("conftest.py", "import sys\nsys.executable = '/nonexistent/python'\n")
    run = suite.run(env={"DATABASE_URL": database_url})
    assert any(line.startswith("stored in") for line in lines_of(run))
    (document,) = documents(database_url)
    assert statuses(document) == BOTH


def test_a_state_directory_that_cannot_be_written(suite: Suite, database_url: str) -> None:
    """Monitoring says in one line that it records nothing; the tests are as ever."""
    suite.write("test_shop.py", TWO_WORKFLOWS)
    suite.write("blocked", "a file where a folder should be")
    for options in ((), ("-n", "2")):
        run = suite.run(
            "--workflow-state-dir=blocked", *options, env={"DATABASE_URL": database_url}
        )
        assert run.result.parseoutcomes() == {"passed": 1, "failed": 1}
        assert any("state directory cannot be written" in line for line in lines_of(run))
        assert any("1 of 2 workflows needs attention" in line for line in lines_of(run))


def test_a_full_local_disk_costs_only_what_could_not_be_written(
    suite: Suite, database_url: str
) -> None:
    """When the journal cannot grow, outcomes stay and the summary says what is missing."""
    suite.write(
        "test_shop.py",
        """
        import pathlib, resource
        import pytest

        @pytest.mark.workflow
        def test_talks():
            print("o" * 50_000)

        @pytest.mark.workflow
        def test_on_a_full_disk():
            (journal,) = pathlib.Path().glob(".workflow-monitor/journal/*/journal.jsonl")
            size = journal.stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        """,
    )
    run = suite.run("-p", "no:cacheprovider", env={"DATABASE_URL": database_url})
    assert run.result.parseoutcomes() == {"passed": 2}
    assert run.result.ret == 0
    assert any("could not be written" in line for line in lines_of(run))


def test_damaged_and_foreign_journals_are_left_alone_with_a_warning(
    suite: Suite, database_url: str
) -> None:
    """A torn last line costs that line; foreign files and other versions are not touched."""
    suite.write("test_shop.py", TWO_WORKFLOWS)
    torn = suite.run(env={"DATABASE_URL": NO_DATABASE})
    assert torn.folder is not None
    lines = (torn.folder / FILE).read_bytes().splitlines(keepends=True)
    (torn.folder / FILE).write_bytes(b"".join(lines[:2]) + lines[2][: len(lines[2]) // 2])
    journals = suite.state_path / FOLDER
    _journal(journals / "foreign", b"\x00\xff not ours\n")
    old = lines[0].replace(b'"record":', b'"journal_version":0,"record":', 1)
    _journal(journals / "older", old)
    (journals / "a file").write_text("no folder")
    suite.run(env={"DATABASE_URL": database_url})
    found = sessions_that_ended(database_url, 2)
    assert statuses(found[-1]) == {"login": "passed", "order": "failed"}
    until(lambda: {path.name for path in journals.iterdir()} == {"foreign", "older", "a file"})


def test_a_record_that_the_database_refuses_is_put_aside(suite: Suite, database_url: str) -> None:
    """One impossible record goes to the dead letters with its reason; its neighbours are stored."""
    suite.write("test_shop.py", TWO_WORKFLOWS)
    run = suite.run(env={"DATABASE_URL": NO_DATABASE})
    assert run.folder is not None
    path = run.folder / FILE
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"number":1', b'"number":-1', 1))
    suite.run(env={"DATABASE_URL": database_url})
    found = sessions_that_ended(database_url, 2)
    assert statuses(found[-1]) == {"order": "failed"}
    with psycopg.connect(database_url) as connection:
        letters = connection.execute(
            "SELECT status, attempts FROM workflow_monitor.dead_letter_queue"
        ).fetchall()
    assert letters == [("PENDING", 1)]


def _journal(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content)
    os.utime(folder, (0, 0))
