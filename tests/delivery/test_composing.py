from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pytest_workflow_monitor.masking import Secrets
from pytest_workflow_monitor.model import (
    Artifact,
    Error,
    Phase,
    Priority,
    Status,
    Step,
)
from pytest_workflow_monitor.notify import composing, titles
from pytest_workflow_monitor.notify.composing import News
from pytest_workflow_monitor.notify.messages import Picture
from pytest_workflow_monitor.store.outbox import Earlier
from pytest_workflow_monitor.words.alerts import (
    Alert,
    AlertKind,
    AlertStatus,
    DeliveryStatus,
    Notification,
    NotificationKind,
)
from tests.delivery.office import Notebook, Office
from tests.keeping.alerts.site import failed, passed
from tests.samples import PROJECT, a_workflow, an_attempt, at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

PNG = b"\x89PNG\r\n"


def an_alert(workflow_id: str = "login", **fields: Any) -> Alert:
    """Return an active alert that is 30 minutes old at ``at(1800)``."""
    defaults: dict[str, Any] = {
        "alert_id": 1,
        "project": PROJECT,
        "workflow_id": workflow_id,
        "environment": "production",
        "kind": AlertKind.FAILING,
        "status": AlertStatus.ACTIVE,
        "priority": Priority.HIGH,
        "since": at(0),
        "opened_at": at(30),
        "incident_id": 7,
        "last_status": Status.FAILED,
    }
    return Alert(**(defaults | fields))


def over(alert: Alert, minutes: float = 42) -> Alert:
    """Return an alert as it is when it is over."""
    ended = alert.since + timedelta(minutes=minutes)
    return replace(alert, status=AlertStatus.RESOLVED, resolved_at=ended)


def a_notification(kind: NotificationKind = NotificationKind.OPENED, **fields: Any) -> Notification:
    """Return a row of the outbox about incident 7."""
    defaults: dict[str, Any] = {
        "notification_id": "n1",
        "project": PROJECT,
        "environment": "production",
        "channel": "team",
        "kind": kind,
        "status": DeliveryStatus.PROCESSING,
        "created_at": at(0),
        "not_before": at(0),
        "incident_id": 7,
    }
    return Notification(**(defaults | fields))


LOGIN = ("step|Log in|f00d",)
HOST = ("host|shop.example:443", "step|Log in|f00d")
SAID = {
    "one": (a_notification(), [an_alert("order-placement")], "order-placement fails in production"),
    "with a common step": (
        a_notification(),
        [an_alert(f"w{number}", causes=LOGIN) for number in range(6)],
        "Log in fails: 6 workflows in production",
    ),
    "with a common host": (
        a_notification(),
        [an_alert(f"w{number}", causes=HOST) for number in range(2)],
        "shop.example:443 does not answer: 2 workflows in production",
    ),
    "with nothing in common": (
        a_notification(),
        [an_alert("a", causes=LOGIN), an_alert("b", causes=LOGIN), an_alert("c")],
        "3 workflows fail in production",
    ),
    "of different kinds": (
        a_notification(),
        [an_alert("a"), an_alert("b", kind=AlertKind.DEGRADED)],
        "2 workflows have problems in production",
    ),
    "one with two alerts": (
        a_notification(),
        [an_alert("a"), an_alert("a", kind=AlertKind.FLAPPING)],
        "a fails in production",
    ),
    "degraded": (
        a_notification(),
        [an_alert("a", kind=AlertKind.DEGRADED)],
        "a is degraded in production",
    ),
    "over before it was told": (
        a_notification(),
        [over(an_alert("a"))],
        "a failed in production, and works again",
    ),
    "partly over": (
        a_notification(),
        [an_alert("a"), over(an_alert("b"))],
        "a fails in production",
    ),
    "works again": (
        a_notification(NotificationKind.RESOLVED),
        [over(an_alert("order-placement"))],
        "order-placement works again after 42 min",
    ),
    "all work again": (
        a_notification(NotificationKind.RESOLVED),
        [over(an_alert("a"), 10), over(an_alert("b"), 65)],
        "2 workflows work again in production after 1 h 5 min",
    ),
    "some work again": (
        a_notification(NotificationKind.RESOLVED),
        [over(an_alert("a")), an_alert("b"), an_alert("c")],
        "1 of 3 workflows works again in production",
    ),
    "open again meanwhile": (
        a_notification(NotificationKind.RESOLVED),
        [an_alert("a")],
        "a fails in production",
    ),
    "resolved by a person": (
        a_notification(NotificationKind.RESOLVED, actor="ann"),
        [over(an_alert("a"))],
        "a failed in production: resolved by ann after 42 min",
    ),
    "calm again": (
        a_notification(NotificationKind.RESOLVED),
        [over(an_alert("a", kind=AlertKind.FLAPPING))],
        "a is calm again after 42 min",
    ),
    "reminder": (
        a_notification(NotificationKind.REMINDER),
        [an_alert("a")],
        "a fails in production",
    ),
    "digest": (
        a_notification(NotificationKind.DIGEST),
        [an_alert("a"), an_alert("b"), over(an_alert("c"))],
        "2 workflows fail, c works again in production",
    ),
}


