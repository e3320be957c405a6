"""Statements about what is normal: values to learn from, what is known of a series, anomalies."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.model import SessionStarted

_json = msgspec.json.Encoder().encode


class SeriesId(Record, frozen=True, kw_only=True, order=True):
    """A workflow's durations (``kind`` workflow), those of a step, or the values of a metric."""

    workflow_id: str
    environment: str
    location: str
    kind: str
    name: str
    unit: str


class Observed(Record, frozen=True, kw_only=True):
    """One value of a series."""

    series: SeriesId
    run_id: str
    at: datetime
    value: float


class Remembered(Record, frozen=True, kw_only=True):
    """What is known of a series: a detector's state as JSON, and its last value's instant."""

    state: str
    last_run_at: datetime


class NewBaseline(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A row of ``performance_baselines``."""

    workflow_id: str
    environment: str
    location: str
    kind: str
    name: str
    unit: str
    baseline_avg_ms: float | None
    baseline_median_ms: float | None
    baseline_spread_ms: float | None
    baseline_p95_ms: float | None
    sample_size: int
    seasons: msgspec.Raw
    state: msgspec.Raw
    last_run_at: datetime


class NewAnomaly(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A row of ``execution_anomalies``."""

    run_id: str
    environment: str
    workflow_id: str
    kind: str
    name: str
    unit: str
    value: float
    expected_low: float | None
    expected_high: float | None
    score: float
    direction: str
    observed_at: datetime


class StoredBaseline(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What is normal for a series, in its unit; durations in milliseconds."""

    workflow_id: str
    environment: str
    location: str
    kind: str
    name: str
    unit: str
    average: float
    median: float
    spread: float
    p95: float
    sample_size: int
    season: str | None
    last_run_at: datetime
    updated_at: datetime


class Learning(Database):
    """The statements."""

    def mark_unlearned(self, session: SessionStarted) -> None:
        """Note that a session is over and has not been learned from."""
        self.run("mark_unlearned", session_id=session.session_id, project=session.project)

    def take_unlearned(self, project: str, executions: int) -> tuple[str, ...]:
        """Take the oldest sessions that have not been learned from; nobody else learns meanwhile.

        One that goes beyond the number of executions is the last one taken. To be called in the
        transaction that stores what was learned.
        """
        self.fetch("lock_learning", project=project)
        found = self.fetch("take_unlearned", project=project, executions=executions)
        return tuple(row["session_id"] for row in found)

    def workflows_to_learn(self, session_ids: Sequence[str], least_ms: float) -> tuple[str, ...]:
        """List the workflows that passed in some sessions, and took no less than ``least_ms``."""
        rows = self.fetch("workflows_to_learn", session_ids=list(session_ids), least_ms=least_ms)
        return tuple(row["workflow_id"] for row in rows)

    def values_to_learn(
        self, session_ids: Sequence[str], workflow_ids: Sequence[str], least_ms: float
    ) -> tuple[Observed, ...]:
        """Read the values of the passed executions of some sessions, the oldest first.

        Durations below ``least_ms`` are left out, and with them all of their execution.
        """
        rows = self.fetch(
            "values_to_learn",
            session_ids=list(session_ids),
            workflow_ids=list(workflow_ids),
            least_ms=least_ms,
        )
        return tuple(
            Observed(
                series=msgspec.convert(row, SeriesId),
                run_id=row["run_id"],
                at=row["at"],
                value=row["value"],
            )
            for row in rows
        )

    def states_of_series(
        self, project: str, environments: Iterable[str], workflow_ids: Iterable[str]
    ) -> dict[SeriesId, Remembered]:
        """Read what is known of the series of some workflows."""
        rows = self.fetch(
            "states_of_series",
            project=project,
            environments=list(environments),
            workflow_ids=list(workflow_ids),
        )
        return {msgspec.convert(row, SeriesId): msgspec.convert(row, Remembered) for row in rows}

    def set_baselines(self, project: str, baselines: Sequence[NewBaseline]) -> None:
        """Store what is known of some series."""
        if baselines:
            self.run("set_baselines", project=project, rows=_json(baselines).decode())

    def add_anomalies(self, project: str, anomalies: Sequence[NewAnomaly]) -> None:
        """Note values that were not normal."""
        if anomalies:
            self.run("add_anomalies", project=project, rows=_json(anomalies).decode())

    def baselines(
        self, project: str, *, environment: str | None = None, workflow_id: str | None = None
    ) -> tuple[StoredBaseline, ...]:
        """Read what is normal, of all series or those of an environment or workflow."""
        rows = self.fetch(
            "baselines", project=project, environment=environment, workflow_id=workflow_id
        )
        return msgspec.convert(rows, tuple[StoredBaseline, ...])
