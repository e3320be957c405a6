"""How big each table is, from when to when it reaches, and how much is added to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.store.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg.rows import DictRow

BIG_BYTES = 20_000_000
"""Tables with more than this are not counted, but estimated as the planner does."""

SAMPLE = 2_000
"""So many of the latest executions say how many rows one of them has in other tables."""

WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
EXECUTIONS = "workflow_executions"
DETAILS = ("workflow_steps", "workflow_metrics")
OF_EXECUTIONS = (*DETAILS, "workflow_attempts", "workflow_artifacts")


class TableStatistics(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One table.

    Attributes:
        name: What it is called.
        rows: How many rows it has.
        is_estimate: Whether that is an estimate, as for a big table.
        table_bytes: What its rows take, with those that are kept apart for being large.
        index_bytes: What its indexes take.
        oldest_at: The oldest time in it; None where there is none.
        newest_at: The newest.
        rows_per_day: How many rows a day of the last week added; None where nobody knows.
    """

    name: str
    rows: int
    is_estimate: bool
    table_bytes: int
    index_bytes: int
    oldest_at: datetime | None = None
    newest_at: datetime | None = None
    rows_per_day: float | None = None

    @property
    def size_bytes(self) -> int:
        """What it takes in all."""
        return self.table_bytes + self.index_bytes


class Statistics(Reading):
    """The statements of ``db stats``."""

    def table_statistics(self, now: datetime) -> tuple[TableStatistics, ...]:
        """Describe every table of ours, by name; quickly, also where they are big."""
        sizes = self.fetch("table_sizes")
        is_big = {
            it["name"]: it["table_bytes"] > BIG_BYTES and bool(it["is_known"]) for it in sizes
        }
        counted = self.row_counts([name for name, big in is_big.items() if not big])
        spans = {it["name"]: it for it in self.fetch("spans", since=now - WEEK)}
        spans |= self._spans_of_runs(spans)
        return tuple(
            _described(it, counted.get(it["name"]), spans.get(it["name"], {}), now) for it in sizes
        )

    def _spans_of_runs(self, spans: Mapping[str, DictRow]) -> dict[str, DictRow]:
        """Work out, for tables that have no times, what their executions' times say."""
        runs = spans[EXECUTIONS]
        found = self.fetch_one("rows_of_latest_runs", limit=SAMPLE)
        if found is None or not found["runs"]:
            return {}
        made = {
            name: {**runs, "added": runs["added"] * found[name] / found["runs"]}
            for name in OF_EXECUTIONS
        }
        pruned = self.fetch_one("details_reached")
        if pruned is not None and pruned["reached"] is not None:
            for name in DETAILS:
                made[name]["oldest_at"] = max(runs["oldest_at"], pruned["reached"])
        return made


def _described(size: DictRow, counted: int | None, span: DictRow, now: datetime) -> TableStatistics:
    rows = int(size["estimated_rows"]) if counted is None else counted
    return TableStatistics(
        name=size["name"],
        rows=rows,
        is_estimate=counted is None,
        table_bytes=size["table_bytes"],
        index_bytes=size["index_bytes"],
        oldest_at=span.get("oldest_at"),
        newest_at=span.get("newest_at"),
        rows_per_day=_a_day(span, rows, now - WEEK),
    )


def _a_day(span: DictRow, rows: int, since: datetime) -> float | None:
    """Say how many rows a day adds: those of the last week, else all of them, by their days."""
    oldest, added = span.get("oldest_at"), span.get("added")
    if oldest is None:
        return None
    if added is None:
        return rows / float(max((span["newest_at"] - oldest) / _DAY, 1.0))
    return float(added / max(min((since + WEEK - oldest) / _DAY, 7.0), 1.0))
