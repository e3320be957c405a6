from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pytest_workflow_monitor import standing
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.settings.health_rules import HealthCheck, HealthStatus
from pytest_workflow_monitor.words.slots import SlotStatus
from tests.health.rows import add_process, add_schedule, add_slot
from tests.keeping.alerts.site import Site, failed, passed
from tests.samples import a_session, an_attempt, an_end, at

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

CHANNEL = """
    [tool.workflow_monitor]
    project = "shop"

    [tool.workflow_monitor.channels.team]
    type = "webhook"
    url_env = "HOOK_URL"
"""


def minutes_ago(store: Store, count: float) -> float:
    """Return the minute of a site's clock that was so long ago."""
    now: datetime = store.clock()
    return (now - at(0)).total_seconds() / 60 - count


def asked(project: Project) -> Any:
    """Return what ``status --json`` says, and check that its exit code says the same."""
    said = project.run("status", "--json")
    assert said.code == standing.Standing[said.json["status"]]
    return said.json


@pytest.fixture
def site(store: Store, stored: Project) -> Site:
    """A site with a channel."""
    stored.write("pyproject.toml", CHANNEL)
    return Site(store)


def test_all_is_well(stored: Project, site: Site) -> None:
    """Exit code 0, one word, and what is known of each part."""
    minute = minutes_ago(site.store, 5)
    site.report(minute, passed(minute))
    said = stored.run("status")
    assert said.code == 0
    for fact in ("✓ HEALTHY", "database", "executions", "1 execution: 1 passed", "alerts", "team"):
        assert fact in said.out
    assert asked(stored)["status"] == "HEALTHY"


@pytest.mark.parametrize(
    ("priority", "verdict"), [(Priority.CRITICAL, "UNHEALTHY"), (Priority.LOW, "DEGRADED")]
)
def test_open_alerts_are_reasons(
    stored: Project, site: Site, priority: Priority, verdict: str
) -> None:
    """Urgent ones are worse; each reason says what to do."""
    minute = minutes_ago(site.store, 5)
    site.report(minute, failed(minute, priority=priority))
    found = asked(stored)
    assert found["status"] == verdict
    (reason,) = found["sections"]["alerts"]["reasons"]
    assert "login in production" in reason["said"]
    assert reason["remedy"] == "`workflow-monitor alerts show 1`"
    assert stored.run("status").code == standing.Standing[verdict]


def test_a_failure_without_an_alert_is_a_reason_too(stored: Project, site: Site) -> None:
    """What failed the last time, and how to see it."""
    attempt = failed(minutes_ago(site.store, 5))
    site.report(minutes_ago(site.store, 5), attempt)
    site.store.resolve_alerts([1], at(0), "ann")
    (reason,) = asked(stored)["sections"]["executions"]["reasons"]
    assert reason["said"] == "failed the last time: login in production"
    assert attempt.run_id in reason["remedy"]


def test_that_nothing_ran_is_a_reason(stored: Project, site: Site) -> None:
    """A monitor that is not run is not healthy."""
    site.report(0, passed(0))
    found = asked(stored)
    assert found["status"] == "DEGRADED"
    (reason,) = found["sections"]["executions"]["reasons"]
    assert reason["said"] == "nothing ran in the last 24 hours"


def test_messages_that_nobody_delivers_are_a_reason(stored: Project, site: Site) -> None:
    """Some minutes after they could have been sent."""
    minute = minutes_ago(site.store, 30)
    site.report(minute, failed(minute))
    (reason,) = asked(stored)["sections"]["channels"]["reasons"]
    assert reason["said"].startswith("messages to team wait since ")
    assert "notify send" in reason["remedy"]


def test_a_channel_that_refuses_is_a_reason(stored: Project, site: Site) -> None:
    """With its last words, and the messages that were given up."""
    minute = minutes_ago(site.store, 5)
    site.report(minute, failed(minute))
    (message,) = site.store.due_messages("team", site.store.clock())
    now = site.store.clock()
    site.store.claim_messages([message.notification_id], now, now)
    site.store.give_up(message.notification_id, b"{}", tries=1, error="404 no such hook", at=now)
    section = asked(stored)["sections"]["channels"]
    assert section["status"] == "UNHEALTHY"
    assert [it["said"] for it in section["reasons"]] == [
        "team did not take its last message: 404 no such hook",
        "1 message given up",
    ]
    assert section["facts"]["team"] == "1 failed"


def test_refused_records_are_a_reason(stored: Project, store: Store) -> None:
    """What the database would not take."""
    session = a_session()
    ingest(store, session, Batch(attempts=[an_attempt()], ended=an_end()))
    store.add_letter(session.session_id, b"[]", "what is this")
    section = asked(stored)["sections"]["database"]
    assert [it["said"] for it in section["reasons"]] == ["1 record refused by the database"]


