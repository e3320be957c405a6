from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.errors import StoreUnreachableError, TransportError
from pytest_workflow_monitor.keeping.alerts import tend
from pytest_workflow_monitor.masking import Secrets
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.notify import backoff, composing, delivery
from pytest_workflow_monitor.notify.delivery import Delivered, deliver
from pytest_workflow_monitor.store import LetterStatus, Store
from pytest_workflow_monitor.words.alerts import DeliveryStatus, NotificationKind
from tests.delivery.office import WENT_WRONG, Notebook, Office, keys, office, titles, webhook
from tests.keeping.alerts.site import failed, passed
from tests.notify.servers import HttpServer, Reply
from tests.samples import at

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings import Settings


def test_a_failure_and_its_end_are_told_once_each(desk: Office, hook: HttpServer) -> None:
    """After the group wait, with a line in the audit trail and the time in the outbox."""
    desk.report(0, failed(0, "order-placement"))
    assert desk.deliver(0.5) == Delivered()
    assert desk.next_due_at() == at(60)
    assert desk.deliver(1.01) == Delivered(sent=1)
    assert desk.deliver(2) == Delivered()
    desk.report(42, passed(42, "order-placement"))
    assert desk.deliver(43) == Delivered(sent=1)
    assert titles(hook) == [
        "order-placement fails in production",
        "order-placement works again after 42 min 30 s",
    ]
    assert [it.status for it in desk.rows()] == [DeliveryStatus.SUCCEEDED] * 2
    assert keys(hook) == [it.notification_id for it in desk.rows()]
    assert desk.trail() == [
        ("opened", "failed"),
        ("notified", "team: opened"),
        ("resolved", "passed"),
        ("notified", "team: resolved"),
    ]
    (incident,) = desk.store.incidents([1])
    assert incident.told_at is not None
    assert incident.told_at >= at(60)


