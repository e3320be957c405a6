"""Sections say something sensible of everything and of nothing; the verdict agrees with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.analysis.period.composing import compose, headline
from pytest_workflow_monitor.analysis.period.facts import NOTHING
from pytest_workflow_monitor.analysis.period.sections import SECTIONS
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.settings.report_rules import SECTIONS as NAMES
from pytest_workflow_monitor.words.alerts import AlertKind
from pytest_workflow_monitor.words.period_report import Finding, Note, Table, Tone
from tests.analysis.period.made_facts import LOGIN, ORDER, alert, at, facts, still_open, sums

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

NOTHING_KNOWN = facts(workflows={}, before={}, known={})


def test_every_section_is_known_by_its_name() -> None:
    """In the settings as in the report, in the same order."""
    assert tuple(SECTIONS) == NAMES
    for name, section in SECTIONS.items():
        said = section(facts())
        assert said is None or said.name == name


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("known", [NOTHING_KNOWN, facts(), facts(workflows={ORDER: NOTHING})])
def test_no_section_stumbles_over_what_is_not_there(name: str, known: PeriodFacts) -> None:
    """It says a sentence, shows rows, or is left out; no table is empty without a word."""
    section = SECTIONS[name](known)
    if section is None:
        return
    assert section.title
    assert section.blocks
    for block in section.blocks:
        if isinstance(block, Table):
            assert block.rows or block.empty
            assert all(len(row) == len(block.columns) for row in block.rows)


def test_where_nothing_happened_sections_say_so() -> None:
    """In one sentence each."""
    report = compose(facts())
    said = {
        section.name: block.text
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Note)
    }
    assert said == {
        "recommendations": "Nothing: all is as it should be.",
        "incidents": "There were none.",
        "movers": "No workflow's median changed by a tenth or more.",
        "flaky": "No workflow wavered on the same code.",
        "errors": "There were none, neither now nor in the period before.",
        "budgets": "No metric was beyond its budget.",
        "slots": "Every slot that is known of ran.",
    }


def test_a_mistake_in_one_section_does_not_cost_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so in its place, and the log has the traceback."""

    def broken(_: PeriodFacts) -> None:
        raise ZeroDivisionError("division by zero")

    whole = [it.name for it in compose(facts()).sections]
    monkeypatch.setitem(SECTIONS, "flaky", broken)
    report = compose(facts())
    assert [it.name for it in report.sections] == whole
    (sorry,) = next(it.blocks for it in report.sections if it.name == "flaky")
    said = "This section could not be made: ZeroDivisionError: division by zero."
    assert sorry == Note(text=said, tone=Tone.BAD)
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    ("known", "verdict", "tone"),
    [
        (facts(), "All 2 workflows passed every time", Tone.GOOD),
        (NOTHING_KNOWN, "No workflow ran in this period", Tone.DOUBTFUL),
        (
            facts(workflows={ORDER: sums(passed=9, failed=1)}),
            "90 % of 10 executions passed",
            Tone.DOUBTFUL,
        ),
        (
            facts(alerts=(alert(),)),
            "100 % of 40 executions passed; 1 incident, over",
            Tone.BAD,
        ),
        (
            facts(alerts=(still_open(), alert(2, "login"))),
            "100 % of 40 executions passed; 2 incidents, 1 still open",
            Tone.BAD,
        ),
        (
            facts(alerts=(alert(), alert(2, "login"))),
            "100 % of 40 executions passed; 2 incidents, all over",
            Tone.BAD,
        ),
        (
            facts(workflows={}, alerts=(still_open(kind=AlertKind.MISSED),)),
            "No workflow ran in this period; 1 incident, still open",
            Tone.BAD,
        ),
        (
            facts(alerts=(still_open(kind=AlertKind.FLAPPING),)),
            "100 % of 40 executions passed; 1 incident, still open",
            Tone.DOUBTFUL,
        ),
    ],
)
def test_the_verdict_says_as_many_incidents_as_the_table(
    known: PeriodFacts, verdict: str, tone: Tone
) -> None:
    """And whether one is still open; red only where something did not work."""
    report = compose(known)
    assert (report.verdict, report.tone) == (verdict, tone)
    incidents = next(it for it in report.sections if it.name == "incidents")
    tables = [it for it in incidents.blocks if isinstance(it, Table)]
    count = len(tables[0].rows) if tables else 0
    assert (f"{count} incident" in verdict) == bool(count)


def test_the_headline_is_what_the_columns_say() -> None:
    """Per cent and percentage points, as they are stored beside the document."""
    found = headline(
        facts(
            workflows={ORDER: sums(passed=8, failed=2, ms=1_100.0), LOGIN: sums(passed=10)},
            before={ORDER: sums(passed=10), LOGIN: sums(passed=10)},
            alerts=(alert(priority=Priority.CRITICAL),),
        )
    )
    assert (found.total_runs, found.successful_runs, found.failed_runs) == (20, 18, 2)
    assert found.success_rate == pytest.approx(90.0)
    assert found.success_rate_trend == pytest.approx(-10.0)
    assert found.error_rate_trend == pytest.approx(10.0)
    assert found.avg_duration_ms == pytest.approx((8 * 1_100 + 10 * 1_000) / 18)
    assert found.performance_trend == pytest.approx(100 * ((8 * 1.1 + 10) / 18 - 1))
    assert found.critical_issues == 1


def test_a_custom_report_has_the_sections_it_names() -> None:
    """In their order, those with nothing to say left out."""
    report = compose(facts(), name="team", sections=("errors", "silenced", "overview"))
    assert report.name == "team"
    assert [it.name for it in report.sections] == ["errors", "overview"]


def test_recommendations_are_cut_and_counted() -> None:
    """Twelve are enough; how many are left out is said."""
    alerts = tuple(still_open(number, f"w{number:02}", since=at(2)) for number in range(1, 16))
    section = SECTIONS["recommendations"](facts(alerts=alerts))
    assert section is not None
    assert sum(isinstance(it, Finding) for it in section.blocks) == 12
    assert section.blocks[-1] == Note(text="3 things of less weight are left out.")
    assert section.brief == "15"


def test_what_nobody_was_told_of_is_counted() -> None:
    """Alerts of one workflow about the same, for the same reason, are one row."""
    alerts = tuple(
        alert(number, since=at(number), opened_at=at(number), quiet="it is flapping")
        for number in range(1, 6)
    )
    section = SECTIONS["silenced"](facts(alerts=(*alerts, alert(9, "login", quiet="at night"))))
    assert section is not None
    (table,) = section.blocks
    assert isinstance(table, Table)
    assert table.rows == (
        ("order", "Pay", "it is flapping", 5, at(1), at(5)),
        ("login", "Pay", "at night", 1, at(2.01), at(2.01)),
    )
