"""A whole session whose passes do not look like those before them. Real PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import SessionEnded, SessionStarted, Step
from pytest_workflow_monitor.store import Store
from tests.plugin.stored import documents, statuses
from tests.samples import an_attempt, run_id

if TYPE_CHECKING:
    from tests.plugin.conftest import Suite

TESTS = """
    import pytest
    from pytest_workflow_monitor import step

    @pytest.mark.workflow
    def test_order():
        with step("Open"):
            pass
        for name in ():
            with step(name):
                pass

    @pytest.mark.workflow(suspicious_passes=False)
    def test_refund():
        with step("Open"):
            pass

    @pytest.mark.workflow
    def test_newsletter():
        with step("Open"):
            pass
        with step("Read"):
            pass
"""


@pytest.fixture
def history_url(database_url: str) -> str:
    """Return the URL of a database that knows ten passes of each workflow, with all their steps."""
    now = datetime.now(UTC)
    steps = {
        "order": ("Open", "Pay", "Check"),
        "refund": ("Open", "Pay back"),
        "newsletter": ("Open", "Read"),
    }
    with Store(database_url) as store:
        for number in range(10):
            started_at = now - timedelta(hours=10 - number)
            session = SessionStarted(
                session_id=run_id(), project="shop", environment="local", started_at=started_at
            )
            attempts = [
                an_attempt(
                    name,
                    started_at=started_at,
                    duration_ms=1.0,
                    call_ms=1.0,
                    steps=tuple(Step(index=i, name=each) for i, each in enumerate(names)),
                )
                for name, names in steps.items()
            ]
            batch = Batch(attempts=attempts, ended=SessionEnded(ended_at=started_at))
            ingest(store, session, batch)
    return database_url


def test_a_suspicious_pass_is_told_everywhere(suite: Suite, history_url: str) -> None:
    """In the terminal, the database and the reports; pytest itself calls it passed."""
    suite.write("test_shop.py", TESTS)
    run = suite.run(
        "--workflow-project=shop",
        "--workflow-json=out.json",
        "--workflow-report=out.html",
        env={"DATABASE_URL": history_url},
    )
    assert run.summary == {"passed": 3}, run.output
    assert run.result.ret == 0
    reason = "1 of 3 usual steps ran; without 'Pay', 'Check'"
    assert f"1 pass is suspicious, and so degraded: order: {reason}." in run.output
    expected = {"order": "degraded", "refund": "passed", "newsletter": "passed"}
    assert statuses(documents(history_url)[0]) == expected
    written = json.loads((suite.path / "out.json").read_text(encoding="utf-8"))
    (order,) = (it for it in written["executions"] if it["workflow"]["workflow_id"] == "order")
    assert order["attempts"][-1]["degraded"] == [f"suspicious: {reason}"]
    assert "1 of 3 usual steps ran" in (suite.path / "out.html").read_text(encoding="utf-8")


def test_the_setting_switches_it_off(suite: Suite, history_url: str) -> None:
    """For all workflows that do not say."""
    suite.write("test_shop.py", TESTS)
    env = {"DATABASE_URL": history_url, "WORKFLOW_MONITOR_SUSPICIOUS_PASSES": "false"}
    run = suite.run("--workflow-project=shop", env=env)
    assert "suspicious" not in run.output
    assert set(statuses(documents(history_url)[0]).values()) == {"passed"}


def test_workers_and_retries_change_nothing(suite: Suite, history_url: str) -> None:
    """The last attempt decides, whichever worker made it."""
    suite.write("test_shop.py", TESTS)
    suite.write(
        "conftest.py",
        """
        import pathlib, pytest

        @pytest.fixture(autouse=True)
        def fail_once(request):
            flag = pathlib.Path(request.node.name)
            if not flag.exists():
                flag.touch()
                pytest.fail("the first time")
        """,
    )
    run = suite.run(
        "--workflow-project=shop",
        "-n2",
        "--reruns=1",
        env={"DATABASE_URL": history_url},
        warnings=True,
    )
    assert "1 pass is suspicious, and so degraded: order:" in run.output, run.output
    assert statuses(documents(history_url)[0])["order"] == "degraded"
