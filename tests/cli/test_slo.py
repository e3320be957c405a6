"""``workflow-monitor slo`` from what is stored. Real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.model import Status
from tests.keeping.slos.records import execution, record

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

SETTINGS = """
    [tool.workflow_monitor]
    project = "shop"
    environment = "production"

    [[tool.workflow_monitor.slos]]
    target = 90
    window = "1d"
    environments = ["production"]

    [[tool.workflow_monitor.slos]]
    name = "up"
    target = 99.5
    window = "2d"
    by = "time"
    attempt = "first"
    match = { workflow = "login" }
"""
TIME = "99.5 % of time at the first attempt in 2 d"
GOOD, BAD = Status.PASSED, Status.FAILED


@pytest.fixture
def shop(stored: Project, store: Store) -> Project:
    """A project with a workflow that failed four of 48 times, in one environment of two."""
    now = datetime.now(UTC)
    ages = [it + 0.5 for it in range(50)]
    runs = [
        execution("login", now - timedelta(hours=it), BAD if it in {8.5, 9.5, 29.5, 30.5} else GOOD)
        for it in reversed(ages)
    ]
    record(store, runs)
    record(store, [execution("login", now - timedelta(hours=3))], "staging")
    stored.write("pyproject.toml", SETTINGS)
    return stored


def test_budgets_are_told(shop: Project) -> None:
    """What is expected, what was reached, what is left, and how quickly it goes."""
    said = shop.run("slo", width=130)
    assert (said.code, said.err) == (1, "")
    lines = [" ".join(it.split()) for it in said.out.splitlines()]
    assert lines[0] == "3 service levels of shop; 1 h and 6 h: times too quickly"
    assert lines[3:] == [
        "login production 90 % of executions in 1 d 91.6 % 2 of 24 16.6 % 0.0 0.0 kept",
        f"login production {TIME} 91.6 % 4 h 0 % 0.0 0.0 broken",
        f"login staging {TIME} 100 % 0 ms – 0.0 0.0 no full window yet",
    ]
    narrow = shop.run("slo", "--environment", "production").out
    assert "Environment" not in narrow
    assert max(map(len, narrow.splitlines())) <= 80


def test_programs_are_told_all_of_it(shop: Project) -> None:
    """Every field, with what follows from them."""
    said = shop.run("slo", "--json", "--environment", "staging")
    assert said.code == 0
    (level,) = said.json
    assert {
        name: level[name] for name in ("objective", "workflow_id", "target", "by", "attempt")
    } == {
        "objective": "up",
        "workflow_id": "login",
        "target": 99.5,
        "by": "time",
        "attempt": "first",
    }
    assert (level["availability"], level["left"], level["state"]) == (1.0, 1.0, "young")
    assert [it["factor"] for it in level["burns"]] == [14.4, 6.0]


def test_what_burns_is_not_well(shop: Project, store: Store) -> None:
    """Exit code 1, as for a budget that is spent; 0 when all are kept."""
    shop.write("pyproject.toml", SETTINGS.replace("99.5", "91"))
    assert shop.run("slo").code == 0
    now = datetime.now(UTC)
    shop.write(
        "pyproject.toml", SETTINGS.replace("99.5", "95").replace("target = 90", "target = 95")
    )
    record(store, [execution("login", now - timedelta(minutes=it), BAD) for it in (4, 3, 2)])
    said = shop.run("slo", "--environment", "production", width=130)
    assert said.code == 1
    assert said.out.count("burning") == 2


def test_status_tells_what_is_wrong_with_budgets(shop: Project, store: Store) -> None:
    """And counts those that are kept."""
    found = shop.run("status", "--json").json["sections"]["service levels"]
    assert found["facts"] == {"objectives": "3", "kept": "1 of 2 with a full window"}
    (reason,) = found["reasons"]
    assert reason["said"] == "more went wrong than may: login in production"


def test_without_objectives_it_says_how_to_set_one(stored: Project, store: Store) -> None:
    """On standard error; programs get an empty list."""
    record(store, [execution("login", datetime.now(UTC))])
    said = stored.run("slo")
    assert (said.code, said.out) == (0, "")
    assert "`slo=99.9` in its marker" in said.err
    assert stored.run("slo", "--json").json == []
