"""What a session means: its verdict, its totals, and what needs attention since when.

Pure functions over a :class:`~pytest_workflow_monitor.model.SessionDocument`, shared by the HTML,
JSON and Markdown reports, the terminal summary and the commands. Nothing heavy is imported here.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.events import event_counts
from pytest_workflow_monitor.analysis.history import (
    Normal,
    against_normal,
    normal_duration,
    since,
)
from pytest_workflow_monitor.model import PROBLEMS, Phase, Priority, Record, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.model import (
        Attempt,
        Execution,
        SessionDocument,
        Step,
    )

STEP_SEPARATOR = " › "
PRIORITY_ORDER = {priority: rank for rank, priority in enumerate(Priority)}
STATUS_ORDER = {
    status: rank
    for rank, status in enumerate(
        (
            Status.CRASHED,
            Status.ERROR,
            Status.FAILED,
            Status.TIMED_OUT,
            Status.INTERRUPTED,
            Status.DEGRADED,
            Status.PASSED,
            Status.RUNNING,
            Status.SKIPPED,
        )
    )
}
_PHASE_NAMES = {Phase.SETUP: "Set-up", Phase.TEARDOWN: "Tear-down"}


class Attention(Record, frozen=True, kw_only=True):
    """One execution that needs attention, in the words of the reports."""

    run_id: str
    workflow_id: str
    name: str
    status: Status
    priority: Priority
    is_flaky: bool = False
    failing_step: str = ""
    reason: str = ""
    since: str = ""
    against_normal: str = ""
    events: str = ""
    normal: Normal | None = None


class Summary(Record, frozen=True, kw_only=True):
    """The computed part of a session's report.

    ``totals`` counts executions by status, without zeros; ``flaky`` counts those that passed only
    after a failed attempt. ``attention`` is in order, worst first.
    """

    verdict: str
    is_good: bool
    executions: int
    totals: dict[str, int]
    flaky: int
    needs_attention: int
    duration_ms: float | None
    attention: tuple[Attention, ...]


def summarize(document: SessionDocument, *, zone: tzinfo = UTC) -> Summary:
    """Compute everything that the reports say about a session; instants are said in ``zone``."""
    ordered = attention(document.executions)
    return Summary(
        verdict=verdict(document),
        is_good=not ordered and bool(document.executions),
        executions=len(document.executions),
        totals={status.value: count for status, count in totals(document.executions).items()},
        flaky=sum(execution.is_flaky for execution in document.executions),
        needs_attention=len(ordered),
        duration_ms=session_duration_ms(document),
        attention=tuple(_describe(execution, zone) for execution in ordered),
    )


def _describe(execution: Execution, zone: tzinfo) -> Attention:
    attempt = telling_attempt(execution)
    return Attention(
        run_id=execution.run_id,
        workflow_id=execution.workflow.workflow_id,
        name=execution.workflow.name,
        status=execution.status,
        priority=execution.workflow.priority,
        is_flaky=execution.is_flaky,
        failing_step=failing_step(execution),
        reason=reason(execution),
        since=since(execution, zone=zone),
        against_normal=against_normal(execution),
        events=event_counts(attempt.events) if attempt else "",
        normal=normal_duration(execution.history),
    )


def verdict(document: SessionDocument) -> str:
    """Say in one line how the session went: ``2 of 6 workflows need attention``."""
    executions = document.executions
    if not executions:
        return "No workflows ran"
    found = sum(execution.needs_attention for execution in executions)
    if found:
        verb = "needs" if found == 1 else "need"
        return f"{found:,} of {wording.plural(len(executions), 'workflow')} {verb} attention"
    counted = totals(executions)
    running, skipped = counted.get(Status.RUNNING, 0), counted.get(Status.SKIPPED, 0)
    if running:
        verb = "is" if running == 1 else "are"
        return f"{running:,} of {wording.plural(len(executions), 'workflow')} {verb} still running"
    if skipped == len(executions):
        return "The only workflow was skipped" if skipped == 1 else f"All {skipped:,} were skipped"
    return _all_pass(len(executions) - skipped, skipped)


def _all_pass(passed: int, skipped: int) -> str:
    subject = "The only workflow passes" if passed == 1 else f"All {passed:,} workflows pass"
    return f"{subject}, {skipped:,} skipped" if skipped else subject


def totals(executions: Iterable[Execution]) -> dict[Status, int]:
    """Count executions by status, in the order of :class:`Status`, without zeros."""
    counted = Counter(execution.status for execution in executions)
    return {status: counted[status] for status in Status if counted[status]}


def attention(executions: Iterable[Execution]) -> list[Execution]:
    """Select what needs attention: problems before degraded before flaky, critical before low."""
    needy = (execution for execution in executions if execution.needs_attention)
    return sorted(needy, key=attention_order)


def attention_order(execution: Execution) -> tuple[int, int, int, str]:
    """Sort key of any execution by how much it needs attention, most first."""
    return (
        _severity(execution),
        PRIORITY_ORDER[execution.workflow.priority],
        STATUS_ORDER[execution.status],
        execution.workflow.name.casefold(),
    )


def _severity(execution: Execution) -> int:
    status = execution.status
    if status in PROBLEMS:
        return 0
    if status is Status.DEGRADED:
        return 1
    return 2 if execution.is_flaky else 3


def session_duration_ms(document: SessionDocument) -> float | None:
    """Tell how long the session took; None while it runs."""
    if document.ended is None:
        return None
    return (document.ended.ended_at - document.session.started_at).total_seconds() * 1_000


def telling_attempt(execution: Execution) -> Attempt | None:
    """Choose the attempt that explains the outcome: the deciding one, or a flake's last failure."""
    if execution.is_flaky and execution.status is not Status.DEGRADED:
        failed = (item for item in reversed(execution.attempts) if item.status in PROBLEMS)
        return next(failed, execution.deciding)
    return execution.deciding


