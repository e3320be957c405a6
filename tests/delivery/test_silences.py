from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.keeping.alerts import acknowledge, end_silence, tend
from pytest_workflow_monitor.notify.delivery import deliver
from pytest_workflow_monitor.settings.alert_rules import (
    AlertSettings,
    Escalation,
    Maintenance,
    Route,
    Telling,
)
from pytest_workflow_monitor.store import Store
from tests.delivery.office import Office, office, titles
from tests.keeping.alerts.site import failed, passed
from tests.notify.servers import HttpServer, Reply
from tests.samples import at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_workflow_monitor.settings import Settings


def test_a_silence_puts_the_message_off_until_it_ends(desk: Office, hook: HttpServer) -> None:
    """The reason is noted once; what still fails then is told."""
    desk.report(0, failed(0))
    desk.store.add_silence(
        "shop", {"workflow": ["login"]}, starts_at=at(0), ends_at=at(600), author="ann", reason="x"
    )
    assert desk.deliver(2).put_off == 1
    assert desk.row().reason == "silenced by ann until 2026-03-01 12:10 UTC: x"
    assert desk.next_due_at() == at(600)
    assert desk.deliver(11).sent == 1
    assert [kind for kind, _ in desk.trail()] == ["opened", "not_notified", "notified"]


def test_a_maintenance_window_puts_the_message_off(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> None:
    """As a silence does."""
    window = Maintenance(name="weekly", cron="0 12 * * *", duration_seconds=3600)
    desk = office(store, settings_for, {"team": hook}, maintenance=(window,))
    desk.report(0, failed(0))
    assert desk.deliver(2).put_off == 1
    assert "weekly" in desk.row().reason
    assert desk.deliver(61).sent == 1


MINUTES = 60


@pytest.fixture
def duty(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> Iterator[tuple[Office, HttpServer]]:
    """Return a project that tells ``team``, and ``duty`` after a quarter of an hour.

    The failure of minute 0 has been told when a silence from minute 10 to minute 100 begins.
    """
    with HttpServer(Reply()) as pager:
        desk = office(
            store,
            settings_for,
            {"team": hook, "duty": pager},
            routes=(Route(channels=("team",)),),
            escalations=(
                Escalation(after_seconds=15 * MINUTES, channels=("duty",)),
                Escalation(after_seconds=60 * MINUTES, channels=("duty", "team")),
            ),
            alerts=AlertSettings(telling=Telling(remind_after_seconds=0)),
        )
        desk.report(0, failed(0))
        desk.deliver(2)
        silence(desk)
        yield desk, pager


def silence(desk: Office) -> None:
    """Silence everything of ``login`` until minute 100."""
    desk.store.add_silence(
        "shop",
        {"workflow": ["login"]},
        starts_at=at(10 * MINUTES),
        ends_at=at(100 * MINUTES),
        author="ann",
        reason="x",
    )


def pass_time(desk: Office, *when: float) -> None:
    """Escalate and deliver at some minutes."""
    for minute in when:
        tend(desk.store, desk.rules, "shop", at(minute * MINUTES))
        desk.deliver_all(minute)


def test_an_escalation_in_a_silence_is_told_when_it_ends(
    duty: tuple[Office, HttpServer], hook: HttpServer
) -> None:
    """Late and once, whatever number of steps fell into it, with the time since it is open."""
    desk, pager = duty
    pass_time(desk, 16, 40, 61, 99)
    assert pager.requests == []
    states = desk.store.channel_states("shop", at(99 * MINUTES))
    assert [(it.channel, it.waiting, it.overdue_since) for it in states] == [
        ("duty", 2, None),
        ("team", 1, None),
    ]
    pass_time(desk, 100, 101, 200)
    (told,) = [request.json for request in pager.requests]
    assert told["kind"] == "escalation"
    assert told["note"] == "not acknowledged for 1 h 39 min, open since 12:00 UTC"
    assert titles(hook) == ["login fails in production"] * 2
    assert desk.next_due_at() is None


@pytest.mark.parametrize("how", ["resolved", "acknowledged"])
def test_an_escalation_in_a_silence_is_not_told_of_what_is_looked_after_when_it_ends(
    duty: tuple[Office, HttpServer], hook: HttpServer, how: str
) -> None:
    """Nobody else is called then; who knew hears of it at once, silence or not."""
    desk, pager = duty
    pass_time(desk, 16, 61)
    if how == "resolved":
        desk.report(70, passed(70))
    else:
        acknowledge(
            desk.store, desk.rules, desk.alerts(), actor="ada", reason="", now=at(70 * MINUTES)
        )
    desk.deliver_all(71)
    assert [request.json["kind"] for request in hook.requests] == ["opened", how]
    pass_time(desk, 100, 101, 200)
    assert (len(hook.requests), pager.requests) == (2, [])
    assert desk.next_due_at() is None


def test_an_escalation_in_a_maintenance_window_is_told_when_it_closes(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> None:
    """The opening is told then, too: a channel that hears both hears one."""
    window = Maintenance(name="weekly", cron="0 12 * * *", duration_seconds=3600)
    with HttpServer(Reply()) as pager:
        desk = office(
            store,
            settings_for,
            {"team": hook, "duty": pager},
            maintenance=(window,),
            routes=(Route(channels=("team",)),),
            escalations=(Escalation(after_seconds=900, channels=("duty", "team")),),
        )
        desk.report(0, failed(0))
        pass_time(desk, 2, 16, 59)
        assert (hook.requests, pager.requests) == ([], [])
        pass_time(desk, 61, 62)
        assert [request.json["kind"] for request in hook.requests] == ["opened"]
        assert [request.json["kind"] for request in pager.requests] == ["escalation"]


def test_an_escalation_is_told_at_once_when_its_silence_is_ended(
    duty: tuple[Office, HttpServer],
) -> None:
    """Whoever ends it early wants to hear."""
    desk, pager = duty
    pass_time(desk, 16)
    (found,) = desk.store.silences("shop", at(20 * MINUTES))
    end_silence(desk.store, "shop", found.silence_id, actor="joe", now=at(20 * MINUTES))
    pass_time(desk, 20)
    assert [request.json["kind"] for request in pager.requests] == ["escalation"]


def test_two_processes_tell_an_escalation_once_when_a_silence_ends(
    duty: tuple[Office, HttpServer], database_url: str
) -> None:
    """Two steps wait in one channel; whoever comes second finds it told."""
    desk, pager = duty
    pass_time(desk, 16, 61)
    start = threading.Barrier(2)

    def run() -> None:
        with Store(database_url, project="shop") as own:
            start.wait()
            while deliver(own, desk.settings, now=at(100 * MINUTES), channels=desk.channels).moved:
                pass

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.deliver_all(101)
    assert len(pager.requests) == 1