@pytest.mark.parametrize(("notification", "alerts", "said"), SAID.values(), ids=SAID)
def test_titles(notification: Notification, alerts: list[Alert], said: str) -> None:
    """One line says it all."""
    assert titles.title(notification, alerts) == said


def test_titles_of_passes() -> None:
    """Alone and in a digest."""
    passes = a_notification(NotificationKind.PASSED, incident_id=None)
    assert titles.title(passes, [], ["a"]) == "a passed in production"
    digest = a_notification(NotificationKind.DIGEST, incident_id=None)
    assert (
        titles.title(digest, [an_alert("b")], ["a", "c"])
        == "b fails, 2 workflows passed in production"
    )


def test_nobody_hears_of_alerts_that_another_explains() -> None:
    """Nor of those that are quiet for a reason of their own, while there are others."""
    loud, explained = an_alert("loud"), an_alert("explained", inhibited_by=1)
    quiet = an_alert("quiet", quiet="it is flapping")
    assert News(notification=a_notification(), alerts=(explained, quiet, loud)).told == (loud,)


def test_the_most_important_comes_first() -> None:
    """What is open before what is over, failures before warnings, critical before low."""
    low, vital = an_alert("a", priority=Priority.LOW), an_alert("z", priority=Priority.CRITICAL)
    slow, gone = an_alert("b", kind=AlertKind.DEGRADED), over(an_alert("c"))
    told = News(notification=a_notification(), alerts=(gone, slow, low, vital)).told
    assert told == (vital, low, slow, gone)


def test_how_often_it_was_there_before() -> None:
    """From earlier alerts, and from the last executions."""
    assert composing.how_often(None, None, at(0)) == ""
    assert composing.how_often(Earlier(), None, at(0)) == "not in the 30 days before"
    earlier = Earlier(times=3, last_opened_at=at(-3600))
    assert (
        composing.how_often(earlier, None, at(0)) == "3 times in the 30 days before, last 11:00 UTC"
    )


def test_a_message_is_good_when_nothing_is_wrong_any_more() -> None:
    """Also an opening that comes late."""
    assert composing.is_good([over(an_alert())])
    assert composing.is_good([])
    assert not composing.is_good([an_alert(), over(an_alert())])
    counted = composing.counts([over(an_alert()), an_alert(), an_alert()])
    assert list(counted.items()) == [("failing", 2), ("resolved", 1)]


@pytest.fixture
def desk(store: Store, settings_for: Callable[..., Settings]) -> Office:
    """Return a project with one channel, whose messages are written down."""
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule, Route

    settings = settings_for(
        store.url,
        channels=(ChannelRule(name="team", type="notebook"),),
        routes=(Route(),),
        report_url="https://reports.example/latest",
        artifacts_http_url="https://files.example/",
    )
    return Office(store, settings, {"team": Notebook()})


def messages(desk: Office) -> list[Message]:
    """Return what was said."""
    assert desk.channels is not None
    (notebook,) = desk.channels.values()
    assert isinstance(notebook, Notebook)
    return [message for message, _ in notebook.seen]


def broken(minute: float, workflow_id: str = "checkout", **fields: Any) -> Any:
    """Return an attempt that failed with everything to tell of."""
    workflow = a_workflow(workflow_id, priority=Priority.HIGH, name="Check out")
    defaults: dict[str, Any] = {
        "started_at": at(minute * 60),
        "status": Status.FAILED,
        "duration_ms": 9800.0,
        "steps": (
            Step(index=0, name="Fill the cart", duration_ms=500.0),
            Step(index=1, name="Pay", status=Status.FAILED, duration_ms=6000.0),
            Step(index=2, name="Enter the card", parent=1, status=Status.FAILED),
        ),
        "errors": (
            Error(
                phase=Phase.CALL,
                type="TimeoutError",
                message="waiting for #pay\n\n  Call log:\n  - navigated\n  - and more",
                fingerprint="cafe",
            ),
        ),
        "artifacts": (
            Artifact(
                name="Enter the card",
                kind="screenshot",
                content_type="image/png",
                path="artifacts/ab.png",
                step=2,
            ),
        ),
    }
    return an_attempt(workflow, **(defaults | fields))


