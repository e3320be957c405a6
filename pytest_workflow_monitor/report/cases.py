"""Executions that need attention as the page writes them out for readers without JavaScript."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from pytest_workflow_monitor.analysis import summary, wording
from pytest_workflow_monitor.analysis.history import since_parts
from pytest_workflow_monitor.model import PROBLEMS, Phase, Status
from pytest_workflow_monitor.report import pictures
from pytest_workflow_monitor.report.page_data import Row, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.model import Artifact, Attempt, Error, Execution, Metric, Step

MAX_NAME = 300
MAX_MESSAGE = 2_000
MAX_TRACEBACK_LINES = 40
MAX_TRACEBACK = 6_000
MAX_STEPS = 60
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


class ErrorView(NamedTuple):
    """One error, trimmed."""

    type: str
    message: str
    phase: str
    place: str
    source_line: str
    traceback: str


class Case(NamedTuple):
    """One execution that needs attention, the one at ``position`` of the session."""

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
    metrics: list[str]
    artifacts: list[str]
    place: str
    runbook: str


def readable(text: str) -> str:
    """Remove terminal colours from text and make its control characters visible."""
    return _TERMINAL_CODES.sub("", text).translate(_CONTROLS)


def web_link(url: str) -> str:
    """Return ``url`` if it may become a link (http or https, a host, no spaces), else ""."""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    is_plain = url.isprintable() and " " not in url
    return url if is_web and is_plain else ""


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
        strip_words=pictures.strip_words(row.recent),
    )


def case_of(
    execution: Execution, position: int, varying: frozenset[str], *, is_brief: bool = False
) -> Case:
    """Prepare an execution that needs attention for the template.

    A brief one has no traceback, and only the steps that did not pass.
    """
    workflow, attempt = execution.workflow, summary.telling_attempt(execution)
    view = row_view(row_of(execution, varying))
    steps = _steps(attempt) if attempt else []
    shown = [step for step in steps if not is_brief or step.kind != Status.PASSED][:MAX_STEPS]
    step = summary.failing_step(execution)
    return Case(
        position=position,
        view=view,
        step=readable(wording.cut(step, MAX_NAME)),
        why=readable(view.row.why),
        since=since_parts(execution),
        attempts=[(item.number, item.status.value) for item in execution.attempts],
        errors=[_error(error, is_brief=is_brief) for error in attempt.errors] if attempt else [],
        steps=shown,
        steps_left_out=len(attempt.steps) + attempt.steps_dropped - len(shown) if attempt else 0,
        degraded=tuple(map(readable, attempt.degraded)) if attempt else (),
        metrics=[_metric(metric) for metric in attempt.metrics] if attempt else [],
        artifacts=[_artifact(artifact) for artifact in attempt.artifacts] if attempt else [],
        place=readable(workflow.nodeid),
        runbook=web_link(workflow.runbook),
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


def _artifact(artifact: Artifact) -> str:
    where = artifact.problem or f"{wording.size(artifact.size_bytes)}, {artifact.path}"
    return readable(f"{artifact.name}: {where}")


def _metric(metric: Metric) -> str:
    value = wording.quantity(metric.value, metric.unit)
    text = f"{metric.name}: {value}"
    if metric.threshold_value is not None:
        sign = "within" if metric.is_within_threshold else "beyond"
        text += f", {sign} {wording.quantity(metric.threshold_value, metric.unit)}"
    return readable(text)


def _steps(attempt: Attempt) -> Iterator[StepView]:
    whole = max([attempt.duration_ms, *(_end(step) for step in attempt.steps)])
    for step, depth in nested(attempt.steps):
        start, width = pictures.span(step.started_ms, step.duration_ms or 0.0, whole)
        yield StepView(
            name=readable(wording.cut(step.name, MAX_NAME)),
            depth=min(depth, MAX_DEPTH),
            kind=step.status.value,
            duration=wording.duration(step.duration_ms),
            start=start,
            width=width,
            note=_note(step),
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
