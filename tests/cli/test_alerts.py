from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.model import Priority
from tests.keeping.alerts.site import Site, failed, passed
from tests.samples import at

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project


@pytest.fixture
def site(store: Store) -> Site:
    """A site where login, cart and search fail; the last two an hour later, for one cause."""
    made = Site(store)
    made.report(0, failed(0))
    made.report(60, failed(60, "cart", error="down"), failed(60, "search", error="down"))
    return made


def ids(site: Site) -> list[str]:
    """Return the numbers of the alerts, oldest first."""
    return [str(it.alert_id) for it in site.alerts(open_only=False)]


def test_open_alerts_are_listed(stored: Project, site: Site) -> None:
    """With state, priority, step and how often; those of one incident are named together."""
    said = stored.run("alerts", "list")
    assert said.code == 0
    for fact in ("3 open alerts of shop in production", "✗ active", "critical", "login", "Log in"):
        assert fact in said.out
    assert "2 alerts with one cause" in said.err
    assert [it["workflow_id"] for it in stored.run("alerts", "list", "--json").json] == [
        "search",
        "cart",
        "login",
    ]


def test_resolved_alerts_are_listed_with_all(stored: Project, site: Site) -> None:
    """By default only what is wrong now."""
    site.report(90, passed(90))
    assert len(stored.run("alerts", "list", "--json").json) == 2
    found = stored.run("alerts", "list", "--all", "--json").json
    assert [it["status"] for it in found] == ["active", "active", "resolved"]
    assert "✓ resolved" in stored.run("alerts", "list", "--all").out


def test_lists_can_be_narrowed(stored: Project, site: Site) -> None:
    """By environment, workflow or glob, priority and number; what is left out is told."""
    site.report(0, failed(0, "cart[eur]", priority=Priority.LOW), environment="staging")

    def listed(*options: str) -> list[str]:
        found = stored.run("alerts", "list", "--json", *options).json
        return sorted(it["workflow_id"] for it in found)

    assert listed("--environment", "staging") == ["cart[eur]"]
    assert listed("--workflow", "cart") == ["cart", "cart[eur]"]
    assert listed("--workflow", "c*") == ["cart", "cart[eur]"]
    assert listed("--workflow", "logi?") == ["login"]
    assert listed("--workflow", "c_rt") == []
    assert listed("--priority", "low") == ["cart[eur]"]
    said = stored.run("alerts", "list", "--limit", "1", "--json")
    assert len(said.json) == 1
    assert said.err == "There are more; --limit shows them.\n"
    said = stored.run("alerts", "list", "--workflow", "nothing")
    assert (said.code, said.out, said.err) == (0, "", "No alert fits these options.\n")


def test_one_alert_is_shown_with_its_story(stored: Project, site: Site) -> None:
    """What happened, who was told and whether, and how to see the latest execution."""
    number = ids(site)[0]
    stored.run("alerts", "comment", number, "--reason", "the provider knows", "--by", "ann")
    said = stored.run("alerts", "show", number, width=120)
    assert said.code == 0
    for fact in (
        "login",
        "fails in production: failed",
        "What happened",
        "opened",
        "the provider knows",
        "ann",
        "Messages",
        "team",
        "pending",
        f"workflow-monitor show {site.alerts()[0].last_run_id}",
    ):
        assert fact in said.out
    shown = stored.run("alerts", "show", number, "--json").json
    assert [it["kind"] for it in shown["events"]] == ["opened", "commented"]
    assert [(it["channel"], it["status"]) for it in shown["messages"]] == [("team", "PENDING")]
    assert shown["siblings"] == []


def test_the_cause_of_an_alert_is_shown(stored: Project, site: Site) -> None:
    """The others of its incident, and the health check that explains it."""
    _, cart, search = ids(site)
    assert f"with search ({search}): Log in fails" in stored.run("alerts", "show", cart).out
    site.report(120, failed(120, "health-check", error="x"), failed(120, "pay", error="y"))
    check, pay = ids(site)[3:]
    said = stored.run("alerts", "show", pay).out
    assert f"by health-check ({check})" in " ".join(said.split())
    assert f"pay ({pay})" in stored.run("alerts", "show", check).out
    assert int(pay) in stored.run("alerts", "show", check, "--json").json["explains"]


def test_an_alert_outlives_its_executions(stored: Project, site: Site) -> None:
    """What is deleted is not shown; the alert still is."""
    alert = site.alerts()[0]
    site.store.delete_execution(alert.last_run_id)
    said = stored.run("alerts", "show", str(alert.alert_id))
    assert said.code == 0
    assert "Latest execution" not in said.out


