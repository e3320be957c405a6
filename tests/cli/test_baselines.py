"""``workflow-monitor baselines`` from what was learned. Real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.keeping.learning import learn
from pytest_workflow_monitor.model import Metric, Step
from tests.samples import START, a_session, an_attempt, an_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project


@pytest.fixture
def shop(stored: Project, store: Store, settings_for: Callable[..., Settings]) -> Project:
    """A project in which two workflows were learned about."""
    for hour in range(30):
        at = START + timedelta(hours=hour)
        attempts = [
            an_attempt(
                workflow_id,
                started_at=at,
                duration_ms=2_000.0,
                steps=(Step(index=0, name="Pay", duration_ms=500.0),),
                metrics=(Metric(name="cart", value=12.5, unit="EUR"),),
            )
            for workflow_id in ("order[eur]", "order[usd]")
        ]
        session = a_session(started_at=at)
        ingest(store, session, Batch(attempts=attempts, ended=an_end(ended_at=at)))
    learn(store, settings_for())
    return stored


def test_what_is_normal_is_told(shop: Project) -> None:
    """As a whole, by step and by metric, in their units."""
    said = shop.run("baselines", "order[eur]")
    assert (said.code, said.err) == (0, "")
    lines = [" ".join(it.split()) for it in said.out.splitlines()]
    assert lines[0] == "3 baselines of shop"
    assert [it.split(" ", 1)[1] for it in lines[3:]] == [
        "(all of it) 2.0 s 0 ms 2.0 s 30",
        "Pay 500 ms 0 ms 500 ms 30",
        "cart 12.5 EUR 0 EUR 12.5 EUR 30",
    ]
    assert "order[eur]" in said.out
    wide = shop.run("baselines", width=140)
    assert "6 baselines of shop (times in" in wide.out


def test_programs_are_told_all_of_it(shop: Project) -> None:
    """By glob and environment, as the table."""
    found = shop.run("baselines", "order*", "--environment", "production", "--json").json
    assert len(found) == 6
    assert found[0]["kind"] == "workflow"
    assert found[0]["median"] == pytest.approx(2_000, rel=1e-3)
    assert (found[0]["sample_size"], found[0]["season"]) == (30, None)
    assert shop.run("baselines", "--environment", "moon", "--json").json == []


def test_an_unknown_workflow_is_one_sentence(shop: Project) -> None:
    """The nearest one is named."""
    said = shop.run("baselines", "ordr")
    assert said.code == 5
    assert said.err.startswith("Error: Nothing is known of a workflow 'ordr'")


def test_nothing_learned(stored: Project) -> None:
    """An empty list says what is learned from."""
    said = stored.run("baselines")
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("Nothing is known yet")
