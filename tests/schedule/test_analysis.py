from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.schedule.chores import CHORES
from pytest_workflow_monitor.words.alerts import AlertKind
from tests.keeping.slos.records import execution, record
from tests.samples import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store


def test_the_scheduler_does_what_sessions_left(
    store: Store, settings_for: Callable[..., Settings]
) -> None:
    """Sums, error budgets of every environment, and what is normal."""
    now = datetime.now(UTC)
    for environment in ("production", "staging"):
        expected: dict[str, Any] = {"slo": 99.0, "slo_window_seconds": 3_600.0}
        record(
            store,
            [
                execution("login", now - timedelta(hours=2)),
                execution("login", now - timedelta(minutes=3), Status.FAILED),
                execution("login", now - timedelta(minutes=2), Status.FAILED, **expected),
            ],
            environment,
        )
    assert CHORES["analysis"].do(store, settings_for(store.url)) == ""
    rows = store.row_counts()
    assert (rows["outdated_hours"], rows["unjudged_sessions"]) == (0, 0)
    assert rows["performance_baselines"] == 2
    alerts = store.alerts(project=PROJECT, open_only=True)
    burning = {it.environment for it in alerts if it.kind is AlertKind.BURNING}
    assert burning == {"production", "staging"}
