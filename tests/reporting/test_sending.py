from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.notify.registry import build
from pytest_workflow_monitor.reporting import make_due
from pytest_workflow_monitor.settings.alert_rules import ChannelRule
from pytest_workflow_monitor.settings.report_rules import ReportRule
from pytest_workflow_monitor.store import LetterStatus
from pytest_workflow_monitor.words.alerts import DeliveryStatus
from tests.delivery.office import Notebook, webhook
from tests.notify.servers import HttpServer, Reply, SmtpServer
from tests.reporting.newsroom import MORNING, newsroom, report_rows
from tests.samples import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

MINUTE = (MORNING - START).total_seconds() / 60
TEAM = webhook()


@pytest.fixture
def hook() -> Iterator[HttpServer]:
    """Return the server that the channel ``team`` posts to."""
    with HttpServer(Reply()) as made:
        yield made


def test_a_webhook_hears_the_verdict_the_figures_and_what_to_do(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> None:
    """With commands, and how to see the whole, since it can carry no file."""
    channels = {"team": build(TEAM, {"TEAM_URL": hook.url})}
    room = newsroom(store, settings_for, channels)
    (kept,) = make_due(store, room.settings, MORNING)
    room.deliver_all(MINUTE)
    (request,) = hook.requests
    said = request.json
    assert (said["kind"], said["word"], said["title"]) == ("summary", "Daily report", kept.verdict)
    assert (said["tone"], said["is_good"], said["note"]) == (
        "failed",
        False,
        "Sunday 1 Mar 2026 (UTC)",
    )
    assert "Success rate: 90.9 %" in said["summary"]
    assert "Executions: 11" in said["summary"]
    (advice,) = (line for line in said["summary"] if line.startswith("✗ "))
    assert "login" in advice
    assert "workflow-monitor " in advice
    assert said["summary"][-1] == (
        f"– The whole report as a page: workflow-monitor reports show {kept.report_id}"
    )


def test_a_mail_carries_the_page(store: Store, settings_for: Callable[..., Settings]) -> None:
    """The attachment is the report; the text says what it says."""
    with SmtpServer() as smtp:
        frame = {"host": "127.0.0.1", "port": smtp.port, "encryption": "none"}
        options = {**frame, "from": "monitor@shop.example", "to": "team@shop.example"}
        rule = ChannelRule(name="team", type="email", options=options)
        room = newsroom(store, settings_for, {"team": build(rule, {})})
        (kept,) = make_due(store, room.settings, MORNING)
        room.deliver_all(MINUTE)
        (mail,) = smtp.mails
    (page,) = mail.message.iter_attachments()
    assert page.get_filename() == "daily-2026-03-01.html"
    assert kept.verdict in str(page.get_content())
    assert kept.verdict in str(mail.message["Subject"])
    text = mail.message.get_body(("plain",))
    assert text is not None
    assert "reports show" not in str(text.get_content())


def test_a_report_that_is_not_to_be_attached_is_linked(
    store: Store, settings_for: Callable[..., Settings]
) -> None:
    """The address is filled with what tells one report from another."""

    class Carrier(Notebook):
        carries_files = True

    notebook = Carrier()
    room = newsroom(
        store,
        settings_for,
        {"team": notebook},
        reports=(ReportRule(name="Shop & co", attach=False),),
        reports_url="https://reports.example.com/{environment}/{name}/{day}.html?n={id}",
    )
    (kept,) = make_due(store, room.settings, MORNING)
    room.deliver_all(MINUTE)
    ((message, _),) = notebook.seen
    assert message.attachment is None
    assert message.report_url == (
        f"https://reports.example.com/production/Shop%20%26%20co/2026-03-01.html?n={kept.report_id}"
    )
    assert not any("reports show" in point.command for point in message.points)


def test_a_report_without_recommendations_says_which_incidents_are_open(
    store: Store, settings_for: Callable[..., Settings]
) -> None:
    """What is wrong now is told in any case."""
    notebook = Notebook()
    rules = (ReportRule(name="daily", sections=("overview", "incidents")),)
    room = newsroom(store, settings_for, {"team": notebook}, reports=rules)
    make_due(store, room.settings, MORNING)
    room.deliver_all(MINUTE)
    ((message, _),) = notebook.seen
    (text,) = (point.text for point in message.points if point.text.startswith("login: "))
    assert text == "login: Log in: it broke, open since 1 Mar 12:11"


def test_a_report_without_its_overview_says_the_kept_figures(
    store: Store, settings_for: Callable[..., Settings]
) -> None:
    """Whatever sections it has, a message says how many ran and passed."""
    notebook = Notebook()
    rules = (ReportRule(name="daily", sections=("errors",)),)
    room = newsroom(store, settings_for, {"team": notebook}, reports=rules)
    make_due(store, room.settings, MORNING)
    room.deliver_all(MINUTE)
    ((message, _),) = notebook.seen
    assert [(it.label, it.value) for it in message.figures][:2] == [
        ("Executions", "11"),
        ("Success rate", "90.9 %"),
    ]


def test_a_report_nobody_takes_becomes_a_letter_without_its_file(
    store: Store, settings_for: Callable[..., Settings], hook: HttpServer
) -> None:
    """What is refused for good can be tried again; the file is made anew then."""
    hook.replies.append(Reply(status=404))
    room = newsroom(store, settings_for, {"team": build(TEAM, {"TEAM_URL": hook.url})})
    make_due(store, room.settings, MORNING)
    room.deliver_all(MINUTE)
    (letter,) = store.letters()
    assert letter.status is LetterStatus.PENDING
    assert room.row().status is DeliveryStatus.FAILED
    assert report_rows(store)[0]["notified_at"] is None

    store.retry_message_letters([letter.letter_id], MORNING)
    room.deliver_all(MINUTE)
    assert room.row().status is DeliveryStatus.SUCCEEDED
    assert report_rows(store)[0]["notified_at"] is not None
