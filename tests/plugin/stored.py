"""What the tests of storing share: long-running suites, and looking into the database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, TypeVar

from pytest_workflow_monitor.store.connection import Store
from tests.plugin.conftest import foreign

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.model import SessionDocument
    from tests.plugin.conftest import Suite

T = TypeVar("T")

TWO_WORKFLOWS = """
    import pytest
    from pytest_workflow_monitor import step, metric, attach

    @pytest.mark.workflow(priority="high", retries=1)
    def test_login():
        with step("Open"):
            with step("Inner"):
                pass
        metric("cart_total", 12.5, unit="EUR", threshold=20)
        attach(b"evidence", "note.txt")

    @pytest.mark.workflow
    def test_order():
        with step("Pay"):
            assert False, "declined"
"""

WAITING = """
    import pathlib, time
    import pytest
    from pytest_workflow_monitor import step

    here = pathlib.Path(__file__).parent

    @pytest.mark.workflow
    def test_first():
        with step("Done before"):
            pass

    @pytest.mark.workflow
    def test_waits():
        with step("Arrive"):
            pass
        with step("Wait"):
            (here / "waiting").touch()
            while not (here / "go on").exists():
                time.sleep(0.02)
"""


def until(find: Callable[[], T | None], seconds: float = 90) -> T:
    """Ask again until there is an answer."""
    give_up_at = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < give_up_at, "nothing came"
        time.sleep(0.02)
    return found


def start(suite: Suite, database_url: str, *options: str) -> subprocess.Popen[str]:
    """Start the waiting suite and return when its second workflow waits."""
    suite.write("test_shop.py", WAITING)
    environment = {name: os.environ[name] for name in os.environ if name not in foreign(os.environ)}
    process = subprocess.Popen(
        [sys.executable, "-mpytest", "--workflow-monitor", *options],
        cwd=suite.path,
        env={**environment, "DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until((suite.path / "waiting").exists)
    return process


def go_on(suite: Suite, process: subprocess.Popen[str]) -> str:
    """Let the waiting workflow end, and return what pytest printed."""
    (suite.path / "go on").touch()
    return process.communicate(timeout=60)[0]


def documents(database_url: str) -> list[SessionDocument]:
    """All sessions that the database knows, the newest first."""
    with Store(database_url) as store:
        return [store.session_document(s.session_id) for s in store.sessions(100)]


def ended(database_url: str) -> list[SessionDocument] | None:
    """All sessions, once there is one and each has ended."""
    found = documents(database_url)
    return found if found and all(document.ended for document in found) else None


def statuses(document: SessionDocument) -> dict[str, str]:
    """The status of each workflow."""
    return {e.workflow.workflow_id: e.status.value for e in document.executions}
