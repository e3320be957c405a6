from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.ingest import Batch, ingest
from tests.samples import a_session, an_attempt, an_end

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

CHECKS = """
    [tool.workflow_monitor]
    project = "shop"
    environment = "production"

    [[tool.workflow_monitor.health_checks]]
    name = "api"
    url = "http://127.0.0.1:9/"
"""


def test_all_is_healthy_and_recorded(stored: Project, store: Store) -> None:
    """Exit code 0; each check is told, and has a row in the database."""
    ingest(store, a_session(), Batch(attempts=[an_attempt()], ended=an_end()))
    said = stored.run("health", "--json")
    assert (said.code, said.json["status"]) == (0, "healthy")
    names = [it["check_name"] for it in said.json["checks"]]
    assert names == ["database", "queue", "disk", "clock", "browser"]
    assert store.row_counts()["system_health_checks"] == len(names)
    assert "✓ database" in stored.run("health", "--no-store").out
    assert store.row_counts()["system_health_checks"] == len(names)


def test_what_is_wrong_and_what_to_do(project: Project) -> None:
    """Exit code 2, the reason, and the remedy."""
    project.write("pyproject.toml", CHECKS)
    said = project.run("health", width=120)
    assert said.code == 2
    assert "✗ http api: http://127.0.0.1:9/: it refuses connections" in said.out
    assert "→ look at what answers at that address" in said.out


def test_nothing_is_created_to_check(project: Project, empty_database_url: str) -> None:
    """Neither an embedded server nor tables."""
    assert project.run("health").code == 0
    assert not (project.path / ".workflow-monitor").exists()
    project.env["DATABASE_URL"] = empty_database_url
    said = project.run("health", "--json")
    assert (said.code, said.json["checks"][0]["detail"]) == (0, "nothing was recorded yet")


def test_a_database_that_is_away(project: Project) -> None:
    """Exit code 2, without the password, and the other checks are made."""
    project.env["DATABASE_URL"] = "postgresql://joe:hunter2@127.0.0.1:1/none"
    said = project.run("health")
    assert said.code == 2
    assert "✗ database" in said.out
    assert "✓ disk" in said.out
    assert "hunter2" not in said.out
