from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.keeping.alerts.site import Site, failed

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

CHANNEL = """
    [tool.workflow_monitor]
    project = "shop"

    [tool.workflow_monitor.channels.team]
    type = "webhook"
    url_env = "HOOK_URL"
"""
HOUR = ("--for", "1h", "--reason", "deploy", "--by", "ann")


@pytest.fixture
def site(store: Store) -> Site:
    """A site where login and cart fail, for causes of their own."""
    made = Site(store)
    made.report(0, failed(0))
    made.report(60, failed(60, "cart", error="down"))
    return made


def test_a_silence_says_what_and_until_when(stored: Project, site: Site) -> None:
    """Fields with several patterns, shortcuts for the usual ones, and who said why."""
    options = ("--match", "environment=production, stag*", "--workflow", "login", "--tag", "smoke")
    said = stored.run("silences", "add", *options, *HOUR)
    assert (said.code, said.err) == (0, "It matches 1 open alert now.\n")
    assert said.out.startswith("Silence 1 until ")
    (silence,) = stored.run("silences", "list", "--json").json
    assert silence["match"] == {
        "environment": ["production", "stag*"],
        "workflow": ["login"],
        "tag": ["smoke"],
    }
    assert (silence["author"], silence["reason"]) == ("ann", "deploy")
    assert datetime.fromisoformat(silence["ends_at"]) > datetime.now(UTC) + timedelta(minutes=59)
    listed = stored.run("silences", "list", width=120).out
    for fact in ("1 silence of shop", "environment=production,stag*", "ann", "deploy"):
        assert fact in listed


def test_a_silence_until_an_instant(stored: Project, site: Site) -> None:
    """A day or an instant; JSON tells number, end, and which alerts are quiet now."""
    instant = "2999-01-02T03:04:05Z"
    said = stored.run(
        "silences", "add", "--workflow", "*", "--until", instant, "--reason", "move", "--json"
    )
    assert said.json == {
        "silence_id": 1,
        "ends_at": instant,
        "match": {"workflow": ["*"]},
        "alerts": [2, 1],
    }


def test_ending_a_silence_lets_people_hear_at_once(stored: Project, site: Site) -> None:
    """What was put off until its end is due now, for channels and for who looks at it."""
    stored.run("silences", "add", "--workflow", "login", *HOUR)
    stored.env["HOOK_URL"] = "http://127.0.0.1:1/"
    stored.write("pyproject.toml", CHANNEL)
    assert "1 put off" in stored.run("notify", "send").out

    said = stored.run("silences", "end", "1", "--by", "joe")

    assert (said.code, said.out) == (0, "Ended 1 silence.\n")
    assert site.store.due_channels(site.store.clock(), held_before=site.store.clock()) == ("team",)
    assert stored.run("silences", "list", "--json").json == []
    (silence,) = stored.run("silences", "list", "--all", "--json").json
    assert silence["ended_by"] == "joe"
    said = stored.run("silences", "end", "1")
    assert (said.code, said.err) == (1, "Had ended before: 1.\n")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((*HOUR,), "Say what is to be silent"),
        (("--workflow", "a", "--reason", "x"), "either with --for 2h or with --until"),
        (("--workflow", "a", *HOUR, "--until", "2999-01-01"), "either with --for 2h or with"),
        (("--workflow", "a", "--for", "soon", "--reason", "x"), "'soon': expected seconds"),
        (("--workflow", "a", "--for", "0s", "--reason", "x"), "expected a duration above zero"),
        (("--workflow", "a", "--for", "9999999999d", "--reason", "x"), "too long"),
        (("--workflow", "a", "--until", "2001-01-01", "--reason", "x"), "is past"),
        (("--workflow", "a", "--until", "noon", "--reason", "x"), "expected a day or an instant"),
        (("--workflow", "a", "--for", "1h", "--reason", " "), "say why"),
        (("--workflow", "a", "--for", "1h"), "Missing option '--reason'"),
        (("--workflow", "", *HOUR), "--workflow is empty"),
        (("--match", "workflow", *HOUR), "expected a field and patterns"),
        (("--match", "workflow= ,", *HOUR), "expected a field and patterns"),
        (("--match", "workfow=a", *HOUR), "did you mean 'workflow'"),
    ],
)
def test_mistakes_are_named(
    stored: Project, site: Site, options: tuple[str, ...], sentence: str
) -> None:
    """With exit code 2, and nothing is silent."""
    said = stored.run("silences", "add", *options, width=200)
    assert said.code == 2
    assert sentence in said.err
    assert stored.run("silences", "list", "--json").json == []


def test_an_unknown_silence_is_one_sentence(stored: Project, site: Site) -> None:
    """And nothing happens to the others."""
    stored.run("silences", "add", "--workflow", "a", *HOUR)
    said = stored.run("silences", "end", "1", "7")
    assert (said.code, said.err) == (5, "Error: There is no silence 7 of shop.\n")
    assert len(stored.run("silences", "list", "--json").json) == 1


def test_no_silence(stored: Project) -> None:
    """An empty list says so."""
    said = stored.run("silences", "list")
    assert (said.code, said.out, said.err) == (0, "", "No silence holds.\n")
