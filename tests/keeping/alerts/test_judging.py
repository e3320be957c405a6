from __future__ import annotations

import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_workflow_monitor.alerting.rules import Rules
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.settings.alert_rules import Policy, PolicyRule
from tests.keeping.alerts.site import RULES, Site, failed, passed
from tests.samples import a_session, a_workflow, an_attempt, at

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store


@pytest.fixture
def site(store: Store) -> Site:
    """Return a site without alerts."""
    return Site(store)


def test_a_failure_opens_an_alert_with_a_message_after_the_group_wait(site: Site) -> None:
    """Alert, event and message are there as soon as the execution is."""
    site.report(0, failed(0))
    (alert,) = site.alerts()
    assert (alert.workflow_id, alert.failing_step, alert.since) == ("login", "Log in", at(0))
    assert site.story(alert.alert_id) == ["opened"]
    assert site.outbox() == [("team", "opened", "PENDING")]
    row = site.store.connection.execute(
        "SELECT not_before - created_at AS wait FROM workflow_monitor.notification_logs"
    ).fetchone()
    assert row is not None
    assert row["wait"].total_seconds() == 30


def test_more_failures_continue_the_alert(site: Site) -> None:
    """One problem, one alert, one message; the alert counts on."""
    site.report(0, failed(0))
    site.report(5, failed(5))
    site.report(10, failed(10))
    (alert,) = site.alerts()
    assert (alert.failures, alert.since) == (3, at(0))
    assert len(site.outbox()) == 1


def test_a_pass_resolves_the_alert_and_tells_those_who_knew(site: Site) -> None:
    """The incident is closed with its last alert."""
    site.report(0, failed(0))
    site.report(5, passed(5))
    assert site.states() == [("login", "failing", "resolved")]
    assert site.outbox() == [("team", "opened", "PENDING"), ("team", "resolved", "PENDING")]
    (alert,) = site.alerts(open_only=False)
    assert site.story(alert.alert_id) == ["opened", "resolved"]
    (incident,) = site.store.incidents([alert.incident_id])
    assert incident.closed_at == at(330)


def test_a_problem_that_comes_back_is_another_alert(site: Site) -> None:
    """With a message of its own."""
    site.report(0, failed(0))
    site.report(5, passed(5))
    site.report(10, failed(10))
    assert [status for *_, status in site.states()] == ["resolved", "active"]
    assert [kind for _, kind, _ in site.outbox()] == ["opened", "resolved", "opened"]


def test_late_news_opens_nothing_that_newer_results_contradict(site: Site) -> None:
    """A journal replayed hours later is recorded, and that is all."""
    site.report(60, passed(60))
    site.report(0, failed(0), now=at(4000))
    assert site.states() == []
    site.report(120, failed(120))
    site.report(61, passed(61), now=at(8000))
    assert site.states() == [("login", "failing", "active")]


def test_storing_a_batch_twice_changes_no_alert(site: Site) -> None:
    """Replay is idempotent for alerts too."""
    session, batch = a_session(notifies=True), Batch(attempts=[failed(0)])
    for _ in range(2):
        ingest(site.store, session, batch, RULES, now=at(60))
    assert len(site.states()) == len(site.outbox()) == 1


def test_other_environments_have_other_alerts(site: Site) -> None:
    """One alert per workflow and environment."""
    site.report(0, failed(0))
    site.report(0, failed(0), environment="staging")
    site.report(5, passed(5), environment="staging")
    assert [status for *_, status in site.states()] == ["active", "resolved"]


def test_a_session_that_was_not_asked_to_notify_only_records(site: Site) -> None:
    """The alert says why nobody was told; a session that may tell does so later."""
    site.report(0, failed(0), notifies=False)
    (alert,) = site.alerts()
    assert alert.quiet == "the session was not asked to notify"
    assert site.story(alert.alert_id) == ["opened", "not_notified"]
    assert site.outbox() == []
    site.report(5, failed(5))
    assert site.outbox() == [("team", "opened", "PENDING")]
    assert site.alerts()[0].quiet == ""
    site.report(10, failed(10))
    assert len(site.outbox()) == 1