def test_a_failure_is_told_with_all_that_is_known(desk: Office, tmp_path: Path) -> None:
    """What, where, since when, how often, how long, why, whose, and where to look."""
    picture = tmp_path / ".workflow-monitor/artifacts/ab.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(PNG)
    for minute in range(-5, 0):
        desk.report(minute, passed(minute, "checkout", duration_ms=4200.0))
    attempt = broken(0)
    desk.report(0, attempt)
    desk.deliver(30)
    (message,) = messages(desk)
    assert message.title == "checkout fails in production"
    assert message.thread_key == "shop/production/1"
    assert message.key == desk.row().notification_id
    assert (message.kind, message.is_good) == (NotificationKind.OPENED, False)
    assert (message.priority, message.mention) == (Priority.HIGH, True)
    assert message.report_url == "https://reports.example/latest"
    assert message.counts == {"failing": 1}
    (item,) = message.items
    assert (item.state, item.status_word, item.name) == ("failing", "Failed", "Check out")
    assert (item.since, item.lasted) == (at(0), "30 min")
    assert item.how_often == "not in the 30 days before; 1 of the last 6 runs failed"
    assert item.duration == "normally 4.2 s, now 9.8 s"
    assert item.failing_step == "Pay › Enter the card"
    assert (item.failed_steps, item.steps_total) == (("Pay", "Enter the card"), 3)
    assert item.error == ("waiting for #pay", "  Call log:", "  - navigated")
    assert (item.owner, item.runbook) == ("team-web", "https://wiki.example.com/login")
    assert item.reason == ""
    assert item.run_id == attempt.run_id
    assert item.evidence_url == f"https://reports.example/latest#{attempt.run_id}"
    assert item.picture == Picture(
        name="Enter the card", path=str(picture), url="https://files.example/artifacts/ab.png"
    )


def test_without_a_report_the_job_is_linked(desk: Office) -> None:
    """In CI that is where one looks."""
    desk.settings = replace(desk.settings, report_url="", artifacts_http_url="")
    desk.report(0, broken(0))
    desk.deliver(2)
    (message,) = messages(desk)
    assert message.report_url == message.items[0].evidence_url == "https://ci.example.com/1"
    assert message.items[0].picture is None


def test_a_recovery_says_how_long_it_lasted(desk: Office) -> None:
    """And how often that has happened, when it fails the next time."""
    desk.report(0, broken(0))
    desk.deliver(2)
    desk.report(42, passed(42, "checkout"))
    desk.deliver(43)
    desk.report(60, broken(60))
    desk.deliver(62)
    _, recovery, again = messages(desk)
    assert recovery.title == "checkout works again after 42 min 30 s"
    assert recovery.is_good
    assert (recovery.items[0].state, recovery.items[0].lasted) == ("resolved", "42 min 30 s")
    assert recovery.items[0].picture is None
    assert again.items[0].how_often.startswith("1 time in the 30 days before, last 12:00 UTC")


def test_workflows_of_one_cause_are_one_message(desk: Office) -> None:
    """It names the cause and all of them."""
    desk.report(0, *(failed(0, f"w{number}") for number in range(12)))
    desk.deliver(2)
    (message,) = messages(desk)
    assert message.title == "Log in fails: 12 workflows in production"
    assert {it.workflow_id for it in message.items} == {f"w{number}" for number in range(12)}
    assert {it.cause for it in message.items} == {"Log in fails"}
    assert [bool(it.error) for it in message.items] == [True] * 10 + [False] * 2


def test_what_a_health_check_explains_is_listed_under_it(desk: Office) -> None:
    """The dependants are named, and not told of by themselves."""
    desk.report(
        0,
        failed(0, "health-check", step="Ping", error="down"),
        failed(0, "login", error="a"),
        failed(0, "search", error="b"),
    )
    desk.deliver(2)
    (message,) = messages(desk)
    assert message.title == "health-check fails in production"
    assert set(message.items[0].explained) == {"Login", "Search"}


def test_secrets_that_became_known_since_are_masked(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was stored; ids of our own stay, even if a short secret stands in them."""
    attempt = broken(0, errors=(Error(phase=Phase.CALL, message="bad password hunter2secret"),))
    desk.report(0, attempt)
    secrets = Secrets()
    secrets.learn("hunter2secret", desk.row().notification_id[:4])
    monkeypatch.setattr(composing, "known", secrets)
    desk.deliver(2)
    (message,) = messages(desk)
    assert "hunter2secret" not in str(message)
    assert message.items[0].error[0].startswith("bad password")
    assert message.key == desk.row().notification_id
