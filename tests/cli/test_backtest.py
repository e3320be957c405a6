from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.model import Status
from tests.keeping.alerts.site import Site, failed, passed
from tests.samples import a_workflow, an_attempt, at

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

SPAN = ("--since", "2026-03-01T12:00Z", "--until", "2026-03-02T12:00Z")


@pytest.fixture
def site(store: Store) -> Site:
    """A site where login fails for 10 and for 20 minutes, and cart once, in two environments."""
    made = Site(store)
    for position, mark in enumerate("xx..xxxx..."):
        minute = position * 5.0
        made.report(minute, failed(minute) if mark == "x" else passed(minute))
    made.report(0, failed(0, "cart"), environment="staging")
    made.report(5, passed(5, "cart"), environment="staging")
    return made


def played(project: Project, *options: str) -> Any:
    """Return what the back-test of the day says."""
    said = project.run("alerts", "backtest", *SPAN, *options, "--json")
    assert said.code == 0, said.err
    return said.json


def test_then_and_now_stand_side_by_side(stored: Project, site: Site) -> None:
    """Fewer alerts, later, and which problems have none any more."""
    found = played(stored, "--alert-after", "3")
    assert found["executions"] == 13
    assert (found["then"]["alerts"], found["now"]["alerts"]) == (3, 1)
    assert (found["then"]["notifications"], found["now"]["notifications"]) == (6, 2)
    assert found["then"]["time_to_detect_seconds"] == {"median": 1.5, "worst": 1.5}
    assert found["now"]["time_to_detect_seconds"] == {"median": 601.5, "worst": 601.5}
    spared = [(it["workflow_id"], it["lasted_seconds"]) for it in found["no_longer_alerted"]]
    assert spared == [("login", 600.0), ("cart", 300.0)]
    assert found["newly_alerted"] == []
    assert (
        sorted(found["now"]["missed"], key=lambda it: it["workflow_id"])
        == (found["no_longer_alerted"][::-1])
    )

    said = stored.run("alerts", "backtest", *SPAN, "--alert-after", "3")
    assert said.code == 0
    for fact in (
        "13 executions of shop",
        "Time to detect, median",
        "Then  alert_after = 1",
        "Now   alert_after = 3",
        "No alert of these any more: 2 problems",
    ):
        assert fact in said.out


def test_then_is_what_really_happened(stored: Project, site: Site) -> None:
    """The configured policy opens in a back-test what it opened when the executions came."""
    assert played(stored)["then"]["alerts"] == len(site.alerts(open_only=False))
    assert played(stored)["now"] == played(stored)["then"]


def test_the_policies_of_the_settings_hold(stored: Project, site: Site) -> None:
    """Also those for some workflows; what is not given stays as they have it."""
    stored.write(
        "pyproject.toml",
        """
        [tool.workflow_monitor]
        project = "shop"
        alerts = { alert_after = 4 }

        [[tool.workflow_monitor.alert_policies]]
        match = { workflow = "cart" }
        alert_after = 1
        """,
    )
    found = played(stored, "--resolve-after", "2")
    assert found["then"]["opened"] == {"failing": 2}
    said = stored.run("alerts", "backtest", *SPAN).out
    assert "Then  alert_after = 4; 1 rule for some workflows" in said


@pytest.mark.parametrize(
    ("options", "alerts"),
    [
        (("--workflow", "cart"), 1),
        (("--workflow", "c*", "--workflow", "login"), 3),
        (("--environment", "production"), 2),
        (("--failures-in", "3/4"), 1),
        (("--failing-for", "15m"), 1),
        (("--failing-for", "15m", "--alert-after", "2"), 2),
        (("--since", "2026-03-01T12:15Z"), 1),
        (("--until", "2026-03-01T12:10Z"), 2),
    ],
)
def test_every_option_counts(
    stored: Project, site: Site, options: tuple[str, ...], alerts: int
) -> None:
    """Conditions replace the usual one, selections narrow what is played."""
    assert played(stored, *options)["now"]["alerts"] == alerts


def test_kinds_of_alerts_can_be_switched(stored: Project, store: Store) -> None:
    """Degraded passes, masked failures, flapping and interruptions."""
    site = Site(store)
    for position, status in enumerate(
        [Status.DEGRADED] * 3 + [Status.INTERRUPTED] + [Status.PASSED, Status.FAILED] * 6
    ):
        attempt = an_attempt(a_workflow("login"), status=status, started_at=at(position * 300))
        site.report(position * 5, attempt)
    opened = played(stored, "--degraded", "2", "--no-flapping", "--interrupted")["now"]["opened"]
    assert opened == {"failing": 7, "degraded": 1}
    assert played(stored)["then"]["opened"]["flapping"] == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--failures-in", "5/3"), "expected two numbers such as 3/5"),
        (("--failures-in", "three"), "expected two numbers such as 3/5"),
        (("--alert-after", "0"), "0 is not in the range"),
        (("--failing-for", "soon"), "'soon': expected seconds"),
        (("--since", "2026-03-03"), "--since has to be before --until"),
    ],
)
def test_mistakes_are_named(
    stored: Project, site: Site, options: tuple[str, ...], sentence: str
) -> None:
    """With exit code 2."""
    said = stored.run("alerts", "backtest", *SPAN, *options, width=200)
    assert said.code == 2
    assert sentence in said.err


def test_a_workflow_that_is_not_there(stored: Project, site: Site) -> None:
    """Exit code 5."""
    said = stored.run("alerts", "backtest", "--workflow", "nothing")
    assert (said.code, said.err) == (5, "Error: There is no such workflow of shop.\n")