def test_a_workflow_can_be_kept_quiet(site: Site) -> None:
    """Its failures open alerts that nobody is told of."""
    site.report(0, failed(0, notify_on_failure=False))
    (alert,) = site.alerts()
    assert alert.quiet == "the workflow has notify_on_failure=False"
    assert site.outbox() == []


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (Rules(), "no channel is configured"),
        (Rules(channels=("team",), routes=()), "no route leads from it to a channel"),
    ],
)
def test_why_nobody_could_be_told_is_recorded(store: Store, rules: Rules, reason: str) -> None:
    """Every opening has its message or the reason for none."""
    site = Site(store, rules)
    site.report(0, failed(0))
    (alert,) = site.alerts()
    assert alert.quiet == reason
    assert [it.reason for it in store.alert_events([alert.alert_id])][1:] == [reason]


def test_a_policy_can_differ_by_workflow(store: Store) -> None:
    """A rule that matches changes what it names."""
    rule = PolicyRule(match={"workflow": ("cart",)}, changes={"alert_after": 2})
    site = Site(store, Rules(policies=(rule,)))
    site.report(0, failed(0), failed(0, "cart"))
    assert [it.workflow_id for it in site.alerts()] == ["login"]
    site.report(5, failed(5, "cart"))
    assert [it.workflow_id for it in site.alerts()] == ["login", "cart"]


def test_workflows_that_fail_alike_are_one_incident(site: Site) -> None:
    """The same step with the same error, or the same silent host, within the group wait."""
    site.report(0, failed(0, "a"), failed(0, "b"), failed(0, "c", step="Pay", error="other"))
    site.report(0.3, failed(0.3, "d"), now=at(50))
    site.report(3, failed(3, "e"))
    by_incident: dict[int, list[str]] = {}
    for alert in site.alerts():
        by_incident.setdefault(alert.incident_id, []).append(alert.workflow_id)
    assert list(by_incident.values()) == [["a", "b", "d"], ["c"], ["e"]]
    assert [kind for _, kind, _ in site.outbox()] == ["opened"] * 3


def test_an_incident_is_told_as_resolved_with_its_last_alert(site: Site) -> None:
    """Its alerts resolve on their own."""
    site.report(0, failed(0, "a"), failed(0, "b"))
    site.report(5, passed(5, "a"))
    assert [kind for _, kind, _ in site.outbox()] == ["opened"]
    site.report(10, passed(10, "b"))
    assert [kind for _, kind, _ in site.outbox()] == ["opened", "resolved"]


def test_a_health_check_explains_what_fails_with_it(site: Site) -> None:
    """Only the health check is told, whichever came first; the others when it is over."""
    site.report(0, failed(0, "cart"))
    site.report(0.2, failed(0.2, "health-check", error="down"), failed(0.2, "login"), now=at(45))
    cart, check, login = site.alerts()
    assert (cart.inhibited_by, login.inhibited_by) == (check.alert_id, check.alert_id)
    assert site.story(login.alert_id) == ["opened", "inhibited"]
    assert site.story(cart.alert_id) == ["opened", "inhibited"]
    opened = [kind for _, kind, _ in site.outbox()].count("opened")
    assert opened == 2  # the cart's was written before; it is dropped when it is due
    site.report(5, passed(5, "health-check"), passed(5, "login"))
    (cart,) = site.alerts()
    assert cart.inhibited_by is None
    assert site.story(cart.alert_id) == ["opened", "inhibited", "released"]
    assert [kind for _, kind, _ in site.outbox()].count("opened") == 2


