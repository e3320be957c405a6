from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.notify.samples import SAMPLES
from tests.keeping.alerts.site import Site, failed
from tests.notify.servers import HttpServer, Reply
from tests.samples import at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

CHANNELS = """
    [tool.workflow_monitor]
    project = "shop"

    [tool.workflow_monitor.channels.team]
    type = "webhook"
    url_env = "HOOK_URL"

    [tool.workflow_monitor.channels.mail]
    type = "email"
    host = "127.0.0.1"
    port = 1
    encryption = "none"
    from = "monitor@example.com"
    to = "team@example.com"

    [[tool.workflow_monitor.routes]]
    channels = ["team"]
"""


@pytest.fixture
def site(store: Store) -> Site:
    """A site where login failed a few minutes ago."""
    made = Site(store)
    minute = (store.clock() - at(0)).total_seconds() / 60 - 5
    made.report(minute, failed(minute))
    return made


@pytest.fixture
def hook() -> Iterator[HttpServer]:
    """A service that takes everything."""
    with HttpServer(Reply(body=b"ok")) as running:
        yield running


@pytest.fixture
def channels(stored: Project, hook: HttpServer) -> Project:
    """A project with a channel that works and one that does not."""
    stored.write("pyproject.toml", CHANNELS)
    stored.env["HOOK_URL"] = hook.url
    return stored


def test_send_delivers_what_waits(channels: Project, site: Site, hook: HttpServer) -> None:
    """An incident's messages in their order; what a person does is told at once."""
    said = channels.run("notify", "send")
    assert (said.code, said.out) == (0, "Sent 1 message.\n")
    channels.run("alerts", "ack", "1")
    channels.run("alerts", "resolve", "1")
    assert channels.run("notify", "send", "--json").json["sent"] == 0
    assert [it.json["kind"] for it in hook.requests] == ["opened", "acknowledged", "resolved"]
    said = channels.run("notify", "send")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_send_reminds(channels: Project, site: Site, hook: HttpServer) -> None:
    """What has been open for long is told again."""
    channels.run("notify", "send")
    site.store.connection.execute(
        "UPDATE workflow_monitor.incidents SET next_reminder_at = now() - interval '1 minute'"
    )
    channels.run("notify", "send")
    assert [it.json["kind"] for it in hook.requests] == ["opened", "reminder"]


def test_a_channel_that_fails_is_told(channels: Project, site: Site, hook: HttpServer) -> None:
    """With what it said and exit code 1; the message is kept."""
    hook.usual = Reply(status=500)
    said = channels.run("notify", "send")
    assert (said.code, said.out) == (1, "Sent 0 messages; 1 to be tried again.\n")
    assert said.err.startswith("team: ")
    assert site.outbox() == [("team", "opened", "PENDING")]


def test_send_has_nothing_to_do_before_there_is_data(project: Project) -> None:
    """No database is created for that."""
    project.write("pyproject.toml", CHANNELS)
    said = project.run("notify", "send")
    assert (said.code, said.out, said.err) == (0, "", "")
    assert not (project.path / ".workflow-monitor").exists()


def test_samples_are_sent_and_the_answers_told(channels: Project, hook: HttpServer) -> None:
    """One of each kind; exit code 0 when all were taken."""
    said = channels.run("notify", "test", "team")
    assert said.code == 0
    assert [line.split(":")[0] for line in said.out.splitlines()] == [
        f"✓ team, {name}" for name in SAMPLES
    ]
    assert all(it.json["is_test"] for it in hook.requests)


def test_a_sample_that_is_refused_is_told(channels: Project, hook: HttpServer) -> None:
    """All channels are tried all the same; exit code 1."""
    hook.replies.append(Reply(status=404))
    said = channels.run("notify", "test", "--json")
    assert said.code == 1
    by_channel = {
        name: [it["sent"] for it in said.json if it["channel"] == name] for name in ("team", "mail")
    }
    assert by_channel["team"] == [False] + [True] * (len(SAMPLES) - 1)
    assert by_channel["mail"] == [False] * len(SAMPLES)
    assert "404" in said.json[0]["said"]
    assert channels.run("notify", "test", "mail").out.startswith("✗ mail, failure: ")


def test_a_preview_sends_nothing(channels: Project, hook: HttpServer) -> None:
    """It shows what each channel would send."""
    (shown,) = channels.run("notify", "preview", "team", "--kind", "failure", "--json").json
    assert (shown["channel"], shown["sample"]) == ("team", "failure")
    assert "Order placement fails" in shown["content"]
    said = channels.run("notify", "preview")
    assert said.code == 0
    assert "mail, digest:" in said.err
    assert "Subject: " in said.out
    assert hook.requests == []


def test_the_page_of_a_mail_is_written(channels: Project, tmp_path: Path) -> None:
    """To be looked at in a browser."""
    target = tmp_path / "mail.html"
    said = channels.run("notify", "preview", "mail", "--kind", "resolved", "--html", str(target))
    assert (said.code, said.out) == (0, f"{target}\n")
    assert "works again" in target.read_text()
    page = target.read_text()
    assert page.lstrip().lower().startswith("<!doctype html")
    assert "✓ Resolved" in page


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("test", "slakc"), 5, "There is no channel 'slakc'; known are team, mail."),
        (("preview", "slakc"), 5, "There is no channel 'slakc'; known are team, mail."),
        (("preview", "--kind", "odd"), 2, "There is no sample 'odd'; there are failure, "),
        (("preview", "team", "--kind", "failure", "--html", "x"), 2, "--html needs the name of an"),
        (("preview", "mail", "--html", "x"), 2, "--html needs the name of an"),
    ],
)
def test_mistakes_are_named(
    channels: Project, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    """In one sentence each."""
    said = channels.run("notify", *arguments, width=200)
    assert said.code == code
    assert sentence in said.err
    assert not (channels.path / "x").exists()


@pytest.mark.parametrize("command", ["test", "preview"])
def test_without_channels_there_is_nothing_to_try(project: Project, command: str) -> None:
    """One sentence says how to get one."""
    said = project.run("notify", command)
    assert said.code == 5
    assert "No channel is configured" in said.err


def test_a_missing_secret_is_what_came_back(channels: Project) -> None:
    """The variable is named; nothing else breaks."""
    del channels.env["HOOK_URL"]
    said = channels.run("notify", "test", "team")
    assert said.code == 1
    assert "HOOK_URL" in said.out
