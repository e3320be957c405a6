"""Deletes what is older than it is kept, in short transactions that nobody has to wait for long.

What begins a batch is what stands there: nothing is remembered but how far a class of data was
pruned (``prunings``). So a process that is killed leaves a batch undone, and the next one goes on.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.store.summaries import Summaries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RUNS_AT_ONCE = 500
ROWS_AT_ONCE = 5_000
HOURS_AT_ONCE = timedelta(hours=4)
_INSTANT = timedelta(microseconds=1)

TEXTS = "texts of workflow_attempts"
"""What a batch of logs empties, beside the rows that it deletes."""


class DataClass(StrEnum):
    """What is kept equally long."""

    EXECUTIONS = "executions"
    DETAILS = "details"
    LOGS = "logs"


class Pruning(Record, frozen=True, kw_only=True):
    """How far a class of data of a project has been pruned.

    Attributes:
        before: What began earlier may be gone.
        reached: What began earlier is gone; None before the first batch.
        finished_at: When the last pruning came to its end.
    """

    before: datetime
    reached: datetime | None = None
    finished_at: datetime | None = None


_DETAILS = {
    "workflow_steps": "prune_steps",
    "workflow_metrics": "prune_metrics",
    "execution_anomalies": "prune_anomalies",
}
_LOGS = {TEXTS: "prune_attempt_texts"}
_OF_RUNS = {DataClass.DETAILS: _DETAILS, DataClass.LOGS: _LOGS}
_EXECUTIONS = {
    **_DETAILS,
    "workflow_artifacts": "prune_artifacts",
    "workflow_attempts": "prune_attempts",
    "workflow_executions": "prune_executions",
}
"""What goes with executions, the last first to be referred to."""

TABLES = {
    "test_sessions": "prune_sessions",
    "alert_events": "prune_alert_events",
    "alerts": "prune_alerts",
    "incidents": "prune_incidents",
    "silences": "prune_silences",
    "deployments": "prune_deployments",
    "performance_baselines": "prune_baselines",
    "monitoring_reports": "prune_reports",
    "dead_letter_queue": "prune_letters",
    "notification_logs": "prune_notifications",
    "system_health_checks": "prune_health_checks",
    "workflow_slots": "prune_old_slots",
}
"""Tables whose old rows go by themselves, and by which statement."""


class PruningStore(Summaries):
    """The statements of pruning; ``project`` is whose data it is."""

    @contextmanager
    def pruning(self, project: str) -> Iterator[bool]:
        """Be the one who prunes a project; gives whether nobody else does."""
        row = self.fetch_one("try_lock_pruning", project=project)
        is_ours = row is not None and bool(row["is_ours"])
        try:
            yield is_ours
        finally:
            if is_ours and not self.connection.broken:
                self.fetch("unlock_pruning", project=project)

    def prunings(self, project: str) -> dict[DataClass, Pruning]:
        """Tell what has been pruned of a project."""
        return {
            DataClass(row["class"]): Pruning(
                before=row["before"], reached=row["reached"], finished_at=row["finished_at"]
            )
            for row in self.fetch("prunings", project=project)
        }

    def promise_pruning(self, project: str, before: Mapping[DataClass, datetime]) -> None:
        """Bring the sums up to date, and from then on leave those of what goes as they are."""
        self.sum_up(project)
        with self.transaction():
            self.fetch("lock_summaries", project=project)
            self.sum_up(project)
            for data_class, moment in before.items():
                self.run("promise_pruning", project=project, **{"class": data_class}, before=moment)

    def prune_of_runs(
        self, project: str, data_class: DataClass, since: datetime | None, before: datetime
    ) -> tuple[Counter[str], datetime | None]:
        """Delete the details or logs of the next executions.

        Returns:
            How many rows of each table, and from where to go on; None when nothing is left.
        """
        with self._batch():
            batch = {"project": project, "since": since}
            last = self.fetch_one("next_batch", **batch, before=before, limit=RUNS_AT_ONCE)
            if last is None or last["last_at"] is None:
                self._note(project, data_class, before)
                return Counter(), None
            row = self.fetch_one("runs_between", **batch, last_at=last["last_at"])
            gone = self._run_all(_OF_RUNS[data_class], row["run_ids"] if row else [])
            reached = last["last_at"] + _INSTANT
            self._note(project, data_class, reached)
            return gone, reached

    def prune_executions(self, project: str, before: datetime) -> Counter[str]:
        """Delete the next executions with all they hold; returns rows by table."""
        with self._batch():
            row = self.fetch_one(
                "prunable_runs", project=project, before=before, limit=RUNS_AT_ONCE
            )
            return self._run_all(_EXECUTIONS, (row["run_ids"] if row else None) or [])

    def first_series_hour(self, project: str) -> datetime | None:
        """Tell the first hour of which there are sums of steps and metrics."""
        row = self.fetch_one("first_series_hour", project=project)
        return row["starts_at"] if row else None

    def prune_series_hours(self, project: str, since: datetime, before: datetime) -> int:
        """Delete the sums of steps and metrics of the next hours; returns how many."""
        with self._batch():
            until = min(since + HOURS_AT_ONCE, before)
            return self.run("prune_series_hours", project=project, since=since, until=until)

    def prune_table(self, project: str, table: str, before: datetime) -> int:
        """Delete the next old rows of a table; returns how many."""
        with self._batch():
            return self.run(TABLES[table], project=project, before=before, limit=ROWS_AT_ONCE)

    def finish_pruning(self, project: str, at: datetime) -> None:
        """Note that everything is pruned."""
        self.run("note_pruning_finished", project=project, at=at)

    def count_prunable(
        self, project: str, before: Mapping[DataClass, datetime], slots_before: datetime
    ) -> Counter[str]:
        """Count what would be pruned, by table."""
        done = self.prunings(project)
        since = {it: done[it].reached if it in done else None for it in DataClass}
        rows = self.fetch(
            "count_prunable",
            project=project,
            executions=before[DataClass.EXECUTIONS],
            details=before[DataClass.DETAILS],
            details_since=since[DataClass.DETAILS],
            logs=before[DataClass.LOGS],
            logs_since=since[DataClass.LOGS],
            slots=slots_before,
        )
        return Counter({row["name"]: row["rows"] for row in rows if row["rows"]})

    @contextmanager
    def _batch(self) -> Iterator[None]:
        with self.transaction():
            self.fetch("limit_waiting")
            yield

    def _run_all(self, statements: Mapping[str, str], run_ids: Sequence[object]) -> Counter[str]:
        gone: Counter[str] = Counter()
        if run_ids:
            for table, statement in statements.items():
                gone[table] = self.run(statement, run_ids=run_ids)
        return +gone

    def _note(self, project: str, data_class: DataClass, reached: datetime) -> None:
        self.run("note_pruned", project=project, **{"class": data_class}, reached=reached)
