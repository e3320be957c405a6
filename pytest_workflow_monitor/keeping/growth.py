"""How big the database is going to be, as retention and the last week's growth make it.

A table grows by what a day adds until it reaches as far back as it is kept, and stays like that
then; one that is kept for ever goes on growing. A row is taken to be as big as those that are
there, with its share of the indexes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store.statistics import TableStatistics

HORIZONS = (30, 90, 365)
"""So many days ahead the size is told."""

FURTHEST = 3650
_DAY = timedelta(days=1)


class Growth(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What is to be expected.

    Attributes:
        size_bytes: How big all tables are now, with their indexes.
        bytes_per_day: How much a day adds now.
        forecast_bytes: How big they are going to be, by days from now.
        free_bytes: What the disk has left; None where that is another machine's.
        full_at: When that is used up; None for not within ten years, or if nobody knows.
    """

    size_bytes: int
    bytes_per_day: float
    forecast_bytes: dict[int, int]
    free_bytes: int | None = None
    full_at: datetime | None = None


def kept_days(settings: Settings) -> dict[str, float]:
    """Return how long the rows of each table are kept; tables that are not named, for ever."""
    executions, logs = settings.execution_days, settings.log_days
    details = min(settings.detail_days, executions)
    return {
        "workflow_executions": executions,
        "workflow_attempts": executions,
        "workflow_artifacts": executions,
        "test_sessions": executions,
        "alerts": executions,
        "alert_events": executions,
        "incidents": executions,
        "silences": executions,
        "deployments": executions,
        "performance_baselines": executions,
        "monitoring_reports": executions,
        "workflow_steps": details,
        "workflow_metrics": details,
        "execution_anomalies": details,
        "series_hours": details,
        "notification_logs": logs,
        "dead_letter_queue": logs,
        "system_health_checks": logs,
        "workflow_slots": settings.slot_days,
    }


def growth(
    tables: Sequence[TableStatistics],
    settings: Settings,
    now: datetime,
    *,
    free_bytes: int | None = None,
) -> Growth:
    """Forecast the size of the database.

    Args:
        tables: What is there now.
        settings: How long it is kept.
        now: The time.
        free_bytes: What the disk has left, if that is known.
    """
    kept = kept_days(settings)
    size = sum(it.size_bytes for it in tables)

    def added(days: int) -> float:
        return sum(_added(it, kept.get(it.name), now, days) for it in tables)

    full_in = None
    if free_bytes is not None and added(FURTHEST) > free_bytes:
        full_in = _first_beyond(free_bytes, added)
    return Growth(
        size_bytes=size,
        bytes_per_day=added(1),
        forecast_bytes={days: size + round(added(days)) for days in HORIZONS},
        free_bytes=free_bytes,
        full_at=None if full_in is None else now + full_in * _DAY,
    )


def bytes_per_day(table: TableStatistics) -> float:
    """Say how much a day adds to a table before anything goes."""
    if not table.rows or table.rows_per_day is None:
        return 0.0
    return table.rows_per_day * table.size_bytes / table.rows


def _added(table: TableStatistics, kept: float | None, now: datetime, days: int) -> float:
    """Say how much some days add to a table, less what goes meanwhile."""
    a_day = bytes_per_day(table)
    if kept is None or table.oldest_at is None:
        return a_day * days
    room = max(kept - (now - table.oldest_at) / _DAY, 0.0)
    return a_day * min(days, room)


def _first_beyond(limit: float, added: Callable[[int], float]) -> int:
    """Find the first day on which more than the limit has been added."""
    low, high = 0, FURTHEST
    while high - low > 1:
        middle = (low + high) // 2
        if added(middle) > limit:
            high = middle
        else:
            low = middle
    return high
