from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.schedule.chores import CHORES
from tests.samples import a_session, an_attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store


def test_the_scheduler_lets_go_of_what_is_old_once_a_day(
    store: Store, settings_for: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    """And says how much that was; what becomes too old meanwhile waits for the next day."""
    caplog.set_level(logging.INFO, logger="pytest_workflow_monitor.schedule")

    def add_and_do() -> int:
        at = datetime.now(UTC) - timedelta(days=500)
        ingest(store, a_session(started_at=at), Batch(attempts=[an_attempt(started_at=at)]))
        assert CHORES["retention"].do(store, settings_for(store.url)) == ""
        return store.row_counts(["workflow_executions"])["workflow_executions"]

    assert [add_and_do(), add_and_do()] == [0, 1]
    (record,) = (it for it in caplog.records if getattr(it, "action", "") == "retention")
    assert record.__dict__["rows"]["workflow_executions"] == 1
    assert record.__dict__["finished"] is True
