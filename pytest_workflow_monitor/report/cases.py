"""Executions that need attention as the page writes them out for readers without JavaScript."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.analysis import summary, wording
from pytest_workflow_monitor.analysis.evidence import TRACE
from pytest_workflow_monitor.analysis.history import since_parts
from pytest_workflow_monitor.model import PROBLEMS, Phase, Status
from pytest_workflow_monitor.report import pictures
from pytest_workflow_monitor.report.links import web_link
from pytest_workflow_monitor.report.page_data import Row, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.model import Attempt, Error, Execution, Step
    from pytest_workflow_monitor.report.attachments import (
        Attachment,
        Attachments,
        EmbeddedImage,
    )
    from pytest_workflow_monitor.report.evidence_data import EventDetail, MetricGroup
    from pytest_workflow_monitor.report.page_data import (
        AttemptDetail,
        ComparisonDetail,
        DetailMaker,
    )

MAX_NAME = 300
MAX_MESSAGE = 2_000
MAX_TRACEBACK_LINES = 40
MAX_TRACEBACK = 6_000
MAX_STEPS = 60
MAX_EVENTS = 60
MAX_BRIEF_EVENTS = 8
MAX_DEPTH = 8
KIND_WORDS = {status.value: wording.STATUS_WORDS[status] for status in Status} | {"flaky": "Flaky"}
"""The words of what the page shows: the statuses, and flaky for a pass after a failure."""

KIND_SHAPES = {
    "crashed": "ring",
    "error": "ring",
    "failed": "cross",
    "timed_out": "cross",
    "interrupted": "ring",
    "degraded": "bang",
    "flaky": "wave",
    "passed": "check",
    "running": "dots",
    "skipped": "dash",
}
"""The symbol that marks each kind, worst first."""

_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]")
_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if chr(code) not in "\t\n\r"}


class RowView(NamedTuple):
    """A row of the table as the template writes it."""

    row: Row
    kind: str
    name: str
    variant: str
    owner: str
    why: str
    duration: str
    normal: str
    strip: list[pictures.Shape]
    strip_box: str
    strip_words: str


class StepView(NamedTuple):
    """One line of the waterfall."""

    name: str
    depth: int
    kind: str
    duration: str
    start: float
    width: float
    note: str
    usual: str
    usual_width: float
    is_late: bool


class ErrorView(NamedTuple):
    """One error, trimmed."""

    type: str
    message: str
    phase: str
    place: str
    source_line: str
    traceback: str


class PictureView(NamedTuple):
    """A picture under a label, or why there is none; ``is_first`` where it is in the page."""

    label: str
    at: datetime | None
    attachment: Attachment
    image: EmbeddedImage | None
    is_first: bool


class EventView(NamedTuple):
    """One line of what pages and HTTP clients reported."""

    event: EventDetail
    at: str
    took: str
    notes: str


class Case(NamedTuple):
    """One execution that needs attention, the one at ``position`` of the session.

    ``events_left_out`` counts events that were kept but are not written out here.
    """

    position: int
    view: RowView
    step: str
    why: str
    since: tuple[str, datetime | None, str]
    attempts: list[tuple[int, str]]
    errors: list[ErrorView]
    steps: list[StepView]
    steps_left_out: int
    degraded: tuple[str, ...]
    comparison: ComparisonDetail | None
    pictures: list[PictureView]
    leading: list[EventView]
    metrics: list[MetricGroup]
    events: list[EventView]
    events_left_out: int
    detail: AttemptDetail | None
    traces: list[Attachment]
    attachments: list[str]
    place: str
    runbook: str


def readable(text: str) -> str:
    """Remove terminal colours from text and make its control characters visible."""
    return _TERMINAL_CODES.sub("", text).translate(_CONTROLS)


def kind_of(status: Status, *, is_flaky: bool) -> str:
    """Name what the page shows of an execution: its status, or ``flaky``."""
    return "flaky" if is_flaky and status is Status.PASSED else status.value


def kinds(executions: Iterable[Execution]) -> dict[str, int]:
    """Count executions as the page shows them: by status, flaky passes apart; worst first."""
    counted = dict.fromkeys(KIND_SHAPES, 0)
    for execution in executions:
        counted[kind_of(execution.status, is_flaky=execution.is_flaky)] += 1
    return {kind: count for kind, count in counted.items() if count}


def row_view(row: Row) -> RowView:
    """Prepare a row for the template."""
    return RowView(
        row=row,
        kind=kind_of(row.status, is_flaky=row.flaky),
        name=readable(wording.cut(row.name, MAX_NAME)),
        variant=readable(wording.cut(row.variant, MAX_NAME)),
        owner=readable(wording.cut(row.owner, MAX_NAME)),
        why=readable(": ".join(filter(None, (wording.cut(row.step, MAX_NAME), row.why)))),
        duration=wording.duration(row.ms),
        normal=wording.duration(row.normal),
        strip=pictures.strip(row.recent),
        strip_box=pictures.strip_box(row.recent),
        strip_words=pictures.strip_words(row.recent),
    )


def case_of(
    execution: Execution,
    position: int,
    varying: frozenset[str],
    maker: DetailMaker,
    *,
    is_brief: bool = False,
) -> Case:
    """Prepare an execution that needs attention for the template.

    A brief one has no traceback, and only the steps, metrics and events that went wrong.
    """
    workflow, attempt = execution.workflow, summary.telling_attempt(execution)
    view = row_view(row_of(execution, varying))
    detail = maker.attempt(execution, attempt) if attempt else None
    steps = _steps(attempt, detail) if attempt and detail else []
    shown = [step for step in steps if not is_brief or step.kind != Status.PASSED][:MAX_STEPS]
    events = _events(detail, is_brief=is_brief) if detail else []
    return Case(
        position=position,
        view=view,
        step=readable(wording.cut(summary.failing_step(execution), MAX_NAME)),
        why=readable(view.row.why),
        since=since_parts(execution),
        attempts=[(item.number, item.status.value) for item in execution.attempts],
        errors=[_error(error, is_brief=is_brief) for error in attempt.errors] if attempt else [],
        steps=shown,
        steps_left_out=len(attempt.steps) + attempt.steps_dropped - len(shown) if attempt else 0,
        degraded=tuple(map(readable, attempt.degraded)) if attempt else (),
        comparison=detail.comparison if detail else None,
        pictures=_pictures(execution, detail, maker.attachments) if detail else [],
        leading=_leading(detail) if detail else [],
        metrics=_metrics(detail, is_brief=is_brief) if detail else [],
        events=events,
        events_left_out=len(detail.events) - len(events) if detail else 0,
        detail=detail,
        traces=[item for item in detail.attachments if item.kind == TRACE] if detail else [],
        attachments=_attachments(detail) if detail else [],
        place=readable(workflow.nodeid),
        runbook=web_link(workflow.runbook),
    )


def _pictures(
    execution: Execution, detail: AttemptDetail, attachments: Attachments
) -> list[PictureView]:
    found = detail.comparison
    if found is None:
        return []
    passed_at = execution.last_passed.started_at if execution.last_passed else None
    pairs = (("now", None, found.now), ("last passed,", passed_at, found.before))
    return [_picture(label, at, item, attachments) for label, at, item in pairs if item]


def _picture(
    label: str, at: datetime | None, item: Attachment, attachments: Attachments
) -> PictureView:
    if item.image is None:
        return PictureView(label, at, item, None, is_first=False)
    is_first = attachments.place(item.image)
    return PictureView(label, at, item, attachments.images[item.image], is_first)


def _metrics(detail: AttemptDetail, *, is_brief: bool) -> list[MetricGroup]:
    return [group for group in detail.metrics if group.is_beyond or not is_brief]


def _leading(detail: AttemptDetail) -> list[EventView]:
    found = detail.comparison
    return [_event(event, _step_names(detail)) for event in found.events] if found else []


def _step_names(detail: AttemptDetail) -> dict[int, str]:
    return {step.index: step.name for step in detail.steps}


def _events(detail: AttemptDetail, *, is_brief: bool) -> list[EventView]:
    names = _step_names(detail)
    wanted = [event for event in detail.events if not is_brief or event.kind is Status.FAILED]
    return [
        _event(event, names) for event in wanted[: MAX_BRIEF_EVENTS if is_brief else MAX_EVENTS]
    ]


def _event(event: EventDetail, steps: Mapping[int, str]) -> EventView:
    step = steps.get(-1 if event.step is None else event.step, "")
    notes = (f"in “{wording.cut(step, MAX_NAME)}”" if step else "", event.place)
    return EventView(
        event=event,
        at=wording.duration(event.at),
        took="" if event.ms is None else wording.duration(event.ms),
        notes=readable(" · ".join(filter(None, notes))),
    )


def _error(error: Error, *, is_brief: bool) -> ErrorView:
    lines = [] if is_brief else readable(error.traceback).splitlines()
    return ErrorView(
        type=readable(wording.cut(error.type, MAX_NAME)),
        message=wording.cut(readable(error.message), MAX_MESSAGE),
        phase=PHASE_WORDS[error.phase],
        place=readable(f"{error.file}:{error.line}") if error.file else "",
        source_line=readable(wording.cut(error.source_line.strip(), MAX_NAME)),
        traceback="\n".join(lines[-MAX_TRACEBACK_LINES:])[-MAX_TRACEBACK:],
    )


PHASE_WORDS = {Phase.SETUP: "in set-up", Phase.CALL: "", Phase.TEARDOWN: "in tear-down"}


def _attachments(detail: AttemptDetail) -> list[str]:
    """Name what is not shown in a place of its own."""
    found = detail.comparison
    shown = found.now.path if found and found.now and found.now.image is not None else None
    return [
        _attachment(item)
        for item in detail.attachments
        if item.kind != TRACE and (not item.path or item.path != shown)
    ]


def _attachment(item: Attachment) -> str:
    where = item.problem or wording.size(item.size_bytes)
    return readable(": ".join(filter(None, (item.name, f"{where} {item.path}".strip()))))


def _steps(attempt: Attempt, detail: AttemptDetail) -> Iterator[StepView]:
    whole = max([attempt.duration_ms, *(_end(step) for step in attempt.steps)])
    details = {step.index: step for step in detail.steps}
    for step, depth in nested(attempt.steps):
        start, width = pictures.span(step.started_ms, step.duration_ms or 0.0, whole)
        known = details[step.index]
        usual = known.usual or 0.0
        yield StepView(
            name=readable(wording.cut(step.name, MAX_NAME)),
            depth=min(depth, MAX_DEPTH),
            kind=step.status.value,
            duration=wording.duration(step.duration_ms),
            start=start,
            width=width,
            note=_note(step),
            usual="" if known.usual is None else wording.duration(usual),
            usual_width=pictures.span(step.started_ms, usual, whole)[1],
            is_late=known.late,
        )


def _end(step: Step) -> float:
    return step.started_ms + (step.duration_ms or 0.0)


def _note(step: Step) -> str:
    notes = [PHASE_WORDS[step.phase]]
    if step.optional:
        notes.append("optional")
    if step.slower_than_seconds is not None:
        slowest = step.slower_than_seconds * 1_000
        if step.duration_ms is not None and step.duration_ms > slowest:
            notes.append(f"slower than {wording.duration(slowest)}")
    if step.status not in PROBLEMS and step.error_message:
        notes.append(readable(wording.first_line(step.error_message)))
    return ", ".join(filter(None, notes))


def nested(steps: Sequence[Step]) -> Iterator[tuple[Step, int]]:
    """Walk steps in the order of their nesting, each with its depth; each comes exactly once.

    A step whose parent is unknown, itself, or part of a circle is at depth 0.
    """
    children: dict[int | None, list[Step]] = {}
    known = {step.index for step in steps}
    for step in steps:
        is_child = step.parent in known and step.parent != step.index
        children.setdefault(step.parent if is_child else None, []).append(step)
    seen: set[int] = set()
    for root in (*children.get(None, ()), *steps):
        pending = [(root, 0)]
        while pending:
            step, depth = pending.pop()
            if step.index in seen:
                continue
            seen.add(step.index)
            yield step, depth
            pending.extend((child, depth + 1) for child in reversed(children.get(step.index, ())))
