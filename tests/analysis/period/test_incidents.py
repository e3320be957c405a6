"""Alerts with one cause are one incident, whenever they came; others are not."""

from __future__ import annotations

import pytest

from pytest_workflow_monitor.analysis.period.incidents import incidents, what_of
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.words.alerts import Alert, AlertKind
from tests.analysis.period.made_facts import alert, at, error, facts, still_open

HOST = ("host|shop.example",)
SLOTS = ("slots|missed",)


def groups(*alerts: Alert) -> list[set[int]]:
    return [{it.alert_id for it in one.alerts} for one in incidents(alerts)]


def test_what_was_told_together_belongs_together() -> None:
    """Whatever it has in common."""
    assert groups(alert(1), alert(2, "login", incident_id=1), alert(3, "search")) == [{1, 2}, {3}]


@pytest.mark.parametrize("causes", [HOST, SLOTS])
def test_a_cause_of_many_is_one_incident(causes: tuple[str, ...]) -> None:
    """Also when workflows run at other minutes, as long as it goes on."""
    one = alert(1, causes=causes)
    late = alert(2, "login", since=at(2.9), resolved_at=at(5), causes=causes)
    chained = alert(3, "search", since=at(4.9), resolved_at=at(6), causes=causes)
    again = alert(4, "order", since=at(8), resolved_at=at(9), causes=causes)
    assert groups(again, chained, late, one) == [{1, 2, 3}, {4}]


def test_the_same_step_elsewhere_is_another_incident() -> None:
    """Steps of other workflows only look alike; so do failures of another environment."""
    step = ("step|Pay|f1",)
    assert groups(alert(1, causes=step), alert(2, "login", causes=step)) == [{1}, {2}]
    staging = alert(2, causes=HOST, environment="staging")
    assert groups(alert(1, causes=HOST), staging) == [{1}, {2}]


def test_what_another_alert_explains_belongs_to_it() -> None:
    """That is why nobody was told of it."""
    assert groups(alert(7), alert(8, "login", inhibited_by=7)) == [{7, 8}]


def test_failures_of_what_flaps_belong_to_that() -> None:
    """But for an outage, and for what failed three times in a row."""
    flapping = still_open(1, kind=AlertKind.FLAPPING, since=at(0), reason="changed 4 times")
    once = alert(2, failures=1)
    thrice = alert(3, failures=3, since=at(5), resolved_at=at(8))
    outage = alert(4, failures=1, causes=HOST)
    assert groups(flapping, once, thrice, outage) == [{1, 2}, {4}, {3}]
    (found,) = incidents((flapping, once))
    assert not found.is_severe
    assert what_of(facts(), found) == "flapping: changed 4 times"


def test_what_an_incident_says_of_itself() -> None:
    """When it began, was noticed and was over; how often it failed; its most important workflow."""
    alerts = (
        alert(2, "login", incident_id=1, since=at(1), opened_at=at(1.5), failures=2),
        alert(1, priority=Priority.CRITICAL, resolved_at=at(4)),
    )
    (found,) = incidents(alerts)
    assert (found.since, found.opened_at, found.resolved_at) == (at(1), at(1.5), at(4))
    assert found.workflow_ids == ("order", "login")
    assert found.priority is Priority.CRITICAL
    assert found.failures == 5
    assert found.detected_after == at(1.5) - at(1)
    assert found.recovered_after == at(4) - at(1)


def test_an_incident_is_open_as_long_as_one_of_its_alerts() -> None:
    """Then it has not been recovered from."""
    (found,) = incidents((alert(1), still_open(2, "login", incident_id=1)))
    assert found.resolved_at is None
    assert found.recovered_after is None


def test_slots_that_did_not_run_are_no_failures() -> None:
    """Nothing ran that could fail."""
    (found,) = incidents((alert(kind=AlertKind.MISSED, causes=SLOTS),))
    assert found.failures is None
    assert found.is_severe


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (alert(), "Pay: Service unavailable"),
        (alert(failing_step=""), "Service unavailable"),
        (alert(fingerprint="other"), "Pay"),
        (alert(fingerprint="", failing_step=""), "failed"),
        (alert(kind=AlertKind.DEGRADED, reason="took 9.8 s"), "degraded: took 9.8 s"),
        (alert(kind=AlertKind.MASKED, reason=""), "masked"),
    ],
)
def test_what_is_wrong_in_one_line(one: Alert, said: str) -> None:
    """The step and the error as far as they are known, else the reason, else the kind."""
    (found,) = incidents((one,))
    assert what_of(facts(errors=(error(),)), found) == said
