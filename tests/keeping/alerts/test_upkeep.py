from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.alerting.rules import Rules
from pytest_workflow_monitor.keeping.alerts import acknowledge, comment, resolve, tend
from pytest_workflow_monitor.settings.alert_rules import Escalation, Route, Telling
from tests.keeping.alerts.site import RULES, Site, failed, passed
from tests.samples import PROJECT, at

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store


@pytest.fixture
def site(store: Store) -> Site:
    """Return a site with one alert, of minute 0."""
    made = Site(store)
    made.report(0, failed(0))
    return made


def kinds(site: Site) -> list[str]:
    """Return what the messages say, oldest first."""
    return [kind for _, kind, _ in site.outbox()]


def test_what_nobody_acknowledges_is_told_again_at_growing_intervals(site: Site) -> None:
    """After half an hour, an hour, two, and so on up to a day."""
    told = [
        minute
        for minute in range(0, 20 * 60, 5)
        if tend(site.store, RULES, PROJECT, at(minute * 60 + 70))
    ]
    assert told == [30, 90, 210, 450, 930]
    assert kinds(site) == ["opened"] + ["reminder"] * 5


def test_reminders_can_be_switched_off(store: Store) -> None:
    """`remind_after = 0`."""
    rules = Rules(channels=("team",), telling=Telling(remind_after_seconds=0))
    site = Site(store, rules)
    site.report(0, failed(0))
    assert tend(store, rules, PROJECT, at(10**6)) == 0


def test_who_acknowledges_is_not_reminded(site: Site) -> None:
    """The channels that know of it hear who looks after it."""
    (alert,) = site.alerts()
    changed = acknowledge(site.store, RULES, [alert], actor="ada", reason="on it", now=at(600))
    assert changed == {alert.alert_id}
    assert tend(site.store, RULES, PROJECT, at(10**6)) == 0
    assert kinds(site) == ["opened", "acknowledged"]
    (event,) = site.store.alert_events([alert.alert_id])[1:]
    assert (event.actor, event.reason, event.at) == ("ada", "on it", at(600))
    again = acknowledge(site.store, RULES, [alert], actor="bob", reason="", now=at(700))
    assert again == frozenset()
    assert site.alerts()[0].acknowledged_by == "ada"


def test_what_a_person_resolved_opens_again_only_by_a_later_failure(site: Site) -> None:
    """The incident is closed, and those who knew of it are told by whom."""
    (alert,) = site.alerts()
    resolve(site.store, RULES, [alert], actor="ada", reason="fixed by hand", now=at(600))
    assert kinds(site) == ["opened", "resolved"]
    site.report(9, failed(9), now=at(700))
    assert site.alerts() == []
    site.report(20, failed(20))
    assert len(site.alerts()) == 1


def test_a_comment_stays_in_the_audit_trail(site: Site) -> None:
    """Also when the alert is over."""
    (alert,) = site.alerts()
    site.report(5, passed(5))
    comment(site.store, [alert], actor="ada", reason="it was the cable", now=at(900))
    assert site.story(alert.alert_id) == ["opened", "resolved", "commented"]


def test_after_a_while_more_people_are_told(store: Store) -> None:
    """Each step once, for the alerts that it is for, and none once somebody looks after it."""
    rules = Rules(
        channels=("team", "pager", "boss"),
        routes=(Route(channels=("team",)),),
        escalations=(
            Escalation(after_seconds=900, channels=("pager",)),
            Escalation(after_seconds=1200, channels=("boss",), match={"priority": ("low",)}),
            Escalation(after_seconds=3600, channels=("boss", "pager")),
        ),
        telling=Telling(remind_after_seconds=0),
    )
    site = Site(store, rules)
    site.report(0, failed(0))
    for minute in range(0, 60, 5):
        tend(store, rules, PROJECT, at(minute * 60 + 31))
    assert site.outbox() == [("team", "opened", "PENDING"), ("pager", "escalation", "PENDING")]
    (alert,) = site.alerts()
    acknowledge(store, rules, [alert], actor="ada", reason="", now=at(3500))
    tend(store, rules, PROJECT, at(7200))
    assert [it for it in kinds(site) if it == "escalation"] == ["escalation"]


def test_an_escalation_of_many_hours_late_is_one_message_for_each_step(store: Store) -> None:
    """Nobody looked for hours: the steps whose time has come are taken at once."""
    steps = [Escalation(after_seconds=60 * n, channels=(f"c{n}",)) for n in (1, 2, 3)]
    rules = Rules(
        channels=("c1", "c2", "c3"),
        routes=(Route(channels=("c1",)),),
        escalations=tuple(steps),
        telling=Telling(remind_after_seconds=0),
    )
    site = Site(store, rules)
    site.report(0, failed(0))
    tend(store, rules, PROJECT, at(36_000))
    assert tend(store, rules, PROJECT, at(36_001)) == 0
    assert [it for it in site.outbox() if it[1] == "escalation"] == [
        (name, "escalation", "PENDING") for name in ("c1", "c2", "c3")
    ]


def test_reminders_of_a_digest_go_into_the_next_one(store: Store) -> None:
    """What a channel hears of once an hour does not interrupt it later."""
    rules = Rules(channels=("team",), routes=(Route(digest=True),))
    site = Site(store, rules)
    site.report(0, failed(0))
    assert tend(store, rules, PROJECT, at(3600)) == 1
    assert site.outbox() == [("team", "opened", "HELD"), ("team", "reminder", "HELD")]
