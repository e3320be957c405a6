"""Records as rows: for every table filled by COPY, its columns' types and how a record fills them.

The order is that of the column lists in ``queries/copy.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_workflow_monitor.model import Attempt, Execution, SessionStarted
    from pytest_workflow_monitor.store.definitions import Definition

Row = tuple[object, ...]

_encode = msgspec.json.Encoder().encode
_NONE = b"[]"


@dataclass(frozen=True)
class Columns:
    """The columns of a table that rows fill, as ``name type`` separated by commas."""

    text: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(column.split()[0] for column in self.text.split(","))

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Their types in PostgreSQL."""
        return tuple(column.split()[1] for column in self.text.split(","))

    def as_json(self, table: Iterable[Row]) -> str:
        """Return rows as the JSON that ``json_populate_recordset`` reads."""
        return _encode(
            [dict(zip(self.names, map(_raw, row), strict=True)) for row in table]
        ).decode()


WORKFLOW = Columns(
    "project text, workflow_id text, workflow_name text, type text, priority text, owner text, "
    "tags jsonb, enabled bool, definition jsonb, definition_hash uuid, defined_at timestamptz"
)
VERSION = Columns("project text, workflow_id text, definition_hash uuid, definition jsonb")
EXECUTION = Columns(
    "run_id uuid, session_id uuid, project text, workflow_id text, environment text, "
    "location text, workflow_name text, definition_hash uuid, priority text, triggered_by text, "
    "status text, started_at timestamptz, completed_at timestamptz, duration_ms float8, "
    "is_flaky bool, attempts_total int4, steps_total int4, steps_passed int4, steps_failed int4, "
    "error_message text, error_stack text, fingerprint text, labels jsonb, dimensions jsonb, "
    "tags jsonb"
)
ATTEMPT = Columns(
    "run_id uuid, attempt int4, status text, started_at timestamptz, duration_ms float8, "
    "setup_ms float8, call_ms float8, teardown_ms float8, will_retry bool, worker text, "
    "steps_dropped int4, skip_reason text, errors jsonb, outputs jsonb, degraded jsonb, "
    "labels jsonb, dimensions jsonb, events jsonb, events_dropped int4, pages jsonb"
)
STEP = Columns(
    "run_id uuid, attempt int4, step_index int4, parent_index int4, step_name text, phase text, "
    "status text, started_ms float8, duration_ms float8, error_message text, is_optional bool, "
    "slower_than_seconds float8"
)
METRIC = Columns(
    "run_id uuid, attempt int4, metric_index int4, metric_name text, metric_value float8, "
    "metric_unit text, threshold_value float8, is_within_threshold bool, step_index int4, "
    "recorded_at timestamptz, recorded_ms float8, page text"
)
ARTIFACT = Columns(
    "run_id uuid, attempt int4, artifact_index int4, artifact_name text, kind text, "
    "content_type text, size_bytes int8, sha256 text, path text, step_index int4, "
    "recorded_at timestamptz, recorded_ms float8, problem text"
)


def workflow_row(session: SessionStarted, definition: Definition) -> Row:
    """Return the row of ``workflows``."""
    workflow = definition.workflow
    return (
        session.project,
        workflow.workflow_id,
        workflow.name,
        workflow.type,
        workflow.priority,
        workflow.owner,
        _encode(workflow.tags) if workflow.tags else _NONE,
        workflow.enabled,
        definition.encoded,
        definition.hash,
        session.started_at,
    )


def version_row(session: SessionStarted, definition: Definition) -> Row:
    """Return the row of ``workflow_versions``."""
    return (
        session.project,
        definition.workflow.workflow_id,
        definition.hash,
        definition.encoded,
    )


def execution_row(session: SessionStarted, execution: Execution, definition: Definition) -> Row:
    """Return the row of ``workflow_executions``."""
    workflow = execution.workflow
    error = execution.error
    return (
        execution.run_id,
        execution.session_id,
        execution.project,
        workflow.workflow_id,
        execution.environment,
        session.location,
        workflow.name,
        definition.hash,
        workflow.priority,
        session.trigger,
        execution.status,
        execution.started_at,
        execution.completed_at,
        execution.duration_ms,
        execution.is_flaky,
        len(execution.attempts),
        execution.steps_total,
        execution.steps_passed,
        execution.steps_failed,
        error and error.message,
        error and error.traceback,
        (error and error.fingerprint) or None,
        _encode(execution.labels),
        _encode(execution.dimensions),
        _encode(workflow.tags) if workflow.tags else _NONE,
    )


def attempt_row(attempt: Attempt) -> Row:
    """Return the row of ``workflow_attempts``."""
    return (
        attempt.run_id,
        attempt.number,
        attempt.status,
        attempt.started_at,
        attempt.duration_ms,
        attempt.setup_ms,
        attempt.call_ms,
        attempt.teardown_ms,
        attempt.will_retry,
        attempt.worker,
        attempt.steps_dropped,
        attempt.skip_reason,
        _encode(attempt.errors) if attempt.errors else _NONE,
        _encode(attempt.outputs) if attempt.outputs else _NONE,
        _encode(attempt.degraded) if attempt.degraded else _NONE,
        _encode(attempt.labels),
        _encode(attempt.dimensions),
        _encode(attempt.events) if attempt.events else _NONE,
        attempt.events_dropped,
        _encode(attempt.pages) if attempt.pages else _NONE,
    )


def step_rows(attempt: Attempt) -> Iterator[Row]:
    """Return the rows of ``workflow_steps``."""
    for step in attempt.steps:
        yield (
            attempt.run_id,
            attempt.number,
            step.index,
            step.parent,
            step.name,
            step.phase,
            step.status,
            step.started_ms,
            step.duration_ms,
            step.error_message,
            step.optional,
            step.slower_than_seconds,
        )


def metric_rows(attempt: Attempt) -> Iterator[Row]:
    """Return the rows of ``workflow_metrics``."""
    for index, metric in enumerate(attempt.metrics):
        yield (
            attempt.run_id,
            attempt.number,
            index,
            metric.name,
            metric.value,
            metric.unit,
            metric.threshold_value,
            metric.is_within_threshold,
            metric.step,
            _at(attempt.started_at, metric.recorded_ms),
            metric.recorded_ms,
            metric.page,
        )


def artifact_rows(attempt: Attempt) -> Iterator[Row]:
    """Return the rows of ``workflow_artifacts``."""
    for index, artifact in enumerate(attempt.artifacts):
        yield (
            attempt.run_id,
            attempt.number,
            index,
            artifact.name,
            artifact.kind,
            artifact.content_type,
            artifact.size_bytes,
            artifact.sha256,
            artifact.path,
            artifact.step,
            _at(attempt.started_at, artifact.recorded_ms),
            artifact.recorded_ms,
            artifact.problem,
        )


def _raw(value: object) -> object:
    """Let JSON that is encoded already through as it is."""
    return msgspec.Raw(value) if isinstance(value, bytes) else value


def _at(start: datetime, after_ms: float) -> datetime:
    return start + timedelta(milliseconds=after_ms)
