from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.alerting.sending import (
    BURST,
    Due,
    Plan,
    Window,
    plan,
)
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.words.alerts import (
    Alert,
    AlertStatus,
    DeliveryStatus,
    Notification,
    NotificationKind,
    Silence,
)
from tests.alerting.samples import an_alert
from tests.samples import ENVIRONMENT, PROJECT, at

if TYPE_CHECKING:
    from datetime import datetime

NOW = at(1000)


def a_due(
    kind: NotificationKind = NotificationKind.OPENED,
    *alerts: Alert,
    number: int = 1,
    was_told: bool = False,
    is_held: bool = False,
    told_at: datetime | None = None,
    **fields: Any,
) -> Due:
    """Return a message that is due, about one active alert by default."""
    defaults: dict[str, Any] = {
        "notification_id": f"message-{number}",
        "project": PROJECT,
        "environment": ENVIRONMENT,
        "channel": "team",
        "kind": kind,
        "status": DeliveryStatus.PENDING,
        "created_at": at(900),
        "not_before": at(930),
        "incident_id": number,
    }
    return Due(
        notification=Notification(**(defaults | fields)),
        alerts=alerts or (an_alert(),),
        was_told=was_told,
        is_held=is_held,
        told_at=told_at,
    )


def planned(*due: Due, allowance: int = 10, **quiet: Any) -> Plan:
    """Plan with an open channel and nothing silenced unless given."""
    return plan(due, **({"silences": (), "windows": ()} | quiet), allowance=allowance, now=NOW)


def a_silence(**fields: Any) -> Silence:
    """Return a silence of everything in the environment for an hour."""
    defaults: dict[str, Any] = {
        "silence_id": 1,
        "match": {"environment": (ENVIRONMENT,)},
        "starts_at": at(0),
        "ends_at": at(3600),
        "author": "ada",
        "reason": "we know",
        "created_at": at(0),
    }
    return Silence(**(defaults | fields))


RESOLVED = an_alert(status=AlertStatus.RESOLVED, resolved_at=at(950))
ACKNOWLEDGED = an_alert(status=AlertStatus.ACKNOWLEDGED, acknowledged_by="ada")


def test_what_is_due_and_still_true_is_sent() -> None:
    """The plain case."""
    due = a_due()
    assert planned(due) == Plan(single=(due,))


def test_what_was_over_before_it_was_told_is_not_told() -> None:
    """Unless a try has been made: then the channel, not the group wait, was slow."""
    (verdict,) = planned(a_due(NotificationKind.OPENED, RESOLVED)).others
    assert verdict.drop == "resolved before it was told"
    assert planned(a_due(NotificationKind.OPENED, RESOLVED, retry_count=1)).single


def test_a_resolution_is_told_to_those_who_knew() -> None:
    """Others would wonder what is resolved."""
    assert planned(a_due(NotificationKind.RESOLVED, RESOLVED, was_told=True)).single
    (verdict,) = planned(a_due(NotificationKind.RESOLVED, RESOLVED)).others
    assert verdict.drop == "its opening was not told"


def test_a_resolution_joins_the_digest_in_which_its_opening_waits() -> None:
    """The digest tells both at once."""
    (verdict,) = planned(a_due(NotificationKind.RESOLVED, RESOLVED, is_held=True)).others
    assert verdict.hold


def test_a_silence_puts_the_news_off_until_it_ends() -> None:
    """Who silences a problem hears of it afterwards, if it is still there."""
    (verdict,) = planned(a_due(), silences=[a_silence()]).others
    assert verdict.wait is not None
    assert verdict.wait.until == at(3600)
    assert verdict.wait.reason == "silenced by ada until 2026-03-01 13:00 UTC: we know"


def test_a_silence_covers_only_its_time_and_its_alerts() -> None:
    """Not before, not after, not the others."""
    for silence in (
        a_silence(starts_at=at(1001)),
        a_silence(ends_at=at(1000)),
        a_silence(match={"workflow": ("cart",)}),
    ):
        assert planned(a_due(), silences=[silence]).single


def test_one_alert_that_is_not_silenced_is_told() -> None:
    """An incident is quiet only when all of its alerts are."""
    silence = a_silence(match={"workflow": ("login",)})
    both = (an_alert(), an_alert(alert_id=2, workflow_id="cart"))
    assert planned(a_due(NotificationKind.OPENED, *both), silences=[silence]).single


def test_a_maintenance_window_puts_the_news_off_too() -> None:
    """Until it closes; of several, the longest counts."""
    windows = [
        Window(name="deploy", match={}, until=at(1500)),
        Window(name="backup", match={}, until=at(1200)),
    ]
    (verdict,) = planned(a_due(), windows=windows).others
    assert verdict.wait is not None
    assert (verdict.wait.until, "deploy" in verdict.wait.reason) == (at(1500), True)


def test_resolutions_are_told_also_in_a_silence() -> None:
    """What was told as a problem is told as solved."""
    due = a_due(NotificationKind.RESOLVED, RESOLVED, was_told=True)
    assert planned(due, silences=[a_silence()]).single


def test_reminders_stop_when_somebody_looks_after_it() -> None:
    """So do escalations; neither is told when another message has told of it since."""
    for kind in (NotificationKind.REMINDER, NotificationKind.ESCALATION):
        (verdict,) = planned(a_due(kind, ACKNOWLEDGED)).others
        assert verdict.drop == "acknowledged by ada"
        (verdict,) = planned(a_due(kind, told_at=at(950))).others
        assert verdict.drop == "another message has told of it since"
        assert planned(a_due(kind, told_at=at(850))).single
        assert planned(a_due(kind)).single


def test_a_silence_ends_reminders_and_puts_escalations_off() -> None:
    """Those who are to be called are called when it ends, if nobody looks after it by then."""
    (verdict,) = planned(a_due(NotificationKind.REMINDER), silences=[a_silence()]).others
    assert verdict.drop.startswith("silenced by ada")
    escalation = a_due(NotificationKind.ESCALATION)
    (verdict,) = planned(escalation, silences=[a_silence()]).others
    assert verdict.wait is not None
    assert verdict.wait.until == at(3600)
    assert planned(escalation, silences=[a_silence(ends_at=at(1000))]).single


def test_an_alert_that_another_explains_is_not_told() -> None:
    """It is listed under that one."""
    (verdict,) = planned(a_due(NotificationKind.OPENED, an_alert(inhibited_by=7))).others
    assert verdict.drop == "explained by another alert"


def test_beyond_the_limit_news_waits_for_a_digest() -> None:
    """Critical alerts and resolutions are sent all the same."""
    ordinary, critical = a_due(number=1), a_due(number=2, priority=Priority.CRITICAL)
    over = a_due(NotificationKind.RESOLVED, RESOLVED, number=3, was_told=True)
    found = planned(ordinary, critical, over, allowance=0)
    assert {it.notification.incident_id for it in found.single} == {2, 3}
    assert [it.hold for it in found.others] == ["the channel's limit is reached"]


def test_many_at_once_are_told_together() -> None:
    """Five hundred workflows are one message, critical ones among them."""
    due = [a_due(number=number, priority=Priority.CRITICAL) for number in range(500)]
    found = planned(*due)
    assert (found.single, found.others) == ((), ())
    assert [len(group) for group in found.together] == [500]
    few = due[:BURST]
    assert planned(*few).single == tuple(few)
