"""One execution on a terminal: verdict and error first, then steps, metrics and attachments."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import events, history, summary, vitals, wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.model import Phase, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console, Group, RenderableType
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from pytest_workflow_monitor.model import (
        Artifact,
        Attempt,
        Error,
        Event,
        Execution,
        Metric,
        SessionStarted,
        Step,
    )

MESSAGE_LINES = 12
"""So many lines of an error's message are shown; the whole of it with ``--full``."""

EVENTS_SHOWN = 12
"""So many events of a page are shown; all of them with ``--full``."""

LEVEL_STATUSES = {"error": Status.FAILED, "warning": Status.DEGRADED}
"""Whose mark and colour an event of a level has."""

BAR_WIDTH = 24
NARROW = 70
SECTION = "bold"
QUIET = "dim"
_PHASES = {Phase.SETUP: " (set-up)", Phase.CALL: "", Phase.TEARDOWN: " (tear-down)"}


class Page:
    """What ``show`` prints.

    Args:
        execution: The execution, with its history.
        session: The session it belongs to.
        state_path: The folder that paths of artifacts start from.
        is_full: Whether earlier attempts, tracebacks and captured output are shown too.
    """

    def __init__(
        self,
        execution: Execution,
        session: SessionStarted | None,
        state_path: Path,
        *,
        is_full: bool,
    ) -> None:
        self._execution = execution
        self._session = session
        self._state_path = state_path
        self._is_full = is_full

    def print_on(self, console: Console) -> None:
        """Print it, from the verdict to what only few want to know."""
        for part in (*self._head(), *self._attempts(console.width), *self._tail()):
            console.print(part, soft_wrap=getattr(part, "no_wrap", None))

    def _head(self) -> Iterator[RenderableType]:
        execution, workflow = self._execution, self._execution.workflow
        verdict = display.status(execution.status, is_flaky=execution.is_flaky)
        verdict.append(f"  {display.printable(workflow.workflow_id)}", style="bold")
        verdict.append(f"  {display.printable(workflow.name)}")
        yield verdict
        told = (summary.failing_step(execution), summary.reason(execution))
        if any(told):
            yield display.line(": ".join(filter(None, told)))
        yield display.line("")
        yield display.facts(self._facts())

    def _facts(self) -> Iterator[tuple[str, str | Text]]:
        execution, workflow = self._execution, self._execution.workflow
        yield "Execution", execution.run_id
        where = [execution.project, execution.environment]
        where += [f"{name} {value}" for name, value in execution.dimensions.items()]
        yield "Where", " · ".join(where)
        yield "Started", display.full_when(execution.started_at)
        yield "Took", _took(execution)
        owner = f", {workflow.owner}" if workflow.owner else ""
        yield "Priority", f"{workflow.priority}{owner}"
        if self._session is not None:
            yield from _session_facts(self._session)
        if execution.labels:
            yield "Labels", ", ".join(f"{k}={v}" for k, v in execution.labels.items())
        if execution.history:
            yield "Before", _marks(execution)
        if workflow.runbook:
            yield "Runbook", workflow.runbook

    def _attempts(self, width: int) -> Iterator[RenderableType]:
        attempts = self._execution.attempts
        for position, attempt in enumerate(attempts):
            is_last = position == len(attempts) - 1
            yield display.line("")
            yield _attempt_title(attempt, len(attempts))
            if is_last or self._is_full:
                yield from self._attempt(attempt, width)
            else:
                yield _indented(_first_problem(attempt))

    def _attempt(self, attempt: Attempt, width: int) -> Iterator[RenderableType]:
        for error in attempt.errors:
            yield from self._error(error)
        for reason in attempt.degraded:
            yield _indented(reason, display.STYLES[Status.DEGRADED])
        if attempt.skip_reason and self._is_full:
            yield _indented(attempt.skip_reason)
        if attempt.steps:
            yield display.line("")
            yield _steps(attempt, width)
        if attempt.steps_dropped:
            dropped = wording.plural(attempt.steps_dropped, "more step")
            yield _indented(f"and {dropped}, which were not kept", QUIET)
        if attempt.metrics:
            yield from self._metrics(attempt.metrics)
        if attempt.events:
            yield from self._events(attempt)
        if self._is_full:
            yield from _outputs(attempt)

    def _metrics(self, metrics: Sequence[Metric]) -> Iterator[RenderableType]:
        """Show the numbers of the attempt, and of pages those that are beyond a budget."""
        shown = [
            it for it in metrics if self._is_full or not it.page or it.is_within_threshold is False
        ]
        if shown:
            yield display.line("")
            yield _metrics(shown)
        left = len(metrics) - len(shown)
        if left:
            yield _indented(f"and {wording.plural(left, 'number')} of pages: --full", QUIET)

    def _events(self, attempt: Attempt) -> Iterator[RenderableType]:
        shown = attempt.events if self._is_full else attempt.events[:EVENTS_SHOWN]
        yield display.line("")
        yield display.line(f"Console and network: {events.event_counts(attempt.events)}", SECTION)
        yield _events(shown)
        left = len(attempt.events) - len(shown)
        if left:
            yield _indented(f"and {left:,} more: --full", QUIET)
        if attempt.events_dropped:
            yield _indented(f"{attempt.events_dropped:,} beyond the limit were not kept", QUIET)

    def _error(self, error: Error) -> Iterator[RenderableType]:
        if error.file:
            yield _indented(f"{error.file}:{error.line}{_PHASES[error.phase]}", QUIET)
        if error.source_line:
            yield _indented(f"> {error.source_line.strip()}", "bold")
        if self._is_full and error.traceback:
            yield display.line("")
            yield display.verbatim(error.traceback.rstrip())
            return
        lines = (error.message or error.type).strip().splitlines()
        shown = lines if self._is_full else lines[:MESSAGE_LINES]
        if error.message and error.type and shown:
            shown[0] = f"{error.type}: {shown[0]}"
        for text in shown:
            yield _indented(text, display.STYLES[Status.FAILED])
        left = len(lines) - len(shown)
        if left:
            yield _indented(f"and {wording.plural(left, 'more line')}: --full", QUIET)

    def _tail(self) -> Iterator[RenderableType]:
        found = [(it, artifact) for it in self._execution.attempts for artifact in it.artifacts]
        if found:
            yield display.line("")
            yield display.line("Attachments", SECTION)
        for attempt, artifact in found:
            yield from self._artifact(artifact, attempt)
        if any(it.outputs for it in self._execution.attempts) and not self._is_full:
            yield display.line("")
            yield display.line("There is captured output: --full shows it.", QUIET)

    def _artifact(self, artifact: Artifact, attempt: Attempt) -> Iterator[RenderableType]:
        facts = [artifact.kind]
        if not artifact.problem:
            facts.append(wording.size(artifact.size_bytes))
        if len(self._execution.attempts) > 1:
            facts.append(f"attempt {attempt.number}")
        yield _indented(f"{artifact.name}  {' · '.join(facts)}")
        if artifact.problem:
            yield _indented(artifact.problem, display.STYLES[Status.DEGRADED], by=4)
        else:
            path = os.path.relpath(self._state_path / artifact.path)
            yield display.verbatim(f"    {path}", QUIET)


