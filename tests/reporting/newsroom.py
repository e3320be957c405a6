"""A project whose executions of a Sunday are reported on Monday morning."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.settings.alert_rules import ChannelRule
from pytest_workflow_monitor.settings.report_rules import ReportRule
from tests.delivery.office import Notebook, Office
from tests.keeping.alerts.site import failed, passed
from tests.samples import ENVIRONMENT, PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from psycopg.rows import DictRow

    from pytest_workflow_monitor.notify.channel import Channel
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""When the report of Sunday 1 March 2026 is due."""

DAILY = ReportRule(name="daily")
TEAM = ChannelRule(name="team", type="webhook")


def newsroom(
    store: Store,
    settings_for: Callable[..., Settings],
    built: Mapping[str, Channel] | None = None,
    **changes: Any,
) -> Office:
    """Return a project with the channel ``team``, where ten runs passed and ``login`` fails."""
    fields: dict[str, Any] = {
        "project": PROJECT,
        "environment": ENVIRONMENT,
        "channels": (TEAM,),
        "routes": (),
    } | changes
    settings = settings_for(store.url, **fields)
    made = Office(store, settings, {"team": Notebook()} if built is None else built)
    for minute in range(10):
        made.report(minute, passed(minute, "order"))
    made.report(11, failed(11, "login"))
    return made


def report_rows(store: Store) -> list[DictRow]:
    """Return what is kept, oldest first."""
    return store.connection.execute(
        "SELECT * FROM workflow_monitor.monitoring_reports ORDER BY report_id"
    ).fetchall()
