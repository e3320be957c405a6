from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.store import LetterStatus, Store
from pytest_workflow_monitor.store.alerts import NewNotification
from pytest_workflow_monitor.store.outbox import Earlier, Known, Settled
from pytest_workflow_monitor.words.alerts import AlertKind, DeliveryStatus, NotificationKind
from tests.keeping.alerts.site import Site, failed, passed
from tests.samples import ENVIRONMENT, PROJECT, at

if TYPE_CHECKING:
    from pytest_workflow_monitor.words.alerts import Notification

MINUTE = timedelta(minutes=1)


@pytest.fixture
def incident(store: Store) -> int:
    """Return an incident that messages can be about."""
    return store.add_incident(PROJECT, ENVIRONMENT, [], at(0)).incident_id


def put(store: Store, kind: str = "opened", **fields: Any) -> str:
    """Put a message to ``team`` into the outbox and return its id."""
    defaults: dict[str, Any] = {
        "notification_id": str(uuid4()),
        "project": PROJECT,
        "environment": ENVIRONMENT,
        "channel": "team",
        "notification_type": NotificationKind(kind),
        "delivery_status": DeliveryStatus.PENDING,
        "incident_id": None,
        "priority": Priority.HIGH,
        "mention": True,
        "run_id": None,
        "actor": "",
        "note": "",
        "created_at": at(0),
        "not_before": at(0),
    }
    made = NewNotification(**(defaults | fields))
    store.add_notifications([made])
    return made.notification_id


def row(store: Store, notification_id: str) -> Notification:
    """Return a message as it is now."""
    (found,) = store.notifications([notification_id])
    return found


def due(store: Store, seconds: float = 0) -> list[str]:
    """Return the ids of what is due."""
    return [it.notification_id for it in store.due_messages("team", at(seconds))]


def test_messages_about_one_incident_go_out_in_order(store: Store, incident: int) -> None:
    """Each waits for those before it; of the same moment, the opening comes first."""
    resolved = put(store, "resolved", incident_id=incident)
    opened = put(store, "opened", incident_id=incident)
    other = put(store, "opened", created_at=at(5))
    elsewhere = put(store, "resolved", incident_id=incident, channel="ops")
    assert due(store) == [opened, other]
    assert [it.notification_id for it in store.due_messages("ops", at(0))] == [elsewhere]
    store.claim_messages([opened], at(0), at(60))
    assert due(store) == [other]
    assert store.note_sent(opened, {"ts": "1"}, at(1))
    assert set(due(store)) == {resolved, other}
    assert store.references("team", [incident]) == {incident: {"ts": "1"}}


def test_an_escalation_that_was_not_tried_keeps_nobody_from_hearing_that_it_is_over(
    store: Store, incident: int
) -> None:
    """It may wait for a silence to end; other calls wait for it, and all once it was tried."""
    waiting = put(store, "escalation", incident_id=incident, not_before=at(900))
    later = [
        put(store, kind, incident_id=incident, created_at=at(1), not_before=at(1))
        for kind in ("acknowledged", "resolved")
    ]
    calls = [
        put(store, kind, incident_id=incident, channel="ops", created_at=at(1))
        for kind in ("escalation", "reminder")
    ]
    put(store, "escalation", incident_id=incident, channel="ops", not_before=at(900))
    assert due(store, 1) == later[:1]
    assert store.due_channels(at(1), held_before=at(0)) == ("team",)
    assert store.next_due(["ops"], timedelta(hours=1)) == at(900)
    assert store.note_sent(later[0], {}, at(2))
    assert due(store, 2) == later[1:]
    store.claim_messages([waiting], at(3), at(60))
    assert due(store, 4) == []
    store.try_later([waiting], at(60), not_before=at(900), error="it was away")
    assert due(store, 5) == []
    assert {row(store, it).status for it in calls} == {DeliveryStatus.PENDING}


def test_what_is_locked_by_another_is_passed_over(store: Store, database_url: str) -> None:
    """Nobody waits for another process that is planning."""
    taken, free = put(store), put(store, channel="ops")
    with Store(database_url, project=PROJECT) as other, other.transaction():
        assert [it.notification_id for it in other.due_messages("team", at(0))] == [taken]
        assert due(store) == []
        assert [it.notification_id for it in store.due_messages("ops", at(0))] == [free]
    assert due(store) == [taken]


def test_expired_claims_come_back_as_a_try(store: Store) -> None:
    """Not before they expire."""
    message = put(store)
    store.claim_messages([message], at(0), at(60))
    store.expire_claims("team", at(59))
    assert row(store, message).status is DeliveryStatus.PROCESSING
    assert store.due_channels(at(59), held_before=at(0)) == ()
    assert store.due_channels(at(60), held_before=at(0)) == ("team",)
    store.expire_claims("team", at(60))
    found = row(store, message)
    assert (found.status, found.retry_count) == (DeliveryStatus.PENDING, 1)
    assert due(store, 60) == [message]