def test_channels_are_made_from_the_settings_when_something_is_due(
    desk: Office, hook: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a secret that others have, the message is left to them."""
    desk.report(0, failed(0))
    desk.channels = None
    monkeypatch.delenv("TEAM_URL", raising=False)
    done = desk.deliver(2)
    assert "TEAM_URL is not set" in done.problems[0]
    assert desk.row().status is DeliveryStatus.PENDING
    monkeypatch.setenv("TEAM_URL", hook.url)
    assert desk.deliver(2) == Delivered(sent=1)


def test_what_fails_is_tried_again_with_growing_pauses_and_the_same_key(
    desk: Office, hook: HttpServer
) -> None:
    """The number of tries, the reason and the next time are in the outbox."""
    hook.replies.extend([WENT_WRONG, WENT_WRONG])
    desk.report(0, failed(0))
    done = desk.deliver(2)
    assert (done.failed, done.problems) == (1, ("team: The webhook answered 500.",))
    row = desk.row()
    assert (row.status, row.retry_count) == (DeliveryStatus.PENDING, 1)
    assert row.last_error == "The webhook answered 500."
    assert timedelta(seconds=8) <= row.not_before - at(120) <= timedelta(seconds=13)
    assert desk.deliver(2.1) == Delivered()
    assert desk.deliver(2.5).failed == 1
    assert timedelta(seconds=24) <= desk.row().not_before - at(150) <= timedelta(seconds=37)
    assert desk.deliver(4).sent == 1
    assert len(set(keys(hook))) == 1


def test_a_channel_that_asks_to_wait_is_left_alone(desk: Office, hook: HttpServer) -> None:
    """Nothing else is sent there until then, and everything after it."""
    hook.replies.append(Reply(status=429, headers={"Retry-After": "300"}))
    desk.report(0, failed(0, "one", error="first"), failed(0, "two", error="second"))
    assert desk.deliver(2).failed == 1
    desk.report(3, failed(3, "three", error="third"))
    assert desk.deliver(5) == Delivered()
    assert len(hook.requests) == 1
    assert desk.next_due_at() is not None
    assert desk.deliver_all(7.2).sent == 3
    assert len(hook.requests) == 4


def test_a_refusal_for_good_is_a_dead_letter_at_once(desk: Office, hook: HttpServer) -> None:
    """A revoked webhook is not asked again; other messages try for themselves."""
    hook.replies.append(Reply(status=404))
    desk.report(0, failed(0, "one", error="first"), failed(0, "two", error="second"))
    done = desk.deliver(2)
    assert (done.given_up, done.sent) == (1, 1)
    (letter,) = desk.store.letters()
    assert (letter.status, letter.attempts) == (LetterStatus.PENDING, 1)
    assert letter.reason == "The webhook answered 404."
    assert letter.notification_id == keys(hook)[0]
    assert ("not_notified", "team: given up at try 1: The webhook answered 404.") in desk.trail()


def test_the_last_try_leaves_a_dead_letter_that_can_be_retried(
    desk: Office, hook: HttpServer
) -> None:
    """Eight tries within some hours; a retry begins anew and its result closes the letter."""
    hook.replies.extend([WENT_WRONG] * backoff.TRIES)
    desk.report(0, failed(0))
    minute, tries = 2.0, 0
    while desk.row().status is DeliveryStatus.PENDING:
        tries += bool(desk.deliver(minute).problems)
        due = desk.next_due_at()
        minute = (due - at(0)).total_seconds() / 60 + 0.01 if due else minute
    assert (tries, desk.row().status) == (backoff.TRIES, DeliveryStatus.FAILED)
    assert 180 < minute < 280
    (letter,) = desk.store.letters()
    assert letter.attempts == backoff.TRIES
    assert b"login fails in production" in letter.event_data.encode()

    now = at(minute * 60)
    assert desk.store.retry_message_letters([letter.letter_id], now) == (letter.notification_id,)
    assert desk.store.letters()[0].status is LetterStatus.PROCESSING
    assert desk.deliver(minute + 0.01).sent == 1
    (letter,) = desk.store.letters()
    assert (letter.status, letter.attempts) == (LetterStatus.SUCCEEDED, backoff.TRIES + 1)
    assert letter.processed_at is not None
    assert desk.store.retry_message_letters([letter.letter_id], now) == ()


def test_a_retry_of_news_that_is_old_by_now_is_not_sent(desk: Office, hook: HttpServer) -> None:
    """The letter is closed, and the outbox says why."""
    hook.replies.append(Reply(status=410))
    desk.report(0, failed(0))
    desk.deliver(2)
    desk.report(5, passed(5))
    desk.deliver(6)
    (letter,) = desk.store.letters()
    desk.store.retry_message_letters([letter.letter_id], at(400))
    assert desk.deliver(7).suppressed == 1
    assert desk.store.letters()[0].status is LetterStatus.FAILED
    assert [it.reason for it in desk.rows()] == [
        "resolved before it was told",
        "its opening was not told",
    ]
    assert len(hook.requests) == 1


def test_a_dead_channel_delays_no_other(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> None:
    """Its time-out passes while the others' messages are sent and recorded."""
    with HttpServer(Reply(hangs=True)) as dead:
        desk = office(store, settings_for, {"dead": dead, "team": hook})
        desk.report(0, failed(0))
        arrived: list[float] = []
        done = desk.deliver(2)
        arrived += [(it.sent_at - at(120)).total_seconds() for it in desk.rows() if it.sent_at]
    assert (done.sent, done.failed) == (1, 1)
    assert arrived[0] < 2  # the time-out
    assert done.problems[0].startswith("dead: The webhook did not answer")


def test_a_dead_channel_is_asked_once_in_a_round(
    store: Store, settings_for: Callable[..., Settings]
) -> None:
    """The others wait for the next round, where they go before the one that failed."""
    with HttpServer(WENT_WRONG) as dead:
        desk = office(store, settings_for, {"dead": dead})
        desk.report(0, *(failed(0, f"w{number}", error=f"e{number}") for number in range(3)))
        desk.deliver(2)
        assert sorted(it.retry_count for it in desk.rows()) == [0, 0, 1]
        assert desk.deliver(2.1) == Delivered()
        desk.deliver(2.3)
        assert sorted(it.retry_count for it in desk.rows()) == [0, 1, 1]


def test_whatever_a_channel_raises_is_a_failed_try(desk: Office) -> None:
    """A bug in a channel of somebody's own stops neither the round nor the process."""

    def burst(message: Message) -> None:
        raise ZeroDivisionError(message.title)

    desk.channels = {"team": Notebook(act=burst)}
    desk.report(0, failed(0))
    assert desk.deliver(2).problems == ("team: ZeroDivisionError: login fails in production",)
    assert desk.row().retry_count == 1


def test_errors_are_stored_without_secrets(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a library says may hold the address that is the secret."""
    secrets = Secrets()
    monkeypatch.setattr(delivery, "known", secrets)
    monkeypatch.setattr(composing, "known", secrets)
    monkeypatch.setenv("TEAM_TOKEN", "T0pS3cretValue")

    def leak(message: Message) -> None:
        raise TransportError(f"https://hooks.example/T0pS3cretValue\0 {message.kind}")

    desk.channels = {"team": Notebook(act=leak)}
    desk.report(0, failed(0, error="T0pS3cretValue is wrong"))
    assert "T0pS3cretValue" not in "".join(desk.deliver(2).problems)
    assert "T0pS3cretValue" not in desk.row().last_error


def test_two_processes_at_once_send_one_message(
    desk: Office, hook: HttpServer, database_url: str
) -> None:
    """Whoever comes second finds it claimed, or sent."""
    desk.report(0, *(failed(0, f"w{number}", error=f"e{number}") for number in range(4)))
    start = threading.Barrier(4)
    done: list[Delivered] = []

    def run() -> None:
        with Store(database_url, project="shop") as store:
            start.wait()
            done.append(deliver(store, desk.settings, now=at(120), channels=desk.channels))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(it.sent for it in done) == 4
    assert len(keys(hook)) == len(set(keys(hook))) == 4


def test_limits_hold_among_processes(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer, database_url: str
) -> None:
    """What one has claimed counts for the other."""
    desk = office(store, settings_for, {"team": hook}, webhook(per_hour=3))
    start = threading.Barrier(2)

    def run() -> None:
        with Store(database_url, project="shop") as own:
            start.wait()
            deliver(own, desk.settings, now=at(120), channels=desk.channels)

    for number in range(5):
        desk.report(0, failed(0, f"w{number}", error=f"e{number}", priority=Priority.HIGH))
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hook.requests) == 3
    assert [it.status for it in desk.rows()].count(DeliveryStatus.HELD) == 2


DELIVERER = dedent("""
    import sys
    from pathlib import Path
    from pytest_workflow_monitor.notify.delivery import deliver
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from tests.delivery.office import webhook
    from tests.samples import at

    url = sys.argv[1]
    settings = Settings(root=Path.cwd(), sources={}, project="shop", channels=(webhook(),))
    with Store(url, project="shop") as store:
        print("ready", flush=True)
        deliver(store, settings, now=at(120))
""")


def deliverer(url: str, hook: HttpServer) -> subprocess.Popen[str]:
    """Start a process that delivers."""
    return subprocess.Popen(
        [sys.executable, "-c", DELIVERER, url],
        env={"TEAM_URL": hook.url, "PATH": ""},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_process_killed_while_it_sends_leaves_a_claim_that_expires(
    desk: Office, hook: HttpServer, database_url: str
) -> None:
    """Nobody knows whether the message was taken, so another sends it again, with the same key."""
    hook.replies.append(Reply(hangs=True))
    desk.report(0, failed(0))
    process = deliverer(database_url, hook)
    while not hook.requests:
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert desk.row().status is DeliveryStatus.PROCESSING
    assert desk.deliver(2.5) == Delivered()
    assert desk.deliver(3.2) == Delivered(sent=1)
    assert (desk.row().retry_count, len(set(keys(hook)))) == (1, 1)
    assert desk.row().last_error == "the process that was sending it died"


def test_a_process_killed_before_it_sends_leaves_the_message_to_others(
    desk: Office, hook: HttpServer, database_url: str
) -> None:
    """It is in the outbox since the failure was stored."""
    desk.report(0, failed(0))
    process = deliverer(database_url, hook)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.communicate()
    desk.deliver(2)
    desk.deliver(3.5)
    assert desk.row().status is DeliveryStatus.SUCCEEDED
    assert len(set(keys(hook))) == 1


def test_a_message_whose_senders_always_die_is_given_up(desk: Office) -> None:
    """What kills the process must not kill every one after it."""
    desk.report(0, failed(0))
    desk.store.connection.execute(
        "UPDATE workflow_monitor.notification_logs"
        " SET delivery_status = 'PROCESSING', claimed_until = not_before, retry_count = 7"
    )
    assert desk.deliver(2).given_up == 1
    (letter,) = desk.store.letters()
    assert letter.reason == "the process that was sending it died"


def test_a_database_lost_while_sending_sends_again_with_the_same_key(
    desk: Office, hook: HttpServer, database_url: str, settings_for: Callable[..., Settings]
) -> None:
    """At least once: what could not be recorded is repeated when the claim has expired."""
    desk.report(0, failed(0))
    with Store(database_url, project="shop") as lost:
        (backend,) = (
            lost.fetch("count_guests")
            and lost.connection.execute("SELECT pg_backend_pid() AS pid").fetchall()
        )

        def lose(_: Message) -> None:
            desk.store.connection.execute("SELECT pg_terminate_backend(%s)", (backend["pid"],))

        notebook = Notebook(act=lose)
        with pytest.raises(StoreUnreachableError):
            deliver(lost, desk.settings, now=at(120), channels={"team": notebook})
    assert desk.deliver(2.5) == Delivered()
    assert desk.deliver(3.1) == Delivered(sent=1)
    assert keys(hook) == [notebook.seen[0][0].key]


def test_a_recovery_waits_for_a_failure_that_is_not_told_yet(
    desk: Office, hook: HttpServer
) -> None:
    """People never read that it works again before they read that it failed."""
    hook.replies.append(WENT_WRONG)
    desk.report(0, failed(0))
    desk.deliver(2)
    desk.report(2, passed(2))
    assert desk.deliver(2.1) == Delivered()
    desk.deliver_all(4)
    assert titles(hook)[1:] == [
        "login failed in production, and works again",
        "login works again after 2 min 30 s",
    ]


def test_what_is_over_before_anybody_was_told_is_not_told(desk: Office, hook: HttpServer) -> None:
    """Both messages say why, and so does the audit trail."""
    desk.report(0, failed(0))
    desk.report(0.2, passed(0.2))
    desk.deliver_all(2)
    assert hook.requests == []
    assert [it.status for it in desk.rows()] == [DeliveryStatus.SUPPRESSED] * 2
    assert ("not_notified", "team: resolved before it was told") in desk.trail()


def test_later_messages_find_the_first_one(desk: Office) -> None:
    """A channel gets the reference that its latest message about the incident left."""
    notebook = Notebook()
    desk.channels = {"team": notebook}
    desk.report(0, failed(0, "one", error="first"), failed(0, "two", error="second"))
    desk.deliver(2)
    desk.report(3, passed(3, "two"))
    desk.deliver(4)
    threads = {message.thread_key for message, _ in notebook.seen}
    assert [reference for _, reference in notebook.seen] == [{}, {}, {"page": "2"}]
    assert threads == {"shop/production/1", "shop/production/2"}


def test_five_hundred_failures_make_a_handful_of_messages_that_name_all(
    desk: Office, hook: HttpServer
) -> None:
    """With one cause they are one incident; with causes of their own, one burst."""
    names = [f"w{number}" for number in range(500)]
    desk.report(0, *(failed(0, name, step=f"Step of {name}", error=name) for name in names))
    desk.deliver_all(2)
    desk.report(10, *(passed(10, name) for name in names))
    desk.deliver_all(11)
    assert titles(hook) == [
        "500 workflows fail in production",
        "500 workflows work again in production after 10 min 30 s",
    ]
    for request in hook.requests:
        assert {it["workflow_id"] for it in request.json["alerts"]} == set(names)
    assert {it.status for it in desk.rows()} == {DeliveryStatus.SUCCEEDED}


def test_a_burst_that_fails_is_repeated_as_one(desk: Office, hook: HttpServer) -> None:
    """The same message with the same key; what it tells waits with it."""
    hook.replies.append(WENT_WRONG)
    names = [f"w{number}" for number in range(8)]
    desk.report(0, *(failed(0, name, step=f"Step of {name}", error=name) for name in names))
    desk.deliver(2)
    desk.report(2, passed(2, "w3"))
    assert {it.status for it in desk.rows()} == {DeliveryStatus.PENDING}
    desk.deliver_all(3)
    assert len(set(keys(hook)[:2])) == 1
    assert titles(hook)[1:] == [
        "7 workflows fail in production",
        "w3 works again after 2 min 30 s",
    ]


def test_a_service_that_keeps_account_hears_of_each_incident(desk: Office) -> None:
    """Its incidents could not be resolved if one message had opened several."""

    class Ledger(Notebook):
        joins = False

    ledger = Ledger()
    desk.channels = {"team": ledger}
    names = [f"w{number}" for number in range(8)]
    desk.report(0, *(failed(0, name, step=f"Step of {name}", error=name) for name in names))
    desk.deliver(2)
    assert len({message.thread_key for message, _ in ledger.seen}) == 8


def test_old_messages_to_a_channel_that_is_gone_are_given_up(
    desk: Office, hook: HttpServer
) -> None:
    """Young ones are left alone: another process may have other settings."""
    desk.report(0, failed(0))
    other = Office(desk.store, desk.settings, {})
    other.settings = _without_channels(desk.settings)
    assert other.deliver(2) == Delivered()
    assert desk.row().status is DeliveryStatus.PENDING
    assert other.deliver(60 * 25).suppressed == 1
    assert desk.row().reason == "nobody has delivered to this channel for a day"
    assert desk.trail()[-1] == (
        "not_notified",
        "team: nobody has delivered to this channel for a day",
    )


def _without_channels(settings: Settings) -> Settings:
    from msgspec.structs import replace

    return replace(settings, channels=())


def test_passes_are_told_where_the_marker_asks_for_it(desk: Office, hook: HttpServer) -> None:
    """With the name, how long it took and what is normal."""
    from tests.samples import a_workflow, an_attempt

    workflow = a_workflow("order-placement", notify_on_success=True)
    desk.report(0, an_attempt(workflow, started_at=at(0)))
    assert desk.deliver(1).sent == 1
    (told,) = [request.json for request in hook.requests]
    assert (told["title"], told["kind"]) == ("order-placement passed in production", "passed")
    assert told["summary"] == ["order-placement passed in 1.5 s"]


def test_reminders_that_waited_are_not_told_all_at_once(desk: Office, hook: HttpServer) -> None:
    """After an outage people read the news once, not once for every reminder in between."""
    hook.replies.extend([WENT_WRONG] * 5)
    desk.report(0, failed(0))
    for minute in (2, 3, 4, 8, 20, 62, 180):
        tend(desk.store, desk.rules, "shop", at(minute * 60))
        desk.deliver_all(minute)
    assert titles(hook)[5:] == ["login fails in production"] * 2
    kinds = [(it.kind, it.status) for it in desk.rows()]
    assert kinds == [
        (NotificationKind.OPENED, DeliveryStatus.SUCCEEDED),
        (NotificationKind.REMINDER, DeliveryStatus.SUPPRESSED),
        (NotificationKind.REMINDER, DeliveryStatus.SUCCEEDED),
    ]
    assert desk.rows()[1].reason == "another message has told of it since"
    assert [kind for kind, _ in desk.trail()] == ["opened", "notified", "not_notified", "reminded"]