def _indented(text: str, style: str = "", *, by: int = 2) -> Padding:
    """Indent text, the lines into which the terminal breaks it too."""
    from rich.padding import Padding

    return Padding(display.line(text, style), (0, 0, 0, by), expand=False)


def _session_facts(session: SessionStarted) -> Iterator[tuple[str, str]]:
    by = " · ".join(filter(None, (session.trigger.value, session.ci_name, session.ci_url)))
    yield "Trigger", f"{by} on {session.host}" if session.host else by
    if session.slot_at is not None:
        late = wording.duration((session.lateness_seconds or 0.0) * 1000)
        yield "Slot", f"{display.full_when(session.slot_at)}, begun {late} late"
    if session.git_commit or session.git_branch:
        yield "Commit", display.commit(session.git_commit, session.git_branch)
    yield "Session", session.session_id


def _took(execution: Execution) -> str:
    took = wording.duration(execution.duration_ms)
    normal = history.normal_duration(execution.history)
    if normal:
        took += f" (normally {wording.duration(normal.median_ms)})"
    if len(execution.attempts) > 1 and execution.completed_at is not None:
        whole = (execution.completed_at - execution.started_at).total_seconds() * 1_000
        took += f", {len(execution.attempts)} attempts together {wording.duration(whole)}"
    return took


