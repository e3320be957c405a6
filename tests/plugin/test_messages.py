"""Sessions that tell people: beside the tests and after them, at nobody's cost."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.store import Store
from pytest_workflow_monitor.words.alerts import DeliveryStatus, Notification
from tests.notify.servers import HttpServer, Reply
from tests.plugin.stored import ended, go_on, start, until
from tests.plugin.test_kills import shipper_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.plugin.conftest import Suite

FAILS = """
    import pytest

    @pytest.mark.workflow("login")
    def test_login():
        assert False, "nobody can log in"
"""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    """Return the server that the channel ``team`` posts to."""
    with HttpServer(Reply()) as made:
        monkeypatch.setenv("TEAM_URL", made.url)
        yield made


def configure(suite: Suite, group_wait: float) -> None:
    """Give the suite a test that fails and a channel."""
    suite.write("test_fails.py", FAILS)
    suite.write(
        "pyproject.toml",
        f"""
        [tool.workflow_monitor]
        project = "shop"
        environment = "production"

        [tool.workflow_monitor.alerts]
        group_wait = {group_wait}

        [tool.workflow_monitor.channels.team]
        type = "webhook"
        url_env = "TEAM_URL"
        """,
    )


def outbox(database_url: str) -> tuple[Notification, ...]:
    """Return all messages."""
    with Store(database_url) as store:
        rows = store.connection.execute(
            "SELECT notification_id::text AS id FROM workflow_monitor.notification_logs"
        ).fetchall()
        return store.notifications([row["id"] for row in rows])


def test_a_message_goes_out_while_the_session_runs(
    suite: Suite, database_url: str, hook: HttpServer
) -> None:
    """Whoever waits for a long session hears of its first failure at once."""
    configure(suite, group_wait=0)
    process = start(suite, database_url, "--workflow-notify")
    (request,) = until(lambda: hook.requests or None)
    assert process.poll() is None
    assert request.json["title"] == "login fails in production"
    go_on(suite, process)
    until(lambda: not suite.journals())
    assert [it.status for it in outbox(database_url)] == [DeliveryStatus.SUCCEEDED]


def test_pytest_does_not_wait_for_a_channel(
    suite: Suite, database_url: str, hook: HttpServer
) -> None:
    """The message is delivered after the group wait, when pytest has long ended."""
    configure(suite, group_wait=12)
    hook.replies.append(Reply(status=500))
    run = suite.run("--workflow-notify", env={"DATABASE_URL": database_url})
    assert run.result.ret == 1
    assert not hook.requests
    until(lambda: len(hook.requests) == 2 or None, seconds=60)
    first, second = hook.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    until(lambda: outbox(database_url)[0].status is DeliveryStatus.SUCCEEDED or None)


def test_messages_survive_a_database_that_goes_away(
    suite: Suite, database_url: str, hook: HttpServer
) -> None:
    """Whoever delivers comes back when the database does."""
    configure(suite, group_wait=2)
    process = start(suite, database_url, "--workflow-notify")
    until(lambda: outbox(database_url) or None)
    with Store(database_url) as store:
        store.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    until(lambda: hook.requests or None)
    assert process.poll() is None
    go_on(suite, process)
    until(lambda: not suite.journals())
    assert {it.status for it in outbox(database_url)} == {DeliveryStatus.SUCCEEDED}


def test_what_a_killed_shipper_left_is_sent_by_the_next(
    suite: Suite, database_url: str, hook: HttpServer
) -> None:
    """The message is in the outbox with the result, whoever sends it."""
    configure(suite, group_wait=5)
    process = start(suite, database_url, "--workflow-notify")
    until(lambda: outbox(database_url) or None)
    os.kill(until(lambda: shipper_of(suite)), signal.SIGKILL)
    go_on(suite, process)
    suite.write("test_shop.py", "")
    suite.run("--workflow-notify", "test_fails.py", env={"DATABASE_URL": database_url})
    (request,) = until(lambda: hook.requests or None)
    assert request.json["title"] == "login fails in production"
    until(lambda: outbox(database_url)[0].status is DeliveryStatus.SUCCEEDED or None)
    assert len(outbox(database_url)) == len(hook.requests) == 1


def test_a_session_that_was_not_asked_to_notify_only_records(
    suite: Suite, database_url: str, hook: HttpServer
) -> None:
    """On a laptop and in CI nobody is told."""
    configure(suite, group_wait=0)
    suite.run("--no-workflow-notify", env={"DATABASE_URL": database_url})
    until(lambda: ended(database_url))
    until(lambda: not suite.journals())
    assert outbox(database_url) == ()
    assert not hook.requests
