from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pytest_workflow_monitor.cli.db import db
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.store import Store, migrate
from tests.samples import a_session, an_attempt

if TYPE_CHECKING:
    from pathlib import Path

NAMES = sorted(
    path.stem for path in migrate.FOLDER.glob("*.sql") if not path.name.endswith(".rollback.sql")
)


def run(*arguments: str, given: str = "") -> str:
    """Run a command that has to succeed, and return what it printed."""
    result = CliRunner().invoke(db, arguments, input=given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def run_json(*arguments: str) -> Any:
    """Run a command with ``--json``."""
    return json.loads(run(*arguments, "--json"))


@pytest.fixture(autouse=True)
def project(open_folder: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str) -> str:
    """Work in a project whose settings name an empty database; return its URL."""
    for name in ("WORKFLOW_MONITOR_DATABASE_URL", "WORKFLOW_MONITOR_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    (open_folder / "workflow-monitor.toml").write_text('project = "shop"\n')
    monkeypatch.chdir(open_folder)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    return empty_database_url


def test_migrate_then_status(project: str) -> None:
    """Who wants control migrates by hand, and sees what was done."""
    assert [(it["migration_id"], it["applied_at"]) for it in run_json("status")] == [
        (name, None) for name in NAMES
    ]
    assert "not yet" in run("status")
    assert run_json("migrate")["applied"] == NAMES
    assert "Nothing to do" in run("migrate")
    assert all(it["applied_at"] for it in run_json("status"))


def test_rollback_asks_first(project: str) -> None:
    """Data is not thrown away by a slip."""
    run("migrate")
    refused = CliRunner().invoke(db, ["rollback"], input="n\n")
    assert refused.exit_code == 1
    assert "with their data?" in refused.stderr
    assert "Rolled back: " + NAMES[-1] in run("rollback", given="y\n")
    assert run_json("rollback", "--steps", "99", "--yes")["rolled_back"] == NAMES[-2::-1]


def test_info_tells_where_and_how_much(project: str) -> None:
    """Path or URL, version, how to connect, sizes and rows."""
    run("migrate")
    with Store(project) as store:
        ingest(store, a_session(), Batch(attempts=[an_attempt(), an_attempt("other")]))
    found = run_json("info")
    assert found["rows"]["workflow_executions"] == 2
    assert found["rows"]["workflow_steps"] == 4
    assert found["server_version"][:2].isdigit()
    assert found["schema_bytes"] > 100_000
    assert found["psql"].startswith("psql postgresql://") or "psql 'postgresql://" in found["psql"]
    text = run("info")
    assert found["url"] in text
    assert "workflow_executions" in text


def test_info_of_the_embedded_server(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder, and a psql that fits it."""
    monkeypatch.delenv("DATABASE_URL")
    found = run_json("info")
    assert found["path"].startswith("/")
    assert "/psql -h " in found["psql"]
    assert "workflow-monitor db psql" in run("info")


def test_psql_runs_on_the_embedded_server(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server, which runs only while it is used, is there for psql."""
    monkeypatch.delenv("DATABASE_URL")
    said: list[str] = []

    def captured(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        result = real(command, **options, stdout=subprocess.PIPE, text=True)
        said.append(result.stdout)
        return result

    real = subprocess.run
    with monkeypatch.context() as patch:
        patch.setattr("pytest_workflow_monitor.cli.db.subprocess", type("", (), {"run": captured}))
        run("psql", "-Atc", "SELECT count(*) FROM workflow_monitor.workflows")
    assert said == ["0\n"]
