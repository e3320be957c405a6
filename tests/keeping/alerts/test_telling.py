"""Whom an alert is told to, and that it is told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.alerting.rules import Rules
from pytest_workflow_monitor.keeping.alerts import resolve
from pytest_workflow_monitor.store.alerts import NewEvent
from pytest_workflow_monitor.words.alerts import AlertEventKind
from tests.keeping.alerts.site import RULES, Site, failed, passed
from tests.samples import at

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store


@pytest.fixture
def site(store: Store) -> Site:
    """Return a site without alerts."""
    return Site(store)


def kinds(site: Site) -> list[str]:
    """Return the kinds of all messages, oldest first."""
    return [kind for _, kind, _ in site.outbox()]


def deliver(site: Site, minute: float) -> None:
    """Let the channel take all that waits."""
    for message in site.store.due_messages("team", at(minute * 60)):
        site.store.note_sent(message.notification_id, {}, at(minute * 60))
        if message.incident_id is not None:
            site.store.mark_told([message.incident_id], at(minute * 60))


def test_an_alert_that_was_told_is_not_told_again(site: Site) -> None:
    """However often its workflow fails after that."""
    site.report(0, failed(0))
    deliver(site, 1)
    for minute in (5, 10, 15):
        site.report(minute, failed(minute))
    assert site.outbox() == [("team", "opened", "SUCCEEDED")]


def test_that_there_is_no_channel_is_noted_once(store: Store) -> None:
    """Not for every failure."""
    site = Site(store, Rules())
    for minute in (0, 5, 10):
        site.report(minute, failed(minute))
    (alert,) = site.alerts()
    assert site.story(alert.alert_id) == ["opened", "not_notified"]


def test_a_channel_that_is_configured_later_hears_of_what_is_open(store: Store) -> None:
    """With the next failure."""
    Site(store, Rules()).report(0, failed(0))
    site = Site(store)
    site.report(5, failed(5))
    site.report(10, failed(10))
    assert kinds(site) == ["opened"]
    assert site.alerts()[0].quiet == ""


def test_what_is_released_while_nobody_may_be_told_has_a_reason(site: Site) -> None:
    """A session that does not notify ends the health check's alert; the next one tells."""
    site.report(0, failed(0, "health-check", error="down"), failed(0, "login"))
    site.report(5, passed(5, "health-check"), notifies=False)
    (login,) = site.alerts()
    assert (login.inhibited_by, login.quiet) == (None, "the session was not asked to notify")
    assert site.story(login.alert_id) == ["opened", "inhibited", "released", "not_notified"]
    site.report(10, failed(10, "login"))
    assert site.alerts()[0].quiet == ""
    assert kinds(site) == ["opened", "resolved", "opened"]


def test_what_is_kept_quiet_stays_quiet_when_it_is_released(site: Site) -> None:
    """A workflow with notify_on_failure=False is told of by nobody's recovery."""
    site.report(
        0,
        failed(0, "health-check", error="down"),
        failed(0, "login", notify_on_failure=False),
    )
    site.report(5, passed(5, "health-check"))
    (login,) = site.alerts()
    assert (login.inhibited_by, login.quiet) == (None, "the workflow has notify_on_failure=False")
    assert kinds(site) == ["opened", "resolved"]


def test_what_begins_as_the_health_check_recovers_is_told(site: Site) -> None:
    """It is explained by nothing."""
    site.report(0, failed(0, "health-check", error="down"))
    site.report(5, passed(5, "health-check"), failed(5, "login"))
    (login,) = site.alerts()
    assert site.story(login.alert_id) == ["opened"]
    assert kinds(site) == ["opened", "opened", "resolved"]


def test_what_was_told_before_it_was_explained_is_not_told_again(site: Site) -> None:
    """A channel took the message while the health check's failure was being stored."""
    site.report(0, failed(0, "cart"))
    site.report(0.1, failed(0.1, "health-check", error="down"), now=at(40))
    cart = site.alerts()[0]
    assert cart.inhibited_by
    deliver(site, 1)
    event = NewEvent(alert_id=cart.alert_id, at=at(60), event_type=AlertEventKind.NOTIFIED)
    site.store.add_alert_events([event])
    site.report(5, passed(5, "health-check"))
    assert kinds(site) == ["opened", "opened", "resolved"]


def test_what_a_person_releases_is_told(site: Site) -> None:
    """Resolving the health check's alert by hand leaves nothing in its shadow."""
    site.report(0, failed(0, "health-check", error="down"), failed(0, "login"))
    check = site.alerts()[0]
    resolve(site.store, RULES, [check], actor="ann", reason="", now=at(120))
    (login,) = site.alerts()
    assert (login.inhibited_by, login.quiet) == (None, "")
    assert kinds(site).count("opened") == 2


def test_a_workflow_that_is_calm_again_and_fails_is_told_at_once(site: Site) -> None:
    """With the execution that makes it calm, not with the next."""
    for minute in range(8):
        site.report(minute, failed(minute) if minute % 2 else passed(minute))
    minute = 8
    while len(site.alerts()) > 1:
        deliver(site, minute)
        site.report(minute, failed(minute))
        minute += 1
    (alert,) = site.alerts()
    assert (alert.kind.value, alert.quiet) == ("failing", "")
    assert sorted(kinds(site)[-2:]) == ["opened", "resolved"]
