"""What is not planted is in no report: not as a recommendation, an incident, or a change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.words.period_report import Tone
from pytest_workflow_monitor.words.periods import Period, PeriodKind
from tests.history.shop import PRODUCTION, STAGING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tests.history.reading import Desk, Reading
    from tests.history.truth import Span, Truth

DAYS = 13
WELL = "user-*"
"""Workflows that nothing was planted in but the outage of the whole shop."""


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def days_of(truth: Truth, environment: str, desk: Desk) -> Iterator[Reading]:
    for days in range(1, DAYS + 1):
        yield desk.day(midnight(truth.end_at) - timedelta(days=days), environment)


def shows(span: Span, period: Period) -> bool:
    return span.start_at < period.end and span.end_at > period.start


def known(truth: Truth, period: Period, environment: str) -> set[tuple[str, str]]:
    """Each rule that may speak of a period, with the first word of its title."""
    here = truth.within(period.start, period.end, environment)
    found = {("flaky_workflows", it.failure.workflow_id) for it in here.flaky}
    found |= {("masked_workflows", it.failure.workflow_id) for it in here.masked}
    found |= {("heading_for_limit", it.workflow_id) for it in here.drifts}
    found |= {("broken_budgets", it.workflow_id) for it in here.breaches}
    found |= {(rule, it.failure.workflow_id) for it in here.broken for rule in BROKEN}
    found |= {
        ("slower", it.workflow_id)
        for it in truth.regressions
        if it.environment == environment and it.at < period.end
    }
    if here.missed:
        found |= {("missed_slots", str(count)) for count in range(100)}
    return found


BROKEN = ("broken", "still_failing")


@pytest.mark.parametrize("environment", [PRODUCTION, STAGING])
def test_each_recommendation_has_its_event(desk: Desk, truth: Truth, environment: str) -> None:
    """On no day and in no workflow is anything recommended without a reason that was planted."""
    for reading in days_of(truth, environment, desk):
        said = {(it.rule, it.title.split()[0]) for it in reading.findings()}
        assert said <= known(truth, reading.period, environment), reading.period.start


@pytest.mark.parametrize("environment", [PRODUCTION, STAGING])
def test_each_incident_has_its_event(desk: Desk, truth: Truth, environment: str) -> None:
    """Every row of every day is something that fails, wavers, is masked, or did not run."""
    for reading in days_of(truth, environment, desk):
        here = truth.within(truth.start_at, truth.end_at, environment)
        wavering = {it.failure.workflow_id for it in here.flaky}
        wavering |= {it.failure.workflow_id for it in here.masked}
        failing = {it.failure.workflow_id for it in here.broken}
        failing |= {it.failure.workflow_id for it in here.silenced}
        for incident in here.incidents:
            if shows(incident, reading.period):
                failing |= {it.workflow_id for it in incident.failures}
        for row in reading.rows("incidents"):
            if row["what"] == "Slots did not run":
                assert any(shows(it, reading.period) for it in here.missed)
            else:
                assert set(row["workflows"].split(", ")) <= wavering | failing, row


@pytest.mark.parametrize("environment", [PRODUCTION, STAGING])
def test_only_what_changed_is_said_to_have_changed(
    desk: Desk, truth: Truth, environment: str
) -> None:
    """No season and no chance is taken for a change of level."""
    changed = {it.workflow_id for it in truth.changes if it.environment == environment}
    for reading in days_of(truth, environment, desk):
        rows = reading.named("anomalies", "Changed for good")
        assert {it["workflow"] for it in rows} <= changed


def test_only_seasons_and_changes_move_medians(desk: Desk, truth: Truth) -> None:
    """Against the day before, but for the first day, of which the night is missing."""
    moving = {it.workflow_id for it in truth.changes} | {it.workflow_id for it in truth.seasons}
    for reading in list(days_of(truth, PRODUCTION, desk))[:-1]:
        for table in ("Slower than in the period before", "Quicker than in the period before"):
            assert {it["workflow"] for it in reading.named("movers", table)} <= moving


def test_a_day_on_which_all_is_well_says_so(desk: Desk, truth: Truth) -> None:
    """In the verdict, in what to do, and in each section that has nothing to tell."""
    start = midnight(truth.end_at) - timedelta(days=8)
    reading = desk.day(start, workflow=WELL)
    assert reading.verdict == "All 2 workflows passed every time"
    assert reading.report.tone is Tone.GOOD
    assert reading.notes("recommendations") == ["Nothing: all is as it should be."]
    assert reading.notes("incidents") == ["There were none."]
    assert reading.notes("errors")
    assert reading.section("silenced") is None


def test_a_day_before_all_says_that_nothing_ran(desk: Desk, truth: Truth) -> None:
    """Nothing is claimed of it, and no section stumbles over it."""
    reading = desk.day(midnight(truth.start_at) - timedelta(days=30))
    assert reading.verdict == "No workflow ran in this period"
    assert reading.findings() == []
    hour = Period(
        kind=PeriodKind.HOURLY,
        start=truth.start_at - timedelta(days=2, hours=1),
        end=truth.start_at - timedelta(days=2),
    )
    assert desk.report(hour).findings() == []