def test_text_of_pages_does_not_act_on_the_terminal(stored: Project, store: Store) -> None:
    """Control characters of errors and of people are shown as what they are."""
    Site(store).report(0, failed(0, step="\x1b[31mred\x07", error="a\x1b]0;title\x07b"))
    (alert,) = Site(store).alerts()
    number = str(alert.alert_id)
    stored.run("alerts", "ack", number, "--by", "ann\x1b[2J", "--reason", "\x1b[5mblink")
    for said in (stored.run("alerts", "list"), stored.run("alerts", "show", number)):
        assert said.code == 0
        assert not {"\x1b", "\x07"} & set(said.out + said.err)


def test_acknowledging_is_told_and_recorded(stored: Project, site: Site) -> None:
    """With who and why; the channels that know of it get a message."""
    number = ids(site)[0]
    said = stored.run("alerts", "ack", number, "--by", "ann", "--reason", "on it")
    assert (said.code, said.out) == (0, "Acknowledged 1 alert.\n")
    alert = site.alerts()[0]
    assert (alert.status.value, alert.acknowledged_by) == ("acknowledged", "ann")
    (event,) = [it for it in site.store.alert_events([alert.alert_id]) if it.actor == "ann"]
    assert (event.kind.value, event.reason) == ("acknowledged", "on it")
    assert ("team", "acknowledged", "PENDING") in site.outbox()
    assert "ann looks after it" in stored.run("alerts", "list").out


def test_what_cannot_be_done_is_left_alone(stored: Project, site: Site) -> None:
    """An alert that somebody has already is named, the others are acknowledged; exit code 1."""
    first, second, _ = ids(site)
    stored.run("alerts", "ack", first, "--by", "ann")
    said = stored.run("alerts", "ack", first, second, "--by", "joe")
    assert (said.code, said.out) == (1, "Acknowledged 1 alert.\n")
    assert said.err == f"Left alone, because not active any more: {first}.\n"
    said = stored.run("alerts", "ack", first, "--json")
    assert (said.code, said.json) == (1, {"changed": [], "left_alone": [int(first)]})


def test_a_person_resolves_a_whole_incident(stored: Project, site: Site) -> None:
    """All its open alerts at once; older failures do not open it again."""
    incident = str(site.alerts()[1].incident_id)
    said = stored.run("alerts", "resolve", "--incident", incident, "--by", "ann")
    assert (said.code, said.out) == (0, "Resolved 2 alerts.\n")
    assert [it.workflow_id for it in site.alerts()] == ["login"]
    assert ("team", "resolved", "PENDING") in site.outbox()
    said = stored.run("alerts", "resolve", "--incident", incident)
    assert (said.code, said.err) == (
        5,
        f"Error: There is no open alert of incident {incident} of shop.\n",
    )


def test_who_did_it_is_the_one_who_is_logged_in(
    stored: Project, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless --by says otherwise; nobody may pass for the monitor itself."""
    stored.env["LOGNAME"] = "carla"
    stored.run("alerts", "ack", ids(site)[0])
    assert site.alerts()[0].acknowledged_by == "carla"
    for nobody in ("", "monitor"):
        said = stored.run("alerts", "ack", ids(site)[1], "--by", nobody)
        assert said.code == 2
        assert "--by says who does it" in said.err


@pytest.mark.parametrize("command", ["ack", "resolve", "comment"])
def test_mistakes_are_one_sentence(stored: Project, site: Site, command: str) -> None:
    """Unknown ids end with 5 and change nothing; no id at all is a mistake."""
    known = ids(site)[0]
    said = stored.run("alerts", command, known, "998", "999", "--reason", "x")
    assert (said.code, said.err) == (5, "Error: There is no alert 998 or 999 of shop.\n")
    assert site.story(int(known)) == ["opened"]
    said = stored.run("alerts", command, "--reason", "x")
    assert said.code == 2
    assert "Name at least one alert" in said.err


def test_a_comment_needs_words(stored: Project, site: Site) -> None:
    """Without a reason there is nothing to add."""
    assert stored.run("alerts", "comment", ids(site)[0]).code == 2


def test_alerts_of_other_projects_are_theirs(stored: Project, site: Site) -> None:
    """A shared database shows and changes only this project's."""
    number = ids(site)[0]
    stored.write("pyproject.toml", '[tool.workflow_monitor]\nproject = "other"\n')
    assert stored.run("alerts", "list", "--json").json == []
    assert stored.run("alerts", "show", number).code == 5
    assert stored.run("alerts", "ack", number).code == 5


def test_no_alert_is_good_news(stored: Project, store: Store) -> None:
    """An empty list says so."""
    Site(store).report(0, passed(0))
    said = stored.run("alerts", "list")
    assert (said.code, said.out, said.err) == (0, "", "No alert is open.\n")


def test_when_an_alert_was_resolved_is_shown(stored: Project, site: Site) -> None:
    """And how long it lasted."""
    site.report(5, passed(5), now=at(7200))
    said = stored.run("alerts", "show", ids(site)[0]).out
    assert "lasted 2 h" in said
    assert "Resolved" in said
