from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.health import check, network_problem, remedy, run_checks
from pytest_workflow_monitor.health.checks import CHECKS, playwright_browser
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Metric, Status
from pytest_workflow_monitor.settings.health_rules import HealthStatus, HttpCheck
from pytest_workflow_monitor.store import migrate
from pytest_workflow_monitor.words.slots import SlotStatus
from tests.health.rows import add_process, add_schedule, add_slot
from tests.notify.servers import HttpServer, RawServer, Reply
from tests.samples import a_session, an_attempt, an_end

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.health_rules import HealthCheck
    from pytest_workflow_monitor.store import Store

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DEAD = "127.0.0.1:9"


@pytest.fixture
def looked(store: Store, settings_for: Callable[..., Settings]) -> Callable[..., Any]:
    """Return a function that runs all checks, and returns what one of them found."""

    def look(name: str, now: datetime = NOW, **changes: Any) -> HealthCheck | None:
        settings = settings_for(environment="production", **changes)
        found = {it.check_name: it for it in check(settings, store, now)}
        return found.get(name)

    return look


@pytest.fixture
def asked(settings_for: Callable[..., Settings]) -> Callable[..., HealthCheck]:
    """Return a function that makes one HTTP check, without a database."""

    def ask(url: str, **fields: Any) -> HealthCheck:
        rule = HttpCheck(name="api", url=url, **fields)
        found = check(settings_for(health_checks=(rule,)), None, NOW)
        return next(it for it in found if it.check_name == "http api")

    return ask


def test_a_healthy_database_says_how_it_is(looked: Callable[..., HealthCheck]) -> None:
    """It answers, with the newest tables and room for more connections."""
    found = looked("database")
    assert (found.status, found.detail) == (HealthStatus.HEALTHY, "")
    newest = sorted(it.stem for it in migrate.FOLDER.glob("*.sql") if ".rollback" not in it.name)[
        -1
    ]
    assert found.actual_status.startswith(f"schema {newest}, ")
    assert found.actual_status.endswith(" connections free")
    assert found.response_time_ms is not None


def test_a_database_that_cannot_be_used_leaves_the_other_checks(
    settings_for: Callable[..., Settings],
) -> None:
    """It is unhealthy with the reason; what needs it is not checked."""
    found = {it.check_name: it for it in check(settings_for(), None, NOW, problem="it is away")}
    assert found["database"].status is HealthStatus.UNHEALTHY
    assert found["database"].detail == "it is away"
    assert set(found) == {"database", "disk", "browser"}


@pytest.mark.parametrize(
    ("minutes", "status", "said"),
    [
        (-1, HealthStatus.HEALTHY, ""),
        (0.5, HealthStatus.HEALTHY, ""),
        (3, HealthStatus.DEGRADED, "slots are claimed 3 min late"),
        (9, HealthStatus.UNHEALTHY, "the slot of login is 9 min late, beyond its grace"),
    ],
)
def test_slots_that_nobody_claims(
    store: Store,
    looked: Callable[..., HealthCheck],
    minutes: float,
    status: HealthStatus,
    said: str,
) -> None:
    """The oldest due slot tells; beyond its grace it will be missed."""
    add_process(store, "runner-7/1", NOW, kind="scheduler")
    add_schedule(store, "login", NOW - timedelta(minutes=minutes))
    add_schedule(store, "off", NOW - timedelta(days=1), enabled=False)
    found = looked("schedules")
    assert (found.status, found.detail) == (status, said)


def test_a_stopped_schedule_is_not_late(store: Store, looked: Callable[..., HealthCheck]) -> None:
    """Nor is there anything to check without schedules."""
    assert looked("schedules") is None
    add_schedule(store, "login", NOW - timedelta(hours=1))
    until = NOW + timedelta(hours=1)
    store.disable_schedules(
        "shop", "production", ["login"], until=until, actor="ann", reason="broken"
    )
    assert looked("schedules") is None


@pytest.mark.parametrize(
    ("minutes", "status"),
    [(1, HealthStatus.HEALTHY), (6, HealthStatus.DEGRADED), (31, HealthStatus.UNHEALTHY)],
)
def test_slots_that_wait_for_a_worker(
    store: Store, looked: Callable[..., HealthCheck], minutes: float, status: HealthStatus
) -> None:
    """How many there are, and how long the oldest waits."""
    add_slot(store, "login", NOW - timedelta(minutes=minutes), SlotStatus.QUEUED)
    add_slot(store, "order", NOW - timedelta(days=1), SlotStatus.RUNNING)
    found = looked("queue")
    assert (found.status, found.actual_status) == (status, "1 waiting, 1 running")
    assert ("waits for a worker" in found.detail) == (status is not HealthStatus.HEALTHY)


