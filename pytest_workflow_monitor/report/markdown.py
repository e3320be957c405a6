"""One session as Markdown for a job's summary page, such as GitHub's ``$GITHUB_STEP_SUMMARY``.

Text of tests is written with character references or inside ``<pre>``, so that it can become
neither Markdown nor HTML.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import evidence, summary, vitals, wording
from pytest_workflow_monitor.analysis.events import event_counts, event_line, event_name
from pytest_workflow_monitor.analysis.history import against_normal, normal_duration, since
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import PROBLEMS, Status
from pytest_workflow_monitor.report.cases import (
    KIND_WORDS,
    kind_of,
    kinds,
    nested,
    readable,
)
from pytest_workflow_monitor.report.escaping import MAX_CELL, escaped
from pytest_workflow_monitor.report.files import append
from pytest_workflow_monitor.report.gate import gate_parts
from pytest_workflow_monitor.report.guard import checked, masked
from pytest_workflow_monitor.report.links import web_link
from pytest_workflow_monitor.report.page_data import variant, varying_dimensions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pytest_workflow_monitor.analysis.gate import Verdict
    from pytest_workflow_monitor.model import Attempt, Error, Execution, SessionDocument

LIMIT_BYTES = 1_048_576
"""What GitHub accepts as the summary of one step."""

MAX_TABLE_ROWS = 100
MAX_PASSING_ROWS = 30
MAX_PRE = 6_000
MAX_STEPS = 60
MAX_EVENTS = 20
_END = "\n\nMore is in the report: this page has no room for it.\n"


def render_markdown(
    document: SessionDocument, verdict: Verdict | None = None, *, limit_bytes: int = LIMIT_BYTES
) -> str:
    """Render the report of a session as at most ``limit_bytes`` of UTF-8.

    Verdict first, that of the gate if there is one, then a table, then the details of what needs
    attention, folded. What does not fit is left out from the end, and the text says so; "" when
    not even that fits.
    """
    room = limit_bytes - len(_END.encode())
    if room < 0:
        return ""
    parts: list[str] = []
    for part in _parts(masked(document), verdict and known.record(verdict)):
        room -= len(part.encode("utf-8", "replace"))
        if room < 0:
            return "".join(parts) + _END
        parts.append(part)
    return "".join(parts)


def append_markdown(document: SessionDocument, path: Path, verdict: Verdict | None = None) -> None:
    """Add the report of a session to a job's summary, within what room it has left.

    The gate's verdict is part of it, if there is one.

    Raises:
        ReportError: The file cannot be written.
    """
    taken = path.stat().st_size if path.exists() else 0
    text = render_markdown(document, verdict, limit_bytes=LIMIT_BYTES - taken)
    append(path, checked(text.encode("utf-8", "replace")))


def _parts(document: SessionDocument, verdict: Verdict | None) -> Iterator[str]:
    ordered = summary.attention(document.executions)
    yield f"## {_verdict_mark(document, ordered)} {summary.verdict(document)}\n\n"
    yield " · ".join(_facts(document)) + "\n\n"
    for notice in document.notices:
        yield f"> {escaped(notice, limit=2_000)}\n\n"
    if verdict is not None:
        yield from gate_parts(verdict)
    counted = kinds(document.executions)
    if counted:
        yield ", ".join(f"{count:,} {KIND_WORDS[kind].lower()}" for kind, count in counted.items())
        yield "\n\n"
        yield from _table(document, ordered)
    varying = varying_dimensions(document.executions)
    for execution in ordered:
        yield _details(execution, varying)


def _verdict_mark(document: SessionDocument, ordered: list[Execution]) -> str:
    if ordered:
        return wording.STATUS_MARKS[ordered[0].status] if _is_problem(ordered[0]) else "!"
    return wording.STATUS_MARKS[Status.PASSED if document.executions else Status.SKIPPED]


def _is_problem(execution: Execution) -> bool:
    return execution.status in PROBLEMS


def _facts(document: SessionDocument) -> Iterator[str]:
    session = document.session
    yield f"**{escaped(session.project)}** {escaped(session.environment)}"
    if session.location:
        yield escaped(session.location)
    yield wording.full_instant(session.started_at)
    took = summary.session_duration_ms(document)
    yield "not ended" if took is None else f"took {wording.duration(took)}"
    if session.git_commit or session.git_branch:
        yield escaped(f"{session.git_commit[:7]} {session.git_branch}")
    link = web_link(session.ci_url)
    trigger = escaped(session.ci_name or session.trigger)
    yield f'<a href="{html.escape(link)}">{trigger}</a>' if link else trigger


def _table(document: SessionDocument, ordered: list[Execution]) -> Iterator[str]:
    yield "| Status | Workflow | What happened | Duration | Normally | Priority | Owner |\n"
    yield "| :-- | :-- | :-- | --: | --: | :-- | :-- |\n"
    varying = varying_dimensions(document.executions)
    passing = [item for item in document.executions if not item.needs_attention]
    shown = passing if len(passing) <= MAX_PASSING_ROWS else []
    for execution in [*ordered[:MAX_TABLE_ROWS], *shown]:
        yield _table_row(execution, varying)
    left = len(document.executions) - len(ordered[:MAX_TABLE_ROWS]) - len(shown)
    if left:
        yield f"\n{wording.plural(left, 'workflow')} more, not shown here.\n"
    yield "\n"


def _table_row(execution: Execution, varying: frozenset[str]) -> str:
    workflow, normal = execution.workflow, normal_duration(execution.history)
    told = ": ".join(filter(None, (summary.failing_step(execution), summary.reason(execution))))
    if execution.status is Status.PASSED and not execution.is_flaky:
        told = ""
    cells = (
        f"{_mark(execution)} {_word(execution)}",
        escaped(_name(execution, varying)),
        escaped(told),
        wording.duration(execution.duration_ms),
        wording.duration(normal.median_ms if normal else None),
        workflow.priority.value,
        escaped(workflow.owner),
    )
    return f"| {' | '.join(cells)} |\n"


def _name(execution: Execution, varying: frozenset[str]) -> str:
    return f"{execution.workflow.name} {variant(execution, varying)}".rstrip()


def _mark(execution: Execution) -> str:
    is_flaky = execution.is_flaky and execution.status is Status.PASSED
    return "~" if is_flaky else wording.STATUS_MARKS[execution.status]


def _word(execution: Execution) -> str:
    return KIND_WORDS[kind_of(execution.status, is_flaky=execution.is_flaky)]


def _details(execution: Execution, varying: frozenset[str]) -> str:
    """Write one folded block; the blank lines let Markdown see the HTML blocks as such."""
    step = summary.failing_step(execution)
    title = f"{_mark(execution)} <b>{escaped(_name(execution, varying))}</b>"
    lines = [f"<details><summary>{title}{f': {escaped(step)}' if step else ''}</summary>\n\n"]
    told = (since(execution), against_normal(execution), execution.workflow.nodeid)
    lines.append(" · ".join(escaped(text) for text in told if text) + "\n\n")
    link = web_link(execution.workflow.runbook)
    if link:
        lines.append(f'<a href="{html.escape(link)}">Runbook</a>\n\n')
    attempt = summary.telling_attempt(execution)
    if attempt:
        lines.extend(_attempt_blocks(execution, attempt))
    return "".join([*lines, "</details>\n\n"])


def _attempt_blocks(execution: Execution, attempt: Attempt) -> Iterator[str]:
    for error in attempt.errors:
        yield _pre(_error_text(error))
    told = [*attempt.degraded, *_measured(execution, attempt)]
    yield from (f"- {escaped(reason, limit=1_000)}\n" for reason in told)
    if told:
        yield "\n"
    if attempt.events:
        yield f"{escaped(event_counts(attempt.events))}\n\n"
        yield _pre("\n".join(_event_lines(attempt)))
    if attempt.steps:
        yield _pre("\n".join(_step_lines(attempt)))


def _measured(execution: Execution, attempt: Attempt) -> Iterator[str]:
    """Say how long the failing step took against its normal, and what is beyond its budget."""
    found = evidence.compare(execution, attempt)
    against = evidence.step_against_normal(found) if found else ""
    if found and against:
        yield f"{summary.STEP_SEPARATOR.join(found.path)}: {against}"
    reasons = " ".join(attempt.degraded)
    for metric in attempt.metrics:
        if metric.is_within_threshold is False and metric.name not in reasons:
            value = wording.quantity(metric.value, metric.unit)
            budget = wording.quantity(metric.threshold_value, metric.unit)
            verdict = vitals.verdict(metric.name, budget, is_within=False)
            where = f" on {metric.page}" if metric.page else ""
            yield f"{metric.name}{where}: {value}, {verdict}"


def _event_lines(attempt: Attempt) -> Iterator[str]:
    for event in attempt.events[:MAX_EVENTS]:
        yield f"{wording.duration(event.at_ms):>8}  {event_name(event)}  {event_line(event)}"
    left = max(len(attempt.events) - MAX_EVENTS, 0) + attempt.events_dropped
    if left:
        yield f"and {left:,} more"


def _error_text(error: Error) -> str:
    place = f"{error.file}:{error.line}" if error.file else ""
    parts = (f"{error.type}: {error.message}", place, error.source_line.strip())
    text = "\n".join(part for part in parts if part)
    return text if "\n" in error.message.strip() else f"{text}\n\n{error.traceback}".rstrip()


def _step_lines(attempt: Attempt) -> Iterable[str]:
    for step, depth in list(nested(attempt.steps))[:MAX_STEPS]:
        name = wording.cut(step.name.replace("\n", " "), MAX_CELL)
        took = wording.duration(step.duration_ms)
        yield f"{wording.STATUS_MARKS[step.status]} {took:>10}  {'  ' * min(depth, 10)}{name}"
    left = len(attempt.steps) - MAX_STEPS
    if left > 0:
        yield f"{wording.plural(left, 'more step')}"


def _pre(text: str) -> str:
    return f"<pre>{html.escape(wording.cut(readable(text), MAX_PRE), quote=False)}</pre>\n\n"
