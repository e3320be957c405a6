"""What reports say about error budgets: the table, and when something is recommended."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_workflow_monitor.analysis.period.composing import compose
from pytest_workflow_monitor.analysis.period.rules.service_levels import error_budgets
from pytest_workflow_monitor.analysis.period.sections.service_levels import section
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.settings.slo_rules import Burn, ServiceLevel
from pytest_workflow_monitor.words.period_report import Table, Tone
from tests.analysis.period.made_facts import START, facts

CALM = Burn(
    factor=14.4,
    long_seconds=3_600.0,
    short_seconds=300.0,
    long_rate=0.5,
    short_rate=0.0,
    is_burning=False,
)
BURNING = Burn(
    factor=14.4,
    long_seconds=3_600.0,
    short_seconds=300.0,
    long_rate=20.0,
    short_rate=100.0,
    is_burning=True,
)


def level(workflow_id: str = "order", spent: float | None = 0.5, **fields: Any) -> ServiceLevel:
    """A level of 99 % over 30 days with a thousand executions, so much of its budget spent."""
    defaults: dict[str, Any] = {
        "objective": "all",
        "environment": "production",
        "workflow_id": workflow_id,
        "workflow_name": workflow_id.title(),
        "priority": Priority.CRITICAL,
        "target": 99.0,
        "window_seconds": 30 * 86_400.0,
        "by": "executions",
        "attempt": "final",
        "availability": None if spent is None else 1 - spent / 100,
        "budget": 0.01,
        "spent": spent,
        "bad": 0.0 if spent is None else spent * 10,
        "total": 0.0 if spent is None else 1_000.0,
        "since": START,
        "is_full": True,
        "burns": (CALM, CALM),
    }
    return ServiceLevel(**defaults | fields)


def test_there_is_no_section_without_objectives() -> None:
    """Nothing to say is not said."""
    assert section(facts()) is None
    for levels, names in (((), []), ((level(),), ["service_levels"])):
        report = compose(facts(service_levels=levels), name="daily", sections=["service_levels"])
        assert [it.name for it in report.sections] == names


def test_what_is_in_danger_stands_first() -> None:
    """What burns, what is spent, then by how much is; what has no full window last."""
    made = section(
        facts(
            service_levels=(
                level("kept", 0.1),
                level("young", 9.0, is_full=False),
                level("nearly", 0.9),
                level("empty", None),
                level("burning", 0.3, burns=(BURNING, CALM)),
                level("broken", 2.5),
            )
        )
    )
    assert made is not None
    assert made.brief == "1 burning, 1 broken"
    (table,) = made.blocks
    assert isinstance(table, Table)
    names = [column.key for column in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows]
    assert [(it["workflow"], it["state"]) for it in rows] == [
        ("burning", "burning"),
        ("broken", "broken"),
        ("nearly", "kept"),
        ("kept", "kept"),
        ("empty", "nothing ran"),
        ("young", "no full window yet"),
    ]
    assert rows[0] == {
        "workflow": "burning",
        "objective": "99 % of executions in 30 d",
        "availability": 0.997,
        "bad": "3 of 1,000",
        "left": 0.7,
        "burn_hour": 20.0,
        "burn_six": 0.5,
        "state": "burning",
    }
    assert rows[-1]["left"] is None
    assert table.tones == {
        "0.state": Tone.BAD,
        "1.state": Tone.BAD,
        "2.state": Tone.GOOD,
        "3.state": Tone.GOOD,
    }


@pytest.mark.parametrize(
    ("found", "title", "tone"),
    [
        (
            level(spent=0.2, burns=(BURNING,)),
            "order burns its error budget 20.0 times too quickly",
            Tone.BAD,
        ),
        (level(spent=1.2), "order has spent more than its error budget", Tone.BAD),
        (level(spent=0.85), "order has spent 85 % of its error budget", Tone.DOUBTFUL),
    ],
)
def test_a_budget_in_danger_is_told(found: ServiceLevel, title: str, tone: Tone) -> None:
    """With what was expected, what went wrong, and where to look."""
    (finding,) = error_budgets(facts(service_levels=(found,)))
    assert (finding.title, finding.tone, finding.priority) == (title, tone, Priority.CRITICAL)
    assert finding.evidence[0].startswith("Expected: 99 % of executions in 30 d; went wrong: ")
    assert finding.command == "workflow-monitor history order --environment production"
    assert ("Repair what fails" in finding.action) == ("burns" in title)
    assert [it for it in finding.evidence if "14.4×" in it] == (
        ["20.0× over 1 h, 100.0× over 5 min; the rule is 14.4×."] if "burns" in title else []
    )


@pytest.mark.parametrize(
    "found",
    [
        level(spent=0.79),
        level(spent=None),
        level(spent=9.0, is_full=False, burns=(BURNING,)),
        level(spent=0.0),
    ],
    ids=["enough is left", "nothing ran", "no full window", "nothing went wrong"],
)
def test_a_budget_that_is_kept_is_no_news(found: ServiceLevel) -> None:
    """Nor one of which nothing can be claimed."""
    assert list(error_budgets(facts(service_levels=(found,)))) == []