def test_a_full_disk_is_noticed(
    looked: Callable[..., HealthCheck], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is full; the folder is named."""
    assert looked("disk").status is HealthStatus.HEALTHY
    monkeypatch.setattr("pytest_workflow_monitor.health.checks.LITTLE_SPACE", 10**18)
    found = looked("disk")
    assert found.status is HealthStatus.DEGRADED
    assert ".workflow-monitor has " in found.detail


def test_a_state_directory_that_is_none_is_noticed(
    looked: Callable[..., HealthCheck], tmp_path: Path
) -> None:
    """Nothing could be recorded there, however much room there is."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    found = looked("disk", state_dir=blocked)
    assert found.status is HealthStatus.UNHEALTHY
    assert found.detail.startswith(f"{blocked} is no folder that this user may write to")


def test_the_clock_of_the_database_agrees(looked: Callable[..., HealthCheck]) -> None:
    """On one machine it is the same one."""
    assert looked("clock").status is HealthStatus.HEALTHY


@pytest.mark.parametrize(("hours", "way"), [(1, "slow"), (-1, "fast")])
def test_a_clock_that_is_wrong(
    looked: Callable[..., HealthCheck], site: HttpServer, hours: float, way: str
) -> None:
    """A web server's date tells, too."""
    theirs = datetime.now(UTC) + timedelta(hours=hours)
    site.usual = Reply(headers={"Date": format_datetime(theirs, usegmt=True)})
    found = looked("clock", network_reference=(site.url,))
    assert found.status is HealthStatus.UNHEALTHY
    assert f"{way}, compared with {site.url}" in found.detail


def test_no_browser_is_a_problem_where_one_is_used(
    store: Store, looked: Callable[..., HealthCheck], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project of API tests needs none."""
    monkeypatch.setenv("WORKFLOW_MONITOR_BROWSER", "/no/such/browser")
    assert looked("browser").status is HealthStatus.HEALTHY
    metric = Metric(name="browser_peak_memory_mb", value=300, unit="MB")
    ingest(store, a_session(), Batch(attempts=[an_attempt(metrics=(metric,))], ended=an_end()))
    found = looked("browser")
    assert found.status is HealthStatus.UNHEALTHY
    assert "/no/such/browser" in found.detail


def test_a_workflow_that_got_no_browser_has_asked_for_one(
    store: Store, looked: Callable[..., HealthCheck], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that never had one, nothing was ever measured of it."""
    monkeypatch.setenv("WORKFLOW_MONITOR_BROWSER", "/no/such/browser")
    attempt = an_attempt(status=Status.ERROR, dimensions={"browser": "chromium"})
    ingest(store, a_session(), Batch(attempts=[attempt], ended=an_end()))
    assert looked("browser").status is HealthStatus.UNHEALTHY


def test_a_driver_that_does_not_start_is_no_browser(
    store: Store,
    looked: Callable[..., HealthCheck],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A small machine may lack a library; once it is there, the next look finds the browser."""
    attempt = an_attempt(dimensions={"browser": "chromium"})
    ingest(store, a_session(), Batch(attempts=[attempt], ended=an_end()))
    driver = tmp_path / "node"
    driver.write_text("#!/bin/sh\necho 'node: libatomic.so.1: cannot open' >&2; exit 127\n")
    driver.chmod(0o755)
    playwright_browser.cache_clear()
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(driver))
    found = looked("browser")
    assert found.status is HealthStatus.UNHEALTHY
    assert found.detail == "Playwright does not start: node: libatomic.so.1: cannot open."
    monkeypatch.delenv("PLAYWRIGHT_NODEJS_PATH")
    assert looked("browser").status is HealthStatus.HEALTHY


def test_the_browser_that_will_be_used_is_named(looked: Callable[..., HealthCheck]) -> None:
    """This machine has one, or the tests of browsers could not run."""
    assert looked("browser").actual_status.startswith("/")


def test_the_network_is_asked_through_its_references(
    settings_for: Callable[..., Settings], site: HttpServer
) -> None:
    """One that answers is enough, whatever it says; without references there is nothing to say."""
    host_and_port = site.url.removeprefix("http://")
    site.usual = Reply(status=503)
    assert network_problem(settings_for()) == ""
    assert network_problem(settings_for(network_reference=(site.url,))) == ""
    assert network_problem(settings_for(network_reference=(DEAD, host_and_port))) == ""
    problem = network_problem(settings_for(network_reference=(DEAD, f"http://{DEAD}")))
    assert problem == (
        f"this machine has no network ({DEAD}: it refuses connections; "
        f"http://{DEAD}: it refuses connections)"
    )


def test_a_machine_without_a_network_is_unhealthy(looked: Callable[..., HealthCheck]) -> None:
    """With the reason that slots are given, which did not run because of it."""
    assert looked("network") is None
    found = looked("network", network_reference=(DEAD,))
    assert (found.status, found.actual_status) == (HealthStatus.UNHEALTHY, "no answer")


def test_the_store_of_artifacts_is_looked_at(
    looked: Callable[..., HealthCheck], tmp_path: Path
) -> None:
    """A folder that is not there yet will be made; what cannot be asked is out of reach."""
    assert looked("artifacts") is None
    bucket = tmp_path / "bucket"
    assert looked("artifacts", artifacts_url=f"file://{bucket}/x").status is HealthStatus.HEALTHY
    found = looked("artifacts", artifacts_url="http://127.0.0.1:9/x/")
    assert (found.status, found.actual_status) == (HealthStatus.DEGRADED, "out of reach")


def test_an_answer_as_expected(asked: Callable[..., HealthCheck], site: HttpServer) -> None:
    """Status and body fit, the headers were sent, and the time is told."""
    found = asked(f"{site.url}/ready?x=1", headers={"X-Probe": "1"}, body_pattern=r"all \w+ well")
    assert (found.status, found.detail) == (HealthStatus.HEALTHY, "")
    assert (found.expected_status, found.actual_status) == ("2xx", "200")
    assert found.response_time_ms is not None
    (request,) = site.requests
    assert (request.path, request.headers["x-probe"]) == ("/ready?x=1", "1")


@pytest.mark.parametrize(
    ("expected", "status", "is_fine"),
    [(("2xx",), 204, True), (("2xx",), 301, False), (("301", "404"), 404, True)],
)
def test_statuses_and_classes_of_them(
    asked: Callable[..., HealthCheck],
    site: HttpServer,
    expected: tuple[str, ...],
    status: int,
    is_fine: bool,
) -> None:
    """One of those that are expected will do."""
    site.usual = Reply(status=status)
    found = asked(site.url, expected_status=expected)
    assert (found.status is HealthStatus.HEALTHY) == is_fine


def test_a_redirect_is_told_and_not_followed(
    asked: Callable[..., HealthCheck], site: HttpServer
) -> None:
    """What is sent along must not reach another address; tokens in addresses are not shown."""
    site.usual = Reply(status=302, headers={"Location": "https://elsewhere/x?token=hunter2"})
    found = asked(f"{site.url}/y?key=hunter2")
    assert found.detail == f"{site.url}/y answers 302 and sends us to https://elsewhere/x"
    assert len(site.requests) == 1


def test_secret_headers_come_from_the_environment(
    asked: Callable[..., HealthCheck], site: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are missed when they are not there."""
    headers_env = {"Authorization": "PROBE_TOKEN"}
    found = asked(site.url, headers_env=headers_env)
    assert found.detail == "the environment variable PROBE_TOKEN is not set"
    monkeypatch.setenv("PROBE_TOKEN", "Bearer hunter2")
    assert asked(site.url, headers_env=headers_env).status is HealthStatus.HEALTHY
    assert site.requests[0].headers["authorization"] == "Bearer hunter2"


def test_a_body_that_does_not_match(asked: Callable[..., HealthCheck], site: HttpServer) -> None:
    """The pattern is named, the body is not shown."""
    found = asked(site.url, body_pattern="db: up")
    assert found.detail == f"the body of {site.url} does not match 'db: up'"


def test_no_answer_says_why(asked: Callable[..., HealthCheck], site: HttpServer) -> None:
    """Nobody there, too late, or no HTTP."""
    assert asked(f"http://{DEAD}").detail == f"http://{DEAD}: it refuses connections"
    site.usual = Reply(hangs=True)
    assert asked(site.url, timeout_seconds=0.2).detail == f"{site.url}: no answer within 0.2 s"
    site.usual = Reply(raw=b"SSH-2.0-hello\r\n")
    assert asked(site.url).detail == f"{site.url}: what it answers is no HTTP"
    assert asked("http://no-such-host.invalid").detail.endswith("its name is not known")
    with RawServer(b"") as closed:
        found = asked(f"https://127.0.0.1:{closed.port}")
    assert found.status is HealthStatus.UNHEALTHY


def test_results_are_recorded_and_forgotten_after_two_weeks(
    store: Store, settings_for: Callable[..., Settings]
) -> None:
    """Every check leaves a row with machine, place and time."""
    settings = settings_for(environment="production", location="eu-west")
    old = run_checks(store, settings, NOW - timedelta(days=15))
    found = run_checks(store, settings, NOW)
    latest = store.latest_health_checks("shop", NOW - timedelta(days=30))
    assert set(latest) == set(found)
    assert {it.host for it in latest} == {socket.gethostname()}
    assert {it.location for it in latest} == {"eu-west"}
    assert store.row_counts()["system_health_checks"] == len(found)
    assert len(old) == len(found)


def test_every_check_says_what_to_do() -> None:
    """Those that settings add, too."""
    said = [remedy(name) for name in (*CHECKS, "http api")]
    assert len(set(said)) == len(said)
