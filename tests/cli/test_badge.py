"""``workflow-monitor badge`` from what is stored. Real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.store import Store
from tests.samples import a_session, an_attempt, an_end

if TYPE_CHECKING:
    from tests.cli.conftest import Project

RUNS = {
    "login": [Status.FAILED, *[Status.PASSED] * 9],
    "order[eur]": [Status.PASSED, Status.FAILED],
    "order[usd]": [Status.DEGRADED, Status.DEGRADED, Status.SKIPPED, Status.INTERRUPTED],
}


@pytest.fixture
def shop(stored: Project, database_url: str) -> Project:
    """Return a project whose workflows ran an hour apart, the last one an hour ago."""
    now = datetime.now(UTC)
    with Store(database_url) as store:
        for workflow_id, statuses in RUNS.items():
            for back, status in enumerate(reversed(statuses)):
                started_at = now - timedelta(hours=1 + back)
                session = a_session(started_at=started_at, git_branch="main")
                attempt = an_attempt(workflow_id, status=status, started_at=started_at, steps=())
                ended = an_end(ended_at=started_at + timedelta(minutes=1))
                ingest(store, session, Batch(attempts=[attempt], ended=ended))
    return stored


def said(svg: str) -> str:
    """What a badge tells those who cannot see it."""
    return svg.partition("<title>")[2].partition("</title>")[0]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "shop: 1 of 3 failing 85.7 % 30 d"),
        (("login",), "login: passing 90 % 30 d"),
        (("login", "--window", "3h"), "login: passing 100 % 3 h"),
        (("order[eur]",), "order[eur]: failing 50 % 30 d"),
        (("order[usd]",), "order[usd]: degraded 100 % 30 d"),
        (("order",), "order: 1 of 2 failing 75 % 30 d"),
        (("login", "--environment", "staging"), "login: no data"),
        (("login", "--label", "Sign in"), "Sign in: passing 90 % 30 d"),
    ],
    ids=" ".join,
)
def test_a_badge_tells_how_workflows_stand(
    shop: Project, arguments: tuple[str, ...], told: str
) -> None:
    """By their latest verdict; what was skipped or interrupted says nothing."""
    found = shop.run("badge", *arguments)
    assert (found.code, found.err) == (0, "")
    assert said(found.out) == told


def test_a_badge_is_written_to_a_file(shop: Project) -> None:
    """And a second time over it."""
    for _ in range(2):
        found = shop.run("badge", "login", "--output", "public/login.svg")
        assert (found.code, found.out, found.err) == (0, "", "Written: public/login.svg\n")
    assert said((shop.path / "public/login.svg").read_text()) == "login: passing 90 % 30 d"


def test_a_dash_is_standard_output_and_nothing_is_no_file(shop: Project) -> None:
    """As for every other command with an output."""
    assert shop.run("badge", "--output", "-").out == shop.run("badge").out
    assert not (shop.path / "-").exists()
    for command in (("badge",), ("export", "crontab"), ("report",)):
        found = shop.run(*command, "--output", "")
        assert (found.code, found.out) == (2, "")
        assert found.err.endswith("Error: Invalid value for '--output': it names no file.\n")


@pytest.mark.parametrize("window", ["9999999d", "99999999999999999999d"])
def test_a_window_longer_than_the_calendar_is_a_mistake(shop: Project, window: str) -> None:
    """It is one sentence."""
    found = shop.run("badge", "--window", window)
    assert (found.code, found.out) == (2, "")
    assert found.err.endswith("Error: --window is too long for the calendar.\n")


def test_an_empty_id_is_not_all_workflows(shop: Project) -> None:
    """A variable that is not set in a script does not widen what is asked."""
    found = shop.run("badge", "")
    assert (found.code, found.out) == (5, "")
    assert "has no workflow ''" in found.err


def test_a_workflow_that_never_ran_has_no_badge(shop: Project) -> None:
    """The nearest one is named."""
    found = shop.run("badge", "logni")
    assert (found.code, found.out) == (5, "")
    assert found.err == "Error: The project shop has no workflow 'logni'; did you mean login?\n"
