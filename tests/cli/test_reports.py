from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Status
from tests.cli.conftest import SETTINGS
from tests.notify.servers import HttpServer, Reply
from tests.samples import a_session, an_attempt, an_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

MORNING = "2026-03-02"
SEND = ("report", "--name", "daily", "--until", MORNING, "--send")


@pytest.fixture
def hook() -> Iterator[HttpServer]:
    """Return the server that the channel ``team`` posts to."""
    with HttpServer(Reply()) as made:
        yield made


@pytest.fixture
def ran(stored: Project, store: Store, hook: HttpServer) -> Project:
    """Return a project where something ran on Sunday 1 March 2026, with a channel."""
    table = '\n[tool.workflow_monitor.channels.team]\ntype = "webhook"\nurl_env = "TEAM_URL"\n'
    stored.write("pyproject.toml", SETTINGS + table)
    stored.env["TEAM_URL"] = hook.url
    attempts = [an_attempt("order"), an_attempt("login", status=Status.FAILED)]
    ingest(store, a_session(), Batch(attempts=attempts, ended=an_end()))
    return stored


def test_crontab_sends_a_report_once(ran: Project, hook: HttpServer) -> None:
    """The second run says so, and is no failure."""
    first = ran.run(*SEND)
    assert first.code == 0
    assert "is kept: 50 % of 2 executions passed" in first.err
    assert "Sent 1 message." in first.err
    again = ran.run(*SEND)
    assert again.code == 0
    assert "it is sent once" in again.err
    assert len(hook.requests) == 1


def test_a_message_that_cannot_be_sent_shows_in_the_exit_code(
    ran: Project, hook: HttpServer
) -> None:
    """The report is written all the same, and the message is tried again later."""
    hook.usual = Reply(status=500)
    said = ran.run(*SEND, "--output", "daily.md")
    assert said.code == 1
    assert "answered 500" in said.err
    assert "50 % of 2 executions passed" in (ran.path / "daily.md").read_text()


def test_nothing_is_sent_about_a_time_before_anything_ran(ran: Project, hook: HttpServer) -> None:
    """A project that begins has no empty reports."""
    said = ran.run("report", "--name", "daily", "--until", "2026-02-01", "--send")
    assert (said.code, hook.requests) == (0, [])
    assert "Nothing ran before the end of this period" in said.err
    assert ran.run("reports", "--json").json == []


@pytest.mark.parametrize(
    "options", [("--period", "daily"), ("--name", "daily", "--section", "errors")]
)
def test_only_a_whole_report_of_the_settings_is_sent(
    ran: Project, options: tuple[str, ...]
) -> None:
    """The settings say who gets it."""
    said = ran.run("report", *options, "--send")
    assert said.code == 2
    assert "--send is for a whole report of the settings" in said.err


def test_kept_reports_are_listed(ran: Project) -> None:
    """With their verdict, and when they were sent."""
    ran.run(*SEND)
    shown = ran.run("reports", width=120)
    assert shown.code == 0
    assert "1 report of shop" in shown.out
    assert "! 50 % of 2 executions passed" in shown.out
    (found,) = ran.run("reports", "--json").json
    assert (found["report_name"], found["total_runs"], found["failed_runs"]) == ("daily", 2, 1)
    assert found["notified_at"] is not None
    assert ran.run("reports", "--json", "--name", "weekly").json == []
    assert ran.run("reports", "--json", "--environment", "staging").json == []


def test_a_kept_report_is_written_again_in_any_format(ran: Project) -> None:
    """From what is kept: what was deleted since, or came late, changes nothing."""
    ran.run(*SEND)
    (kept,) = ran.run("reports", "--json").json
    number = str(kept["report_id"])
    assert ran.run("reports", "show", number).code == 0
    page = (ran.path / f"workflow-report-{number}.html").read_text(encoding="utf-8")
    assert kept["verdict"] in page
    assert kept["verdict"] in ran.run("reports", "show", number, "--output", "again.md").err
    assert kept["verdict"] in (ran.path / "again.md").read_text(encoding="utf-8")
    table = ran.run("reports", "show", number, "--format", "csv", "--output", "-").out
    assert "login" in table
    document = ran.run("reports", "show", number, "--json").json
    assert (document["verdict"], document["schema_version"]) == (kept["verdict"], 1)


def test_a_report_that_is_not_kept_is_nothing(ran: Project) -> None:
    """One sentence, and the exit code for nothing there."""
    said = ran.run("reports", "show", "7")
    assert (said.code, said.err) == (5, "Error: shop keeps no report 7.\n")


def test_without_reports_the_list_says_how_one_comes_about(stored: Project) -> None:
    """An empty list is no mistake."""
    said = stored.run("reports")
    assert said.code == 0
    assert "a scheduler makes them" in said.err


def test_a_wrong_cron_expression_of_a_report_is_refused_at_once(stored: Project) -> None:
    """As that of a maintenance window is."""
    table = '\n[[tool.workflow_monitor.reports]]\nname = "team"\ncron = "0 25 * * *"\n'
    stored.write("pyproject.toml", SETTINGS + table)
    said = stored.run("reports")
    assert said.code == 2
    assert "reports: team: cron = '0 25 * * *'" in said.err
