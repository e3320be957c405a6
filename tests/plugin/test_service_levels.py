"""What a marker expects is recorded, stored, judged and learned from: the way of every session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.keeping.slos import service_levels
from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.store import Store
from pytest_workflow_monitor.words.alerts import AlertKind
from tests.keeping.slos.records import execution, record
from tests.notify.servers import HttpServer, Reply
from tests.plugin.stored import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from tests.plugin.conftest import Suite

EXPECTED = """
    import time

    import pytest
    from pytest_workflow_monitor import step

    runs = []

    @pytest.mark.workflow(slo=99.5, window="7d")
    class TestShop:
        def test_pay(self):
            with step("Pay"):
                time.sleep(0.02)

        @pytest.mark.workflow(slo=95, retries=2)
        def test_ship(self):
            runs.append(1)
            assert len(runs) > 1

        @pytest.mark.workflow(slo=None)
        def test_browse(self): pass
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["plain", "xdist"])
def test_the_marker_says_what_is_expected(suite: Suite, options: tuple[str, ...]) -> None:
    """A class gives its tests defaults, retried tests as others."""
    suite.write("test_shop.py", EXPECTED)
    run = suite.run(*options)
    found = {it.workflow.workflow_id: it.workflow for it in run.attempts}
    expected = {it.name.lower(): (it.slo, it.slo_window_seconds) for it in found.values()}
    assert expected == {"pay": (99.5, 604_800), "ship": (95, 604_800), "browse": (None, 604_800)}
    assert run.execution("ship").is_flaky


def test_a_wrong_expectation_stops_the_session(suite: Suite) -> None:
    """In one sentence, before anything runs."""
    suite.write(
        "test_it.py",
        "import pytest\n@pytest.mark.workflow(slo=100)\ndef test_it(): pass\n",
    )
    run = suite.run()
    assert run.result.ret == 4
    assert "slo=100: expected per cent from 50 to below 100, such as 99.9." in run.output


def test_a_session_is_counted_and_learned_from(
    suite: Suite, database_url: str, settings_for: Callable[..., Settings]
) -> None:
    """By the process beside it, before that ends."""
    suite.write("test_shop.py", EXPECTED)
    suite.run(env={"DATABASE_URL": database_url})
    with Store(database_url) as store:
        session = until(lambda: store.sessions(1))[0]
        settings = settings_for(project=session.project)

        def learned() -> bool:
            rows = store.row_counts()
            return bool(rows["performance_baselines"]) and not rows["unjudged_sessions"]

        until(learned)
        levels = service_levels(store, settings, store.clock())
    assert [(it.workflow_id, it.target, it.availability, it.state) for it in levels] == [
        ("pay", 99.5, 1.0, "young"),
        ("ship", 95.0, 1.0, "young"),
    ]


FAILS = """
    import pytest

    @pytest.mark.workflow("login", slo=99, window="1h")
    def test_login():
        assert False, "nobody can log in"
"""
SETTINGS = """
    [tool.workflow_monitor]
    project = "shop"
    environment = "production"

    [tool.workflow_monitor.channels.team]
    type = "webhook"
    url_env = "TEAM_URL"

    [tool.workflow_monitor.alerts]
    group_wait = 0

    [[tool.workflow_monitor.routes]]
    channels = ["team"]
    match = { kind = ["burning"] }
"""


@pytest.mark.parametrize("told", [True, False])
def test_a_session_that_notifies_tells_of_a_budget_that_burns(
    suite: Suite, database_url: str, told: bool
) -> None:
    """Its own environment's, before the process beside it ends; others only record."""
    suite.write("test_it.py", FAILS)
    suite.write("pyproject.toml", SETTINGS)
    now = datetime.now(UTC)
    with Store(database_url) as store, HttpServer(Reply()) as hook:
        record(store, [execution("login", now - timedelta(hours=2))])
        record(store, [execution("login", now - timedelta(minutes=2), Status.FAILED)])
        env = {"DATABASE_URL": database_url, "TEAM_URL": hook.url}
        suite.run(*(["--workflow-notify"] if told else []), env=env)
        until(lambda: not store.row_counts()["unjudged_sessions"])
        kinds = [it.kind for it in store.alerts(project="shop", open_only=True)]
        assert (AlertKind.BURNING in kinds) == told
        messages = [it.json for it in hook.requests]
    assert ["burns its error budget" in it["title"] for it in messages] == [True] * told
