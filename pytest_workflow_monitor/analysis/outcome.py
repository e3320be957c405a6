"""How the attempts of a workflow become one execution."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Attempt, Execution, SessionStarted, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def execution_of(
    session: SessionStarted, attempts: Sequence[Attempt], *, session_is_over: bool
) -> Execution:
    """Combine all known attempts of one execution, given in any order.

    The last attempt decides. While it announces another one (``will_retry``), the execution is
    still running, or, when the session is over and none came, interrupted.
    """
    ordered = tuple(sorted(attempts, key=lambda attempt: attempt.number))
    last = ordered[-1]
    status = _status(last, session_is_over=session_is_over)
    is_over = status is not Status.RUNNING
    return Execution(
        run_id=last.run_id,
        session_id=session.session_id,
        project=session.project,
        environment=session.environment,
        workflow=last.workflow,
        status=status,
        started_at=ordered[0].started_at,
        completed_at=_completed_at(last) if is_over else None,
        duration_ms=last.duration_ms if is_over else None,
        is_flaky=is_flaky(ordered, status),
        labels=_merged(ordered),
        dimensions=last.dimensions,
        steps_total=len(last.steps),
        steps_passed=sum(step.status is Status.PASSED for step in last.steps),
        steps_failed=sum(step.status.is_problem for step in last.steps),
        attempts=ordered,
    )


def is_flaky(attempts: Iterable[Attempt], status: Status) -> bool:
    """Tell whether an execution passed, fully or degraded, only after a failed attempt."""
    return status in {Status.PASSED, Status.DEGRADED} and any(
        attempt.status.is_problem for attempt in attempts
    )


def _status(last: Attempt, *, session_is_over: bool) -> Status:
    if not last.will_retry:
        return last.status
    return Status.INTERRUPTED if session_is_over else Status.RUNNING


def _completed_at(attempt: Attempt) -> datetime:
    return attempt.started_at + timedelta(milliseconds=attempt.duration_ms)


def _merged(attempts: Sequence[Attempt]) -> dict[str, str]:
    labels = dict(attempts[-1].workflow.labels)
    for attempt in attempts:
        labels.update(attempt.labels)
    return labels
