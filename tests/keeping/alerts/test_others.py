from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.keeping.alerts import tend
from pytest_workflow_monitor.keeping.alerts.others import (
    Problem,
    clear_problem,
    clear_problems,
    report_problem,
    report_problems,
)
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.words.alerts import AlertKind
from tests.keeping.alerts.site import RULES, SCOPE, Site, failed, passed
from tests.samples import PROJECT, at

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store

MISSED, RUNNER = AlertKind.MISSED, AlertKind.RUNNER


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store)


def report(site: Site, reason: str = "a file is broken", seconds: float = 0) -> bool:
    return report_problem(
        site.store, RULES, *SCOPE, "schedule-catalogue", RUNNER, reason, at(seconds)
    )


def clear(site: Site, seconds: float = 0) -> bool:
    return clear_problem(
        site.store, RULES, *SCOPE, "schedule-catalogue", RUNNER, "it is repaired", at(seconds)
    )


def missed(workflow_id: str) -> Problem:
    return Problem(
        key=workflow_id,
        kind=MISSED,
        reason="nothing ran",
        priority=Priority.CRITICAL,
        cause="slots|missed",
    )


def test_a_problem_is_one_alert_however_often_it_is_reported(site: Site) -> None:
    """Told once, reminded of like any other, and resolved once."""
    assert [report(site, seconds=it) for it in (0, 60, 120)] == [True, False, False]
    assert site.states() == [("schedule-catalogue", "runner", "active")]
    assert tend(site.store, RULES, PROJECT, at(3600)) == 1
    assert [clear(site, it) for it in (4000, 4060)] == [True, False]
    assert site.states() == [("schedule-catalogue", "runner", "resolved")]
    assert [kind for _, kind, _ in site.outbox()] == ["opened", "reminder", "resolved"]
    assert report(site, seconds=5000)
    assert len(site.alerts()) == 1


def test_an_alert_says_what_is_wrong_by_now(site: Site) -> None:
    """Another reason is noted in the same alert."""
    report(site)
    report(site, "two files are broken", 60)
    (alert,) = site.alerts()
    assert alert.reason == "two files are broken"
    assert site.story(alert.alert_id) == ["opened", "commented"]


def test_nothing_to_resolve_is_fine(site: Site) -> None:
    """Another kind, or another key, is another problem."""
    report(site)
    assert not clear_problem(
        site.store, RULES, *SCOPE, "schedule-catalogue", MISSED, "it ran", at(60)
    )
    assert not clear_problem(site.store, RULES, *SCOPE, "worker", RUNNER, "it is back", at(60))
    assert len(site.alerts()) == 1


def test_slots_that_did_not_run_are_one_incident(site: Site) -> None:
    """What kept one workflow from running kept the others, too: one message."""
    opened = report_problems(site.store, RULES, *SCOPE, [missed("login"), missed("order")], at(0))
    assert len(opened) == 2
    assert len({it.incident_id for it in site.alerts()}) == 1
    assert [kind for _, kind, _ in site.outbox()] == ["opened"]
    resolved = clear_problems(
        site.store, RULES, *SCOPE, ["login", "order"], MISSED, "it ran in time", at(300)
    )
    assert resolved == set(opened)
    assert [kind for _, kind, _ in site.outbox()] == ["opened", "resolved"]


def test_executions_say_nothing_about_them(site: Site) -> None:
    """A workflow that passes or fails has its own alerts beside."""
    report_problems(site.store, RULES, *SCOPE, [missed("login")], at(0))
    site.report(1, failed(1))
    site.report(2, passed(2))
    assert site.states() == [("login", "missed", "active"), ("login", "failing", "resolved")]