def test_who_has_lost_a_claim_changes_nothing(store: Store) -> None:
    """But a message that was taken was taken, whoever has the claim by now."""
    message = put(store)
    store.claim_messages([message], at(0), at(60))
    store.expire_claims("team", at(60))
    store.claim_messages([message], at(60), at(120))
    before = row(store, message)
    store.try_later([message], at(60), not_before=at(300), error="too late")
    store.release_messages([message], at(60), at(300))
    assert not store.give_up(
        message, b"{}", tries=8, error="too late", at=at(61), claimed_until=at(60)
    )
    assert row(store, message) == before
    assert store.note_sent(message, {}, at(61))
    assert not store.note_sent(message, {}, at(62))
    store.try_later([message], at(120), not_before=at(300), error="too late")
    assert row(store, message).status is DeliveryStatus.SUCCEEDED
    assert store.letters() == ()


def test_messages_of_the_last_hour_and_day_are_counted(store: Store) -> None:
    """With those on their way; what a digest told is not counted beside it."""
    sent = {minutes: put(store) for minutes in (-2000, -1000, -90, -30, -1)}
    for minutes, message in sent.items():
        store.note_sent(message, {}, at(minutes * 60))
    digest, member, claimed = put(store, "digest"), put(store), put(store)
    store.tell_together(digest, [member])
    store.note_sent(digest, {}, at(-10), together=[member])
    store.claim_messages([claimed], at(0), at(60))
    put(store, channel="ops")
    assert store.count_sent("team", at(0)) == (4, 6)


def test_it_is_told_when_something_is_due(store: Store, incident: int) -> None:
    """Messages at their time, claims when they expire, news that is held at the next digest."""
    hour = timedelta(hours=1)
    assert store.next_due(["team"], hour) is None
    held = put(store, delivery_status="HELD", not_before=at(0))
    assert store.next_due(["team"], hour) == at(3600)
    opened = put(store, incident_id=incident, not_before=at(900))
    put(store, "resolved", incident_id=incident, created_at=at(1), not_before=at(1))
    assert store.next_due(["team"], hour) == at(900)
    assert store.next_due(["ops"], hour) is None
    store.claim_messages([opened], at(900), at(960))
    assert store.next_due(["team"], hour) == at(960)
    assert store.due_channels(at(100), held_before=at(-1)) == ()
    assert store.due_channels(at(100), held_before=at(0)) == ("team",)
    assert [it.notification_id for it in store.held_messages("team", at(100))] == [held]


def test_what_a_channel_knows(store: Store, incident: int) -> None:
    """Whether it was told, or whether the news waits; who was told is never waiting."""
    assert store.what_channel_knows("team", [incident]) == {}
    opened = put(store, incident_id=incident)
    assert store.what_channel_knows("team", [incident]) == {incident: Known()}
    settled = Settled(
        notification_id=opened,
        delivery_status=DeliveryStatus.HELD,
        not_before=at(1),
        reason="the channel's limit is reached",
    )
    store.settle_messages([settled], at(1))
    assert row(store, opened).reason == settled.reason
    assert store.what_channel_knows("team", [incident]) == {incident: Known(is_held=True)}
    told = put(store, "reminder", incident_id=incident)
    store.note_sent(told, {}, at(2))
    assert store.what_channel_knows("team", [incident]) == {
        incident: Known(was_told=True, told_at=at(2))
    }


def test_a_dead_letter_counts_all_tries(store: Store) -> None:
    """Those before and after it was retried; there is one for each message."""
    message = put(store)
    for _ in range(2):
        store.claim_messages([message], at(0), at(60))
        assert store.give_up(
            message, b'{"title":"a\0b"}', tries=3, error="gone\0", at=at(1), claimed_until=at(60)
        )
        (letter,) = store.letters(status=LetterStatus.PENDING)
        assert store.retry_message_letters([letter.letter_id], at(2)) == (message,)
        assert row(store, message).retry_count == 0
    (letter,) = store.letters()
    assert (letter.status, letter.attempts) == (LetterStatus.PROCESSING, 6)
    assert "\0" not in letter.event_data + letter.reason
    assert store.note_sent(message, {}, at(3))
    (letter,) = store.letters()
    assert (letter.status, letter.attempts) == (LetterStatus.SUCCEEDED, 7)


def test_letters_of_another_project_are_not_sent(store: Store) -> None:
    """Their channels are not known here."""
    message = put(store, project="bank")
    store.give_up(message, b"{}", tries=1, error="gone", at=at(0))
    (letter,) = store.letters()
    assert store.retry_message_letters([letter.letter_id], at(1)) == ()
    assert store.letters()[0].status is LetterStatus.PENDING


def test_earlier_alerts_of_the_same_problem_are_counted(store: Store) -> None:
    """Those of the 30 days before it, of the same workflow, environment and kind."""
    site = Site(store)
    day = 24 * 60
    for minute in (-31 * day, -2 * day, -day):
        site.report(minute, failed(minute))
        site.report(minute + 10, passed(minute + 10))
    site.report(0, failed(0), failed(0, "search"))
    login, search = [it for it in site.alerts() if it.kind is AlertKind.FAILING]
    found = store.earlier_alerts([login.alert_id, search.alert_id])
    assert found[search.alert_id] == Earlier()
    assert found[login.alert_id].times == 2
    assert found[login.alert_id].last_opened_at == at(-day * 60 + 30)
