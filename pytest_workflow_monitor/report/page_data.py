"""The data inside the page: small rows for the table, and details in compressed chunks.

Everything is JSON, compressed with gzip and written as base64, so that no text of a test can end
the element that holds it. Instants are whole milliseconds since the start of the session, and
durations are rounded to what a person can see: both compress far better than full precision.
"""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from pytest_workflow_monitor.analysis import summary
from pytest_workflow_monitor.analysis.history import Normal, normal_duration, since_parts
from pytest_workflow_monitor.model import Error, Metric, Output, Phase, Priority, Status
from pytest_workflow_monitor.report import pictures
from pytest_workflow_monitor.report.attachments import Attachment, Attachments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pytest_workflow_monitor.model import Attempt, Execution, HistoryPoint, Step, Workflow

CHUNK_BYTES = 400_000
GZIP_LEVEL = 6
HISTORY_POINTS = 60
EXACT_BELOW_MS = 100
"""Shorter durations keep one decimal, all others are whole milliseconds."""


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the table shows and filters of one execution; its position is that of its detail."""

    id: str
    key: str
    name: str
    status: Status
    recent: str
    priority: Priority
    flaky: bool = False
    owner: str = ""
    tags: tuple[str, ...] = ()
    variant: str = ""
    ms: float | None = None
    normal: float | None = None
    slow: bool = False
    step: str = ""
    why: str = ""


class StepDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step with rounded times."""

    index: int
    name: str
    parent: int | None = None
    phase: Phase = Phase.CALL
    status: Status = Status.PASSED
    at: float = 0.0
    ms: float | None = None
    error: str = ""
    optional: bool = False
    slower_than: float | None = None


class AttemptDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An attempt without the workflow it repeats."""

    number: int
    status: Status
    at: int
    ms: float
    phases: tuple[float, float, float]
    worker: str = ""
    errors: tuple[Error, ...] = ()
    skip_reason: str = ""
    degraded: tuple[str, ...] = ()
    steps: tuple[StepDetail, ...] = ()
    steps_dropped: int = 0
    metrics: tuple[Metric, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    outputs: tuple[Output, ...] = ()


class HistoryDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Earlier executions as columns, oldest first; here ``at`` counts whole seconds."""

    letters: str
    at: tuple[int, ...]
    ms: tuple[float | None, ...]
    normal: Normal | None = None


class WorkflowDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the row does not say of a workflow; ``file`` only where the nodeid does not begin so."""

    nodeid: str
    file: str = ""
    line: int = 0
    description: str = ""
    type: str = ""
    cron: str | None = None
    timezone: str = "UTC"
    timeout_seconds: float | None = None
    retries: int = 0
    runbook: str = ""
    degraded_after_seconds: float | None = None


class Detail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the opened execution shows beyond its row."""

    workflow: WorkflowDetail
    at: int
    attempts: tuple[AttemptDetail, ...]
    labels: dict[str, str] = {}
    dimensions: dict[str, str] = {}
    since: tuple[str, int | None, str] | None = None
    history: HistoryDetail | None = None


def rounded(milliseconds: float) -> float:
    """Round a duration to what a person can see."""
    if milliseconds >= EXACT_BELOW_MS:
        return int(milliseconds + 0.5)
    return round(milliseconds, 1)


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else rounded(milliseconds)


def varying_dimensions(executions: Iterable[Execution]) -> frozenset[str]:
    """Find the dimensions, such as the browser, that tell the executions of a session apart."""
    values: dict[str, set[str]] = {}
    for execution in executions:
        for name, value in execution.dimensions.items():
            values.setdefault(name, set()).add(value)
    return frozenset(name for name, found in values.items() if len(found) > 1)


def variant(execution: Execution, varying: frozenset[str]) -> str:
    """Say what tells this execution apart from others of its workflow, such as its browser."""
    dimensions = execution.dimensions
    return " · ".join(dimensions[name] for name in sorted(varying & dimensions.keys()))


def row_of(execution: Execution, varying: frozenset[str]) -> Row:
    """Make the row of an execution in a session with these varying dimensions."""
    workflow = execution.workflow
    normal = normal_duration(execution.history) if execution.history else None
    return Row(
        id=execution.run_id,
        key=workflow.workflow_id,
        name=workflow.name or workflow.workflow_id,
        status=execution.status,
        recent=pictures.recent_letters(execution),
        priority=workflow.priority,
        flaky=execution.is_flaky,
        owner=workflow.owner,
        tags=workflow.tags,
        variant=variant(execution, varying),
        ms=_rounded(execution.duration_ms),
        normal=rounded(normal.median_ms) if normal else None,
        slow=normal is not None and normal.is_exceeded_by(execution.duration_ms),
        step=summary.failing_step(execution) if execution.status is not Status.PASSED else "",
        why=summary.reason(execution),
    )


