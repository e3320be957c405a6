from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.keeping.alerts import tend
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.notify.delivery import Delivered, deliver
from pytest_workflow_monitor.settings.alert_rules import Escalation, Route
from pytest_workflow_monitor.store import Store
from pytest_workflow_monitor.words.alerts import DeliveryStatus, NotificationKind
from tests.delivery.office import WENT_WRONG, Notebook, Office, office, titles, webhook
from tests.keeping.alerts.site import failed, passed
from tests.notify.servers import Reply
from tests.samples import at

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings import Settings
    from tests.notify.servers import HttpServer


def test_what_is_beyond_the_limit_becomes_one_digest(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> None:
    """Critical alerts and recoveries go on; the rest is counted and told together."""
    desk = office(store, settings_for, {"team": hook}, webhook(per_hour=2))
    for number in range(5):
        name = f"w{number}"
        desk.report(number, failed(number, name, error=name, priority=Priority.HIGH))
        desk.deliver(number + 0.99)
        desk.deliver(number + 1.2)
    desk.report(6, failed(6, "vital", error="vital", priority=Priority.CRITICAL))
    desk.deliver(8)
    desk.report(9, passed(9, "w0"))
    desk.report(9, passed(9, "w4"))
    desk.deliver(10)
    assert titles(hook) == [
        "w0 fails in production",
        "w1 fails in production",
        "vital fails in production",
        "w0 works again after 9 min 30 s",
    ]
    assert ("not_notified", "team: the channel's limit is reached") in desk.trail()
    due = desk.next_due_at()
    assert due is not None
    assert timedelta(minutes=60) < due - at(0) < timedelta(minutes=65)
    assert desk.deliver(65).sent == 1
    digest = hook.requests[-1].json
    assert digest["title"] == "2 workflows fail, w4 works again in production"
    assert digest["note"] == "4 messages held back since 12:02 UTC"
    assert digest["kind"] == "digest"
    assert {it.status for it in desk.rows()} == {DeliveryStatus.SUCCEEDED}


def test_low_priority_goes_into_the_digest_unless_it_is_silenced(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> None:
    """A digest respects silences as single messages do."""
    desk = office(store, settings_for, {"team": hook}, routes=(Route(digest=True),))
    desk.report(0, failed(0, "one", error="first"), failed(0, "two", error="second"))
    store.add_silence(
        "shop", {"workflow": ["two"]}, starts_at=at(0), ends_at=at(9000), author="ann", reason="x"
    )
    assert desk.deliver(59) == Delivered()
    assert desk.deliver(62).sent == 1
    assert titles(hook) == ["one fails in production"]
    assert desk.deliver(140) == Delivered()
    assert desk.deliver(220).sent == 1
    assert titles(hook)[1] == "two fails in production"


TOLD_SINCE = "another message has told of it since"


class Ledger(Notebook):
    """A channel whose service opens and closes incidents of its own."""

    joins = False


@pytest.fixture
def busy(store: Store, settings_for: Callable[..., Settings], hook: HttpServer) -> Office:
    """Return a project whose channel has told of ``login`` and holds a reminder of it back."""
    desk = office(store, settings_for, {"team": hook}, webhook(per_hour=1))
    desk.report(0, failed(0, priority=Priority.HIGH))
    desk.deliver(1.1)
    tend(store, desk.rules, "shop", at(31 * 60))
    assert desk.deliver(31) == Delivered(held=1)
    return desk


def test_a_recovery_that_was_told_alone_is_not_repeated_in_the_digest(
    busy: Office, hook: HttpServer
) -> None:
    """The reminder that waited for the digest has nothing to tell any more."""
    busy.report(40, passed(40))
    assert busy.deliver(41).sent == 1
    busy.deliver_all(200)
    assert titles(hook) == ["login fails in production", "login works again after 40 min 30 s"]
    (reminder,) = (it for it in busy.rows() if it.kind is NotificationKind.REMINDER)
    assert (reminder.status, reminder.reason) == (DeliveryStatus.SUPPRESSED, TOLD_SINCE)
    assert ("not_notified", f"team: {TOLD_SINCE}") in busy.trail()
    assert busy.next_due_at() is None


def test_an_opening_that_waits_for_a_digest_and_is_told_otherwise_is_told_once(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> None:
    """By an escalation to the same channel; the recovery is told alone then."""
    desk = office(
        store,
        settings_for,
        {"team": hook},
        routes=(Route(digest=True),),
        escalations=(Escalation(after_seconds=900, channels=("team",)),),
    )
    desk.report(0, failed(0))
    tend(store, desk.rules, "shop", at(16 * 60))
    assert desk.deliver(16).sent == 1
    desk.report(20, passed(20))
    assert desk.deliver(21).sent == 1
    desk.deliver_all(200)
    assert titles(hook) == ["login fails in production", "login works again after 20 min 30 s"]


def test_what_waits_for_a_digest_stays_there_when_the_other_message_is_refused(
    busy: Office, hook: HttpServer
) -> None:
    """Only a message that was taken tells for it."""
    hook.replies.append(Reply(status=404))
    busy.report(40, passed(40))
    assert busy.deliver(41).given_up == 1
    busy.deliver_all(200)
    assert titles(hook)[2:] == ["login works again in production"]


def test_a_recovery_that_a_digest_told_is_not_told_alone(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> None:
    """The digest had failed, and told how things stood when it was tried again."""
    desk = office(store, settings_for, {"team": hook}, routes=(Route(digest=True),))
    desk.report(0, failed(0, "one", error="first"), failed(0, "two", error="second"))
    hook.replies.append(WENT_WRONG)
    assert desk.deliver(61).failed == 1
    desk.report(61, passed(61, "one"))
    assert desk.deliver_all(63).sent == 1
    desk.deliver_all(200)
    assert titles(hook)[1:] == ["two fails, one works again in production"]
    assert {it.status for it in desk.rows()} == {DeliveryStatus.SUCCEEDED}


def test_a_recovery_on_its_second_try_goes_along_with_the_digest(
    busy: Office, hook: HttpServer
) -> None:
    """Whichever is sent first tells it, and the other one does not."""
    hook.replies.extend([WENT_WRONG] * 5)
    busy.report(80, passed(80))
    for minute in (81, 82, 83, 86, 90):
        busy.deliver(minute + 0.5)
    busy.deliver_all(92)
    busy.deliver_all(300)
    assert titles(hook)[6:] == ["login works again in production"]


def test_a_service_that_keeps_account_is_told_alone_what_is_over(busy: Office) -> None:
    """A digest closes none of its incidents, so it leaves the recovery to its own message."""

    def refuse(_: Message) -> None:
        if len(ledger.seen) <= 4:
            raise TransportError("not now")

    ledger = Ledger(act=refuse)
    busy.channels = {"team": ledger}
    busy.report(80, passed(80))
    for minute in (81, 81.5, 82.5, 85.5):
        assert busy.deliver(minute).failed == 1
    assert busy.deliver(92) == Delivered()
    for minute in (100, 200, 300):
        busy.deliver_all(minute)
    assert [message.kind.value for message, _ in ledger.seen] == ["resolved"] * 5


def test_a_service_that_keeps_account_hears_the_end_also_after_a_digest(busy: Office) -> None:
    """The digest had begun before, and told it when it was tried again: that closes nothing."""

    def refuse(_: Message) -> None:
        if len(ledger.seen) == 1:
            raise TransportError("not now")

    ledger = Ledger(act=refuse)
    busy.channels = {"team": ledger}
    assert busy.deliver(92).failed == 1
    busy.report(92, passed(92))
    busy.deliver_all(93)
    assert [message.kind.value for message, _ in ledger.seen] == ["digest", "digest", "resolved"]


def test_two_processes_tell_a_recovery_once_while_a_digest_is_due(
    busy: Office, database_url: str
) -> None:
    """What one is telling alone, the other leaves out of the digest."""
    told = threading.Event()
    is_held = threading.Event()

    def hang(_: Message) -> None:
        told.set()
        assert is_held.wait(30)

    alone, digest = Notebook(act=hang), Notebook()
    busy.report(92, passed(92))

    def tell() -> None:
        with Store(database_url, project="shop") as own:
            deliver(own, busy.settings, now=at(93 * 60), channels={"team": alone})

    thread = threading.Thread(target=tell)
    thread.start()
    assert told.wait(30)
    busy.channels = {"team": digest}
    busy.deliver(93)
    is_held.set()
    thread.join()
    busy.deliver_all(300)
    assert (alone.titles, digest.titles) == (["login works again after 1 h 32 min"], [])
