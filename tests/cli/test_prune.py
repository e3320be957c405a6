from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from tests.samples import PROJECT, a_session, an_attempt

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project


@pytest.fixture
def aged(stored: Project, store: Store) -> Project:
    """The project with an execution of 500 days ago, one of 100 days ago and one of now."""
    for days in (500, 100, 0):
        at = datetime.now(UTC) - timedelta(days=days)
        ingest(store, a_session(started_at=at), Batch(attempts=[an_attempt(started_at=at)]))
    return stored


def test_it_says_what_went(aged: Project, store: Store) -> None:
    """Table by table, and from when on things are kept."""
    said = aged.run("prune")
    assert said.code == 0, said.err
    for line in (("workflow_executions", "1"), ("workflow_steps", "4"), ("test_sessions", "1")):
        assert any(it.split() == list(line) for it in said.out.splitlines()), said.out
    assert "Kept: executions from" in said.out
    assert store.row_counts()["workflow_executions"] == 2
    again = aged.run("prune")
    assert again.code == 0
    assert again.out.startswith("Nothing went.")


def test_a_dry_run_deletes_nothing(aged: Project, store: Store) -> None:
    """And says the same, for people and for programs."""
    said = aged.run("prune", "--dry-run")
    assert "What would go" in said.out
    found = aged.run("prune", "--dry-run", "--json").json
    assert found["dry_run"] is True
    assert found["rows"]["workflow_executions"] == 1
    assert found["problems"] == []
    assert set(found["before"]) == {"executions", "details", "logs", "slots"}
    assert store.row_counts()["workflow_executions"] == 3
    assert aged.run("prune", "--json").json["rows"] == found["rows"]


def test_settings_say_how_long(aged: Project) -> None:
    """Each class has its own."""
    aged.env["WORKFLOW_MONITOR_EXECUTION_DAYS"] = "50"
    assert aged.run("prune", "--json").json["rows"]["workflow_executions"] == 2


def test_whoever_comes_second_leaves_it_to_the_first(aged: Project, store: Store) -> None:
    """And says so, with exit code 1."""
    with store.pruning(PROJECT):
        said = aged.run("prune")
    assert said.code == 1
    assert "Another process is pruning this project" in said.err
    assert store.row_counts()["workflow_executions"] == 3


def test_without_a_database_it_is_one_sentence(project: Project) -> None:
    """One that does not answer, and one that was never there."""
    assert project.run("prune").code == 5
    project.env["DATABASE_URL"] = "postgresql://127.0.0.1:1/nowhere"
    said = project.run("prune")
    assert said.code == 3
    assert said.err.startswith("Error: The database")
    assert len(said.err.strip().splitlines()) == 1