def test_flapping_is_told_once_and_then_it_is_quiet(site: Site) -> None:
    """Openings while it flaps are recorded with the reason why nobody is told."""
    for minute in range(8):
        site.report(minute, failed(minute) if minute % 2 else passed(minute))
    kinds = [it.kind.value for it in site.alerts()]
    assert kinds == ["flapping", "failing"]
    assert site.alerts()[1].quiet == "it is flapping"
    opened = [kind for _, kind, _ in site.outbox()].count("opened")
    assert opened == 3  # failing twice, then the flapping notice
    for minute in range(8, 30):
        site.report(minute, failed(minute))
    (alert,) = site.alerts()
    assert (alert.kind.value, alert.quiet) == ("failing", "")


def test_passing_only_by_retry_is_a_warning_of_its_own(site: Site) -> None:
    """Three times running after the same error."""
    for minute in range(3):
        first = failed(minute)
        again = passed(minute, run_id=first.run_id, number=2)
        site.report(minute, msgspec.structs.replace(first, will_retry=True), again)
    (alert,) = site.alerts()
    assert alert.kind.value == "masked"
    assert alert.fingerprint == "it broke"


def test_a_pass_that_somebody_wants_to_hear_of_is_told(site: Site) -> None:
    """Only of sessions that notify."""
    attempt = an_attempt(a_workflow("deploy", notify_on_success=True), started_at=at(0))
    site.report(0, attempt)
    assert site.outbox() == [("team", "passed", "PENDING")]


def test_the_policy_decides_how_many_results_are_read(store: Store) -> None:
    """A streak longer than usual is found."""
    site = Site(store, Rules(policy=Policy(alert_after=30, flapping=False)))
    for minute in range(29):
        site.report(minute, failed(minute))
    assert site.states() == []
    site.report(29, failed(29))
    assert [it.failures for it in site.alerts()] == [30]


REPORTER = dedent(
    """
    import sys, time
    from pytest_workflow_monitor.ingest import Batch, ingest
    from pytest_workflow_monitor.store import Store
    from tests.keeping.alerts.site import RULES, failed
    from tests.samples import a_session

    with Store(sys.argv[1], project="shop") as store:
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(5):
            ingest(store, a_session(notifies=True), Batch(attempts=[failed(0)]), RULES)
    """
)


def reporters(count: int, store: Store) -> list[subprocess.Popen[str]]:
    """Start processes that report the same failure as soon as they get a line."""
    command = [sys.executable, "-c", REPORTER, store.url]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    return started


def go(processes: list[subprocess.Popen[str]]) -> None:
    """Let them begin."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def test_eight_processes_with_the_same_failure_make_one_alert_and_one_message(site: Site) -> None:
    """They know nothing of each other; the database decides who was first."""
    processes = reporters(8, site.store)
    go(processes)
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert site.states() == [("login", "failing", "active")]
    assert site.outbox() == [("team", "opened", "PENDING")]
    (alert,) = site.alerts()
    assert alert.failures == 40


def test_processes_killed_while_they_report_leave_whole_decisions(site: Site) -> None:
    """An alert has its event and its message, or is not there at all."""
    for _ in range(4):
        processes = reporters(3, site.store)
        go(processes)
        for process in processes:
            process.kill()
            process.communicate()
        found = site.alerts()
        assert len(found) == len(site.outbox()) <= 1
        assert all(site.story(it.alert_id) == ["opened"] for it in found)
    site.report(1, failed(1))
    assert (len(site.alerts()), len(site.outbox())) == (1, 1)


def test_plain_passes_ask_only_for_open_alerts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A green run pays for one query of a small index."""
    asked: list[str] = []
    fetch = site.store.fetch

    def noted(statement: str, /, **parameters: Any) -> Any:
        asked.append(statement)
        return fetch(statement, **parameters)

    monkeypatch.setattr(site.store, "fetch", noted)
    site.report(0, *(passed(0, f"w{number}") for number in range(20)))
    assert "open_alerts" in asked
    assert "recent_results" not in asked
