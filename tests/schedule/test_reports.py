"""Reports that processes make by themselves: the scheduler, and a tick of crontab."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from tests.notify.servers import HttpServer, Reply
from tests.plugin.stored import until
from tests.samples import a_session, an_attempt, an_end
from tests.schedule.timetable import ENVIRONMENT, PROJECT
from tests.schedule.yard import CONFIGURATION, Yard

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANNEL = """
    [tool.workflow_monitor.channels.team]
    type = "webhook"
    url_env = "TEAM_URL"
"""


@pytest.fixture
def hook() -> Iterator[HttpServer]:
    """Return the server that the channel ``team`` posts to."""
    with HttpServer(Reply()) as made:
        yield made


@pytest.fixture
def ran(yard: Yard) -> Yard:
    """Return a project with a channel, where something ran three days ago."""
    yard.write("pyproject.toml", CONFIGURATION + CHANNEL)
    yard.write("test_it.py", "def test_nothing(): pass\n")
    began = datetime.now(UTC) - timedelta(days=3)
    session = a_session(project=PROJECT, environment=ENVIRONMENT, started_at=began)
    batch = Batch(attempts=[an_attempt("order", started_at=began)], ended=an_end())
    ingest(yard.store, session, batch)
    return yard


def made(yard: Yard) -> list[bool]:
    """Tell of each kept report whether a channel took it."""
    return [it.notified_at is not None for it in yard.store.kept_reports(PROJECT, 10)]


def test_a_tick_makes_and_sends_the_report_that_is_due(ran: Yard, hook: HttpServer) -> None:
    """Of all the mornings that were missed the last; the next tick has nothing to do."""
    for _ in range(2):
        assert ran.start("tick", TEAM_URL=hook.url).wait() == 0
    assert made(ran) == [True]
    assert [request.json["word"] for request in hook.requests] == ["Daily report"]


def test_schedulers_that_start_at_once_make_and_send_one(ran: Yard, hook: HttpServer) -> None:
    """Although nobody was there at eight o'clock."""
    processes = [ran.start("schedule", "run", TEAM_URL=hook.url) for _ in range(2)]
    until(lambda: made(ran) == [True])
    for process in processes:
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
    assert made(ran) == [True]
    assert len(hook.requests) == 1
