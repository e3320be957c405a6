"""``workflow-monitor deployments``: noted by pipelines, read by reports. Real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.store import Store
from pytest_workflow_monitor.store.periods import Window
from tests.samples import PROJECT

if TYPE_CHECKING:
    from tests.cli.conftest import Project


def test_a_deployment_is_noted(stored: Project, store: Store) -> None:
    """Now and in the environment of the settings, and reports find it."""
    said = stored.run("deployments", "add", "shop 7.2", "--commit", "a1b2c3d4e5", "--by", "ci")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Deployment 1: shop 7.2 to production, ")
    now = datetime.now(UTC)
    window = Window(PROJECT, ["production"], None, now - timedelta(hours=1), now)
    (found,) = store.deployments(window)
    assert (found.name, found.git_commit, found.url) == ("shop 7.2", "a1b2c3d4e5", "")
    assert now - found.deployed_at < timedelta(minutes=2)


def test_where_when_and_what_else_can_be_said(stored: Project) -> None:
    """And the list tells it, the newest first."""
    for name, *options in (
        ("old", "--at", "2026-01-02T03:04:05Z", "--url", "https://ci.example.com/1"),
        ("new", "--at", "20m", "--environment", "staging"),
    ):
        added = stored.run("deployments", "add", name, *options, "--by", "ann", "--json").json
        assert added["name"] == name
    new, old = stored.run("deployments", "list", "--json").json
    assert (new["name"], new["environment"], new["deployment_id"]) == ("new", "staging", 2)
    assert (old["deployed_at"], old["url"]) == ("2026-01-02T03:04:05Z", "https://ci.example.com/1")
    assert (old["noted_by"], old["git_commit"]) == ("ann", "")
    table = stored.run("deployments", "list", "--environment", "production", width=120).out
    assert "1 deployment of shop" in table
    assert "https://ci.example.com/1" in table
    assert len(stored.run("deployments", "list", "--limit", "1", "--json").json) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((" ",), "NAME is empty"),
        ((), "Missing argument 'NAME'"),
        (("x", "--at", "2999-01-01"), "lies ahead"),
        (("x", "--at", "noon"), "expected a duration such as"),
        (("x", "--by", " "), "--by says who does it"),
    ],
)
def test_mistakes_are_named(stored: Project, options: tuple[str, ...], sentence: str) -> None:
    """With exit code 2, and nothing is noted."""
    said = stored.run("deployments", "add", *options, width=200)
    assert said.code == 2
    assert sentence in said.err
    assert stored.run("deployments", "list", "--json").json == []


def test_a_pipeline_may_be_the_first_to_come(project: Project, empty_database_url: str) -> None:
    """A database gets its tables; without one that is named, none is made."""
    said = project.run("deployments", "add", "x")
    assert said.code == 5
    assert not (project.path / ".workflow-monitor").exists()
    project.env["DATABASE_URL"] = empty_database_url
    assert project.run("deployments", "add", "x").code == 0
    with Store(empty_database_url) as store:
        assert store.row_counts()["deployments"] == 1


def test_none_is_noted(stored: Project) -> None:
    """An empty list says how one gets there."""
    said = stored.run("deployments", "list")
    assert (said.code, said.out) == (0, "")
    assert (
        said.err == "No deployment is noted; `workflow-monitor deployments add NAME` notes one.\n"
    )