def test_what_health_checks_found_last(stored: Project, site: Site) -> None:
    """Of each machine the latest, within the last hour; with what to do."""
    store, now = site.store, site.store.clock()
    minute = minutes_ago(store, 5)
    site.report(minute, passed(minute))
    assert asked(stored)["sections"]["health checks"]["facts"] == {"last hour": "none were made"}
    row = HealthCheck(
        project="shop",
        environment="production",
        location="",
        host="runner-7",
        check_name="disk",
        status=HealthStatus.DEGRADED,
        expected_status="1 GB",
        actual_status="0.5 GB",
        detail="/srv has 0.5 GB left",
        checked_at=now - timedelta(minutes=2),
    )
    earlier = replace(row, status=HealthStatus.UNHEALTHY, checked_at=now - timedelta(minutes=7))
    store.add_health_checks(
        [earlier, row, replace(row, host="b", checked_at=earlier.checked_at)], now
    )
    section = asked(stored)["sections"]["health checks"]
    assert section["status"] == "DEGRADED"
    assert section["facts"]["by"] == "b, runner-7"
    assert section["facts"]["healthy"] == "0 of 2"
    said = "disk in production, seen from runner-7: /srv has 0.5 GB left"
    (reason,) = (it for it in section["reasons"] if it["said"] == said)
    assert "artifacts prune" in reason["remedy"]


def test_schedules_that_nobody_begins(stored: Project, site: Site) -> None:
    """Late ones are unhealthy, slots that did not run a reason each, stopped ones a fact."""
    store, now = site.store, site.store.clock()
    minute = minutes_ago(store, 5)
    site.report(minute, passed(minute))
    add_schedule(store, "login", now - timedelta(minutes=20))
    add_schedule(store, "order", now - timedelta(minutes=20))
    add_schedule(store, "early", now + timedelta(minutes=20))
    add_process(store, "runner-7/1", now - timedelta(days=3), kind="scheduler")
    until = now + timedelta(hours=2)
    store.disable_schedules(
        "shop", "production", ["order"], until=until, actor="ann", reason="moved"
    )
    add_slot(store, "early", now - timedelta(minutes=40), SlotStatus.NOT_RUN, "no network")
    section = asked(stored)["sections"]["schedules"]
    assert section["status"] == "UNHEALTHY"
    assert section["facts"]["scheduled"] == "2 workflows"
    assert section["facts"]["order in production"].endswith("(ann: moved)")
    late, unrun = section["reasons"]
    assert late["said"].endswith(": login")
    assert "workflow-monitor schedule run" in late["remedy"]
    assert unrun["said"].startswith("1 slot of early in production not run in the last 24 hours")
    assert unrun["said"].endswith(": no network")


def test_schedules_without_any_scheduler(stored: Project, site: Site) -> None:
    """Where crontab runs pytest, nobody is to claim slots: that none is claimed is no trouble."""
    store, now = site.store, site.store.clock()
    minute = minutes_ago(store, 5)
    site.report(minute, passed(minute))
    add_schedule(store, "login", now - timedelta(days=1))
    add_process(store, "runner-7/1", now, kind="worker")
    section = asked(stored)["sections"]["schedules"]
    assert (section["status"], section["facts"]) == ("HEALTHY", {"scheduled": "1 workflow"})


def test_workers_that_fell_silent(stored: Project, site: Site) -> None:
    """Those that live are facts; slots without any worker are unhealthy."""
    store, now = site.store, site.store.clock()
    minute = minutes_ago(store, 5)
    site.report(minute, passed(minute))
    add_process(store, "runner-7/1", now - timedelta(minutes=5))
    add_slot(store, "login", now, SlotStatus.QUEUED)
    section = asked(stored)["sections"]["workers"]
    assert section["status"] == "UNHEALTHY"
    assert [it["said"].partition(" since")[0] for it in section["reasons"]] == [
        "worker runner-7/1 gave no sign",
        "no worker runs, and 1 slot would be its work",
    ]
    add_process(store, "runner-7/2", now, kind="scheduler", problem="test_a.py: no module")
    section = asked(stored)["sections"]["workers"]
    assert section["status"] == "DEGRADED"
    assert section["facts"]["scheduler"] == "runner-7/2"
    assert section["facts"]["slots"] == "1 waiting, 0 running"
    assert section["reasons"][-1]["said"] == (
        "runner-7/2 cannot read all tests: test_a.py: no module"
    )


def test_a_database_that_is_away_is_unhealthy(project: Project) -> None:
    """Exit code 2, no password shown, and no other section has anything to say."""
    project.env["DATABASE_URL"] = "postgresql://joe:hunter2@127.0.0.1:1/none"
    found = asked(project)
    assert found["status"] == "UNHEALTHY"
    assert list(found["sections"]) == ["database"]
    assert "hunter2" not in project.run("status").out


@pytest.mark.parametrize("has_database", [True, False])
def test_before_anything_was_recorded(
    project: Project, empty_database_url: str, has_database: bool
) -> None:
    """That is not healthy either; no database is created to say so."""
    project.env["DATABASE_URL"] = empty_database_url if has_database else ""
    found = asked(project)
    assert found["status"] == "DEGRADED"
    assert found["sections"]["database"]["reasons"][0]["said"] == "nothing was recorded yet"
    assert not (project.path / ".workflow-monitor").exists()