def _marks(execution: Execution) -> Text:
    """Show earlier executions as marks, and since when there is a problem."""
    text = display.line("")
    for point in execution.history:
        text.append_text(display.status(point.status, is_flaky=point.is_flaky)[:1])
    since = history.since(execution)
    return text.append(f"  {since}" if since else "")


def _attempt_title(attempt: Attempt, total: int) -> Text:
    title = display.line(f"Attempt {attempt.number} of {total}  ", SECTION)
    title.append_text(display.status(attempt.status))
    parts = [wording.duration(attempt.duration_ms)]
    if attempt.setup_ms or attempt.teardown_ms:
        parts += [
            f"set-up {wording.duration(attempt.setup_ms)}",
            f"tear-down {wording.duration(attempt.teardown_ms)}",
        ]
    return title.append(f"  {' · '.join(parts)}", style="not bold")


def _first_problem(attempt: Attempt) -> str:
    path = " › ".join(step.name for step in summary.failing_path(attempt.steps))
    error = wording.first_line(attempt.errors[0].message) if attempt.errors else ""
    return ": ".join(filter(None, (path, error))) or "No error was recorded."


def _steps(attempt: Attempt, width: int) -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(justify="right", no_wrap=True)
    has_bars = width >= NARROW
    if has_bars:
        grid.add_column(no_wrap=True)
    depths: dict[int, int] = {}
    for step in attempt.steps:
        depth = depths.get(-1 if step.parent is None else step.parent, 0)
        depths[step.index] = depth + 1
        bar = [_bar(step, attempt.duration_ms)] if has_bars else []
        grid.add_row(_step_name(step, depth), wording.duration(step.duration_ms), *bar)
    return grid


def _step_name(step: Step, depth: int) -> Table:
    from rich.table import Table

    mark, style = wording.STATUS_MARKS[step.status], display.STYLES[step.status]
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    name = " ".join(step.name.split())
    grid.add_row(
        display.line(f"{'  ' * (depth + 1)}{mark}", style),
        display.line(f"{name}{_PHASES[step.phase]}"),
    )
    return grid


def _bar(step: Step, whole_ms: float) -> Text:
    """Draw when a step ran within its attempt."""
    if step.duration_ms is None or whole_ms <= 0:
        return display.line("")
    start = min(int(step.started_ms / whole_ms * BAR_WIDTH), BAR_WIDTH - 1)
    length = max(1, min(round(step.duration_ms / whole_ms * BAR_WIDTH), BAR_WIDTH - start))
    return display.line(" " * start + "━" * length, display.STYLES[step.status])


def _metrics(metrics: Sequence[Metric]) -> Group:
    rows: list[list[Text | str]] = []
    has_pages = any(metric.page for metric in metrics)
    for metric in metrics:
        limit = metric.threshold_value
        is_beyond = metric.is_within_threshold is False
        budget = "" if limit is None else wording.quantity(limit, metric.unit)
        verdict = vitals.verdict(metric.name, budget, is_within=metric.is_within_threshold)
        marked = f"{'!' if is_beyond else '✓'} {verdict}" if verdict else ""
        rows.append(
            [
                metric.name,
                *([metric.page] if has_pages else []),
                wording.quantity(metric.value, metric.unit),
                display.line(marked, display.STYLES[Status.DEGRADED] if is_beyond else ""),
                vitals.rating(metric.name, metric.value) or "",
            ]
        )
    columns = ["Metric", *(["Page"] if has_pages else []), ">Value", "", ""]
    return display.listing("", columns, rows)


def _events(shown: Sequence[Event]) -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for event in shown:
        status = LEVEL_STATUSES.get(event.level, Status.SKIPPED)
        name = f"{wording.STATUS_MARKS[status]} {events.event_name(event)}"
        grid.add_row(
            display.line(f"  {wording.duration(event.at_ms)}", QUIET),
            display.line(name, display.STYLES[status]),
            display.line(events.event_line(event)),
        )
    return grid


def _outputs(attempt: Attempt) -> Iterator[Text]:
    for output in attempt.outputs:
        yield display.line("")
        cut = f", without its first {output.dropped_chars:,} characters"
        yield display.line(f"{output.name}{cut if output.dropped_chars else ''}", SECTION)
        yield display.verbatim(output.text.rstrip())
