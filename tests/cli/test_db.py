from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.store import Store, migrate
from tests.samples import a_session, an_attempt

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Project

NAMES = sorted(
    path.stem for path in migrate.FOLDER.glob("*.sql") if not path.name.endswith(".rollback.sql")
)


@pytest.fixture
def empty(project: Project, empty_database_url: str) -> Project:
    """Return the project ``shop`` with a database that has no tables."""
    project.env["DATABASE_URL"] = empty_database_url
    return project


@pytest.fixture
def embedded(project: Project, open_folder: Path) -> Project:
    """Return the project ``shop`` whose embedded server was never started."""
    project.env["WORKFLOW_MONITOR_STATE_DIR"] = str(open_folder / "state")
    return project


def test_migrate_then_status(empty: Project) -> None:
    """Who wants control migrates by hand, and sees what was done."""
    before = empty.run("db", "status", "--json").json
    assert [(it["migration_id"], it["applied_at"]) for it in before] == [(it, None) for it in NAMES]
    assert "not yet" in empty.run("db", "status").out
    assert empty.run("db", "migrate", "--json").json["applied"] == NAMES
    assert empty.run("db", "migrate").out == "Nothing to do.\n"
    assert all(it["applied_at"] for it in empty.run("db", "status", "--json").json)
    assert "not yet" not in empty.run("db", "status").out


def test_rollback_asks_first(stored: Project) -> None:
    """Data is not thrown away by a slip: the question names what goes, and no is an answer."""
    refused = stored.run("db", "rollback", text="n\n")
    assert (refused.code, refused.out) == (1, "")
    assert f"Undo {NAMES[-1]} in postgresql://" in refused.err
    assert refused.err.endswith("Nothing was changed.\n")

    unasked = stored.run("db", "rollback")
    assert unasked.code == 2
    assert "[y/N]: \nUsage:" in unasked.err
    assert "Nobody can be asked here; --yes agrees." in unasked.err

    agreed = stored.run("db", "rollback", text="y\n")
    assert (agreed.code, agreed.out) == (0, f"Rolled back: {NAMES[-1]}\n")
    rest = stored.run("db", "rollback", "--steps", "99", "--yes", "--json").json
    assert rest["rolled_back"] == NAMES[-2::-1]
    assert stored.run("db", "rollback").out == "Nothing to do.\n"


def test_info_tells_where_and_how_much(stored: Project, store: Store) -> None:
    """URL, version, how to connect, sizes and rows."""
    ingest(store, a_session(), Batch(attempts=[an_attempt(), an_attempt("other")]))

    found = stored.run("db", "info", "--json").json

    assert found["rows"]["workflow_executions"] == 2
    assert found["rows"]["workflow_steps"] == 4
    assert found["server_version"][:2].isdigit()
    assert found["schema_bytes"] > 100_000
    assert found["psql"].startswith("psql postgresql://") or "psql 'postgresql://" in found["psql"]
    text = stored.run("db", "info").out
    assert found["url"] in text
    assert "workflow_executions" in text


def test_stats_tell_sizes_and_what_is_to_come(stored: Project, store: Store) -> None:
    """For people in three sentences below the table, for programs all of it."""
    ingest(store, a_session(), Batch(attempts=[an_attempt(), an_attempt("other")]))

    found = stored.run("db", "stats", "--json").json

    tables = {it["name"]: it for it in found["tables"]}
    assert (tables["workflow_executions"]["rows"], tables["workflow_steps"]["rows"]) == (2, 4)
    assert tables["workflow_executions"]["is_estimate"] is False
    assert found["size_bytes"] == sum(it["size_bytes"] for it in found["tables"])
    assert set(found["forecast_bytes"]) == {"30", "90", "365"}
    assert found["free_bytes"] is None
    text = stored.run("db", "stats", width=120).out
    assert "workflow_executions" in text
    assert "If it goes on like that:" in text
    assert "The disk has" not in text


@pytest.mark.parametrize("command", ["info", "stats", "status", "rollback"])
def test_a_question_creates_no_server(embedded: Project, command: str) -> None:
    """Where there is no embedded server yet, that is said, and none is made."""
    said = embedded.run("db", command)

    assert (said.code, said.out) == (5, "")
    assert said.err.startswith("Error: There is no data yet")
    assert not (embedded.path.parent / "state").exists()


def test_the_embedded_server_is_described(embedded: Project) -> None:
    """Its folder, and a psql that fits it."""
    assert embedded.run("db", "migrate").code == 0

    found = embedded.run("db", "info", "--json").json

    assert found["path"].startswith(embedded.env["WORKFLOW_MONITOR_STATE_DIR"])
    assert "/psql -h " in found["psql"]
    assert "workflow-monitor db psql" in embedded.run("db", "info").out


def test_psql_runs_on_the_embedded_server(embedded: Project) -> None:
    """The server, which runs only while it is used, is there for psql."""
    query = "SELECT count(*) FROM workflow_monitor.workflows"

    assert embedded.spawn("db", "psql", "-Atc", query).out == "0\n"
    assert embedded.spawn("db", "psql", "-c", "SELECT nonsense").code == 1


def test_psql_gets_the_password_unseen(stored: Project) -> None:
    """Everybody on a machine can read command lines, so that no password is in them."""
    program = stored.write("bin/psql", '#!/bin/sh\necho "$@"\necho "$PGPASSWORD" >&2\n')
    program.chmod(0o755)
    stored.env["PATH"] = f"{program.parent}:/usr/bin:/bin"
    stored.env["DATABASE_URL"] += "&password=hunter2"

    said = stored.spawn("db", "psql", "--csv")

    assert said.code == 0
    assert said.out.endswith(" --csv\n")
    assert "dbname=" in said.out
    assert "hunter2" not in said.out
    assert said.err == "hunter2\n"


def test_a_psql_that_is_missing_is_one_sentence(stored: Project) -> None:
    """Without PostgreSQL's client programs, that is what is wrong."""
    stored.env["PATH"] = str(stored.path)

    said = stored.run("db", "psql")

    assert (said.code, said.err) == (4, "Error: psql is not installed.\n")
