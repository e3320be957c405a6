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

from pytest_workflow_monitor.analysis import evidence, summary
from pytest_workflow_monitor.analysis.events import event_counts
from pytest_workflow_monitor.analysis.history import Normal, normal_duration, since_parts
from pytest_workflow_monitor.model import Error, Output, Page, Phase, Priority, Status
from pytest_workflow_monitor.report import pictures
from pytest_workflow_monitor.report.attachments import Attachment, Attachments
from pytest_workflow_monitor.report.evidence_data import (
    EventDetail,
    MetricGroup,
    event_detail,
    metric_groups,
    rounded,
    rounded_or_none,
    site_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.model import (
        Artifact,
        Attempt,
        Execution,
        HistoryPoint,
        Step,
        StepNormal,
        Workflow,
    )

CHUNK_BYTES = 400_000
GZIP_LEVEL = 6
HISTORY_POINTS = 60
NOT_KEPT = Attachment(
    name="",
    kind=evidence.SCREENSHOT,
    content_type="",
    size_bytes=0,
    path="",
    problem="No picture of this step was kept; once a day a pass leaves some to compare with.",
)
"""Where the last pass has no picture to compare with."""


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
    """A step with rounded times; ``usual`` is what it normally takes, ``late`` far beyond that."""

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
    usual: float | None = None
    late: bool = False


class ComparisonDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The step that went wrong beside the same step of the last pass."""

    step: str
    words: str = ""
    now: Attachment | None = None
    before: Attachment | None = None
    before_at: int | None = None
    events: tuple[EventDetail, ...] = ()


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
    comparison: ComparisonDetail | None = None
    metrics: tuple[MetricGroup, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    outputs: tuple[Output, ...] = ()
    events: tuple[EventDetail, ...] = ()
    events_dropped: int = 0
    counts: str = ""
    site: str = ""
    pages: tuple[Page, ...] = ()


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
    every_seconds: int | None = None
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
        ms=rounded_or_none(execution.duration_ms),
        normal=rounded(normal.median_ms) if normal else None,
        slow=normal is not None and normal.is_exceeded_by(execution.duration_ms),
        step=summary.failing_step(execution) if execution.status is not Status.PASSED else "",
        why=summary.reason(execution),
    )


class DetailMaker:
    """Makes the details of executions of the session that began at ``origin``."""

    def __init__(self, origin: datetime, attachments: Attachments) -> None:
        self._origin = origin
        self.attachments = attachments

    def detail(self, execution: Execution) -> Detail:
        """Make the detail of one execution."""
        return Detail(
            workflow=_workflow(execution.workflow),
            at=self._at(execution.started_at),
            attempts=tuple(self.attempt(execution, item) for item in execution.attempts),
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
            ms=tuple(rounded_or_none(point.duration_ms) for point in points),
            normal=normal_duration(history),
        )

    def attempt(self, execution: Execution, attempt: Attempt) -> AttemptDetail:
        """Make the detail of one attempt."""
        normal = evidence.normal_by_step(attempt.steps, execution.normal_steps)
        site = site_of(attempt.pages)
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
            steps=tuple(_step(step, normal.get(step.index)) for step in attempt.steps),
            steps_dropped=attempt.steps_dropped,
            comparison=self._comparison(execution, attempt, site),
            metrics=tuple(metric_groups(attempt.metrics)),
            attachments=self.attachments.of(attempt.artifacts, is_wanted=execution.needs_attention),
            outputs=attempt.outputs,
            events=tuple(event_detail(event, site) for event in attempt.events),
            events_dropped=attempt.events_dropped,
            counts=event_counts(attempt.events),
            site=site,
            pages=attempt.pages,
        )

    def _comparison(
        self, execution: Execution, attempt: Attempt, site: str
    ) -> ComparisonDetail | None:
        if not execution.needs_attention:
            return None
        found = evidence.compare(execution, attempt)
        if found is None:
            return None
        passed = execution.last_passed
        before = self._picture(found.before)
        if before is None and passed and found.now:
            before = NOT_KEPT
        return ComparisonDetail(
            step=summary.STEP_SEPARATOR.join(found.path),
            words=evidence.step_against_normal(found),
            now=self._picture(found.now),
            before=before,
            before_at=self._at(passed.started_at) if passed else None,
            events=tuple(event_detail(event, site) for event in found.events),
        )

    def _picture(self, artifact: Artifact | None) -> Attachment | None:
        if artifact is None:
            return None
        return self.attachments.of((artifact,), is_wanted=True)[0]


def wanted_pictures(executions: Sequence[Execution]) -> tuple[list[Artifact], list[Artifact]]:
    """List the pictures of executions to embed: those to compare, and then all the others.

    Of the former the failing steps come before the last passes.
    """
    now: list[Artifact] = []
    before: list[Artifact] = []
    for execution in executions:
        for attempt in reversed(execution.attempts):
            found = evidence.compare(execution, attempt)
            if found and found.now:
                now.append(found.now)
            if found and found.before:
                before.append(found.before)
    others = [
        item for execution in executions for tried in execution.attempts for item in tried.artifacts
    ]
    return now + before, others


def _workflow(workflow: Workflow) -> WorkflowDetail:
    return WorkflowDetail(
        nodeid=workflow.nodeid,
        file="" if workflow.nodeid.startswith(workflow.file) else workflow.file,
        line=workflow.line,
        description=workflow.description,
        type=workflow.type,
        cron=workflow.cron,
        every_seconds=workflow.every_seconds,
        timezone=workflow.timezone,
        timeout_seconds=workflow.timeout_seconds,
        retries=workflow.retries,
        runbook=workflow.runbook,
        degraded_after_seconds=workflow.degraded_after_seconds,
    )


def _step(step: Step, normal: StepNormal | None) -> StepDetail:
    return StepDetail(
        index=step.index,
        name=step.name,
        parent=step.parent,
        phase=step.phase,
        status=step.status,
        at=rounded(step.started_ms),
        ms=rounded_or_none(step.duration_ms),
        error=step.error_message,
        optional=step.optional,
        slower_than=step.slower_than_seconds,
        usual=rounded(normal.median_ms) if normal else None,
        late=normal is not None and evidence.is_late(step.duration_ms, normal),
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