def failing_step(execution: Execution) -> str:
    """Name where it went wrong, as the path of the step: ``Pay › Submit the card``.

    Without a failed or degraded step this is the phase, if it was set-up or tear-down, else "".
    """
    attempt = telling_attempt(execution)
    if attempt is None:
        return ""
    path = failing_path(attempt.steps)
    if path:
        return STEP_SEPARATOR.join(step.name for step in path)
    return _PHASE_NAMES.get(attempt.errors[0].phase, "") if attempt.errors else ""


def failing_path(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Find the innermost step that went wrong first, with the steps around it, outermost first."""
    for wrong in (PROBLEMS, frozenset({Status.DEGRADED})):
        marked = [step for step in steps if step.status in wrong]
        if marked:
            parents = {step.parent for step in marked}
            leaf = next((step for step in marked if step.index not in parents), marked[-1])
            return _path(steps, leaf)
    return ()


def _path(steps: Sequence[Step], leaf: Step) -> tuple[Step, ...]:
    by_index = {step.index: step for step in steps}
    path = [leaf]
    while (parent := by_index.get(-1 if path[0].parent is None else path[0].parent)) is not None:
        if parent in path:  # a damaged record must not loop
            break
        path.insert(0, parent)
    return tuple(path)


def reason(execution: Execution) -> str:
    """Say in one line why an execution is not a plain pass; "" when it is."""
    status, attempt = execution.status, telling_attempt(execution)
    if attempt is None:
        return ""
    if status in PROBLEMS:
        return error_line(attempt)
    reasons = list(attempt.degraded) if status is Status.DEGRADED else []
    if execution.is_flaky:
        reasons.append(_flake(execution))
    if reasons:
        return wording.first_line("; ".join(reasons))
    return wording.first_line(attempt.skip_reason) if status is Status.SKIPPED else ""


def _flake(execution: Execution) -> str:
    failed = next(item for item in reversed(execution.attempts) if item.status in PROBLEMS)
    return f"passed on attempt {execution.attempts[-1].number}, before that: {error_line(failed)}"


def error_line(attempt: Attempt) -> str:
    """Say in one line why an attempt failed."""
    for error in attempt.errors:
        return wording.first_line(error.message) or wording.first_line(error.type)
    if attempt.status is Status.CRASHED:
        return "The process that ran the test died"
    if attempt.status is Status.INTERRUPTED:
        return "The session ended before the test did"
    return wording.STATUS_WORDS[attempt.status]
