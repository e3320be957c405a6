"""What the size of the database is going to be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.keeping import pruning
from pytest_workflow_monitor.keeping.growth import growth, kept_days
from pytest_workflow_monitor.store.pruning import TABLES
from pytest_workflow_monitor.store.statistics import TableStatistics
from tests.samples import a_session, an_attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

NOW = datetime(2026, 6, 17, 12, 30, tzinfo=UTC)


def a_table(name: str, days: float, **fields: Any) -> TableStatistics:
    """Return a table of 1,000 rows of 100 bytes that reaches so many days back."""
    defaults: dict[str, Any] = {
        "rows": 1_000,
        "is_estimate": False,
        "table_bytes": 60_000,
        "index_bytes": 40_000,
        "oldest_at": NOW - timedelta(days=days),
        "newest_at": NOW,
        "rows_per_day": 10.0,
    }
    return TableStatistics(name=name, **(defaults | fields))


def test_what_is_kept_for_ever_grows_for_ever(settings_for: Callable[..., Settings]) -> None:
    """By what a day adds."""
    found = growth([a_table("workflow_days", 100)], settings_for(), NOW)
    assert (found.size_bytes, found.bytes_per_day) == (100_000, 1_000)
    assert found.forecast_bytes == {30: 130_000, 90: 190_000, 365: 465_000}
    assert found.full_at is None


def test_what_is_pruned_grows_until_it_reaches_so_far(
    settings_for: Callable[..., Settings],
) -> None:
    """Then as much goes as comes."""
    tables = [a_table("workflow_steps", 50), a_table("notification_logs", 40)]
    found = growth(tables, settings_for(), NOW)
    assert found.bytes_per_day == 1_000
    assert found.forecast_bytes == {30: 230_000, 90: 240_000, 365: 240_000}


def test_a_disk_is_full_when_that_much_was_added(settings_for: Callable[..., Settings]) -> None:
    """Not when as much as that will never come."""
    tables = [a_table("workflow_days", 100)]
    full_at = growth(tables, settings_for(), NOW, free_bytes=45_500).full_at
    assert full_at == NOW + timedelta(days=46)
    assert growth(tables, settings_for(), NOW, free_bytes=10_000_000_000).full_at is None


def test_everything_that_is_pruned_is_known_to_be(
    settings_for: Callable[..., Settings],
) -> None:
    """What deletes rows, and what forecasts, name the same tables with the same days."""
    kept = kept_days(settings_for())
    assert set(TABLES) <= set(kept)
    assert {kept[it] for it in pruning.BY_EXECUTIONS} == {400.0}
    assert {kept[it] for it in pruning.BY_LOGS} == {30.0}


def test_tables_are_described_from_what_is_in_them(store: Store) -> None:
    """Counted where they are small, with times and what a day adds."""
    for days in (13, 6, 3, 1):
        at = NOW - timedelta(days=days)
        ingest(store, a_session(started_at=at), Batch(attempts=[an_attempt(started_at=at)]))
    found = {it.name: it for it in store.table_statistics(NOW)}
    runs, steps = found["workflow_executions"], found["workflow_steps"]
    assert (runs.rows, runs.is_estimate) == (4, False)
    assert (runs.oldest_at, runs.newest_at) == (NOW - timedelta(days=13), NOW - timedelta(days=1))
    assert runs.rows_per_day == pytest.approx(3 / 7)
    assert (steps.rows, steps.oldest_at) == (8, runs.oldest_at)
    assert steps.rows_per_day == pytest.approx(6 / 7)
    assert runs.size_bytes == runs.table_bytes + runs.index_bytes > 0
    assert set(store.row_counts()) <= set(found)


def test_big_tables_are_estimated(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the planner does, and named so."""
    attempts = [an_attempt() for _ in range(50)]
    ingest(store, a_session(), Batch(attempts=attempts))
    store.connection.execute(b"ANALYZE")
    monkeypatch.setattr("pytest_workflow_monitor.store.statistics.BIG_BYTES", 1_000)
    found = {it.name: it for it in store.table_statistics(NOW)}["workflow_executions"]
    assert (found.rows, found.is_estimate) == (50, True)