class DetailMaker:
    """Makes the details of executions of the session that began at ``origin``."""

    def __init__(self, origin: datetime, attachments: Attachments) -> None:
        self._origin = origin
        self._attachments = attachments

    def detail(self, execution: Execution) -> Detail:
        """Make the detail of one execution."""
        return Detail(
            workflow=_workflow(execution.workflow),
            at=self._at(execution.started_at),
            attempts=tuple(self._attempt(execution, item) for item in execution.attempts),
            labels=execution.labels,
            dimensions=execution.dimensions,
            since=self._since(execution),
            history=self._history(execution.history),
        )

    def _at(self, moment: datetime) -> int:
        return int((moment - self._origin).total_seconds() * 1_000)

    def _since(self, execution: Execution) -> tuple[str, int | None, str] | None:
        before, moment, after = since_parts(execution)
        if not before:
            return None
        return before, None if moment is None else self._at(moment), after

    def _history(self, history: tuple[HistoryPoint, ...]) -> HistoryDetail | None:
        if not history:
            return None
        points = history[-HISTORY_POINTS:]
        return HistoryDetail(
            letters="".join(pictures.letter(p.status, is_flaky=p.is_flaky) for p in points),
            at=tuple(self._at(point.started_at) // 1_000 for point in points),
            ms=tuple(_rounded(point.duration_ms) for point in points),
            normal=normal_duration(history),
        )

    def _attempt(self, execution: Execution, attempt: Attempt) -> AttemptDetail:
        return AttemptDetail(
            number=attempt.number,
            status=attempt.status,
            at=self._at(attempt.started_at),
            ms=rounded(attempt.duration_ms),
            phases=(
                rounded(attempt.setup_ms),
                rounded(attempt.call_ms),
                rounded(attempt.teardown_ms),
            ),
            worker=attempt.worker,
            errors=attempt.errors,
            skip_reason=attempt.skip_reason,
            degraded=attempt.degraded,
            steps=tuple(map(_step, attempt.steps)),
            steps_dropped=attempt.steps_dropped,
            metrics=attempt.metrics,
            attachments=self._attachments.of(execution, attempt.artifacts),
            outputs=attempt.outputs,
        )


def _workflow(workflow: Workflow) -> WorkflowDetail:
    return WorkflowDetail(
        nodeid=workflow.nodeid,
        file="" if workflow.nodeid.startswith(workflow.file) else workflow.file,
        line=workflow.line,
        description=workflow.description,
        type=workflow.type,
        cron=workflow.cron,
        timezone=workflow.timezone,
        timeout_seconds=workflow.timeout_seconds,
        retries=workflow.retries,
        runbook=workflow.runbook,
        degraded_after_seconds=workflow.degraded_after_seconds,
    )


def _step(step: Step) -> StepDetail:
    return StepDetail(
        index=step.index,
        name=step.name,
        parent=step.parent,
        phase=step.phase,
        status=step.status,
        at=rounded(step.started_ms),
        ms=_rounded(step.duration_ms),
        error=step.error_message,
        optional=step.optional,
        slower_than=step.slower_than_seconds,
    )


class Chunk(Struct, frozen=True):
    """Details of ``count`` executions in a row, compressed."""

    count: int
    base64: str


def pack(encoded: bytes) -> str:
    """Compress JSON for the page."""
    return base64.b64encode(gzip.compress(encoded, GZIP_LEVEL, mtime=0)).decode("ascii")


def pack_rows(rows: list[Row]) -> str:
    """Compress the rows of the table."""
    return pack(msgspec.json.encode(rows))


def pack_details(details: Iterable[Detail]) -> Iterator[Chunk]:
    """Compress details in chunks of a size that opens without being noticed."""
    encoder = msgspec.json.Encoder()
    pending: list[bytes] = []
    length = 0
    for detail in details:
        pending.append(encoder.encode(detail))
        length += len(pending[-1])
        if length >= CHUNK_BYTES:
            yield Chunk(len(pending), pack(b"[" + b",".join(pending) + b"]"))
            pending, length = [], 0
    if pending:
        yield Chunk(len(pending), pack(b"[" + b",".join(pending) + b"]"))
