"""What the gate looks at in an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import summary, wording
from pytest_workflow_monitor.model import Priority, Record, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.model import Attempt, Execution


class Fault(Record, frozen=True, kw_only=True):
    """Why an attempt failed; ``kind`` is the fingerprint of its error, else its status."""

    kind: str
    message: str


class Result(Record, frozen=True, kw_only=True):
    """One execution as the gate sees it.

    ``faults`` are those of its failed attempts, each kind once; ``broken_budgets`` say which
    metrics of the deciding attempt are beyond their budget, with value and budget.
    """

    run_id: str
    workflow_id: str
    name: str
    priority: Priority
    status: Status
    is_flaky: bool = False
    duration_ms: float | None = None
    faults: tuple[Fault, ...] = ()
    broken_budgets: tuple[str, ...] = ()

    @property
    def has_failed(self) -> bool:
        """Whether this is a verdict against the workflow."""
        return self.status.is_problem

    @property
    def has_succeeded(self) -> bool:
        """Whether the workflow did what it should, fully or degraded."""
        return self.status in {Status.PASSED, Status.DEGRADED}


def result_of(execution: Execution) -> Result:
    """Gather what the gate needs to know of an execution."""
    workflow, last = execution.workflow, execution.deciding
    return Result(
        run_id=execution.run_id,
        workflow_id=workflow.workflow_id,
        name=workflow.name,
        priority=workflow.priority,
        status=execution.status,
        is_flaky=execution.is_flaky,
        duration_ms=execution.duration_ms,
        faults=tuple({it.kind: it for it in _faults(execution)}.values()),
        broken_budgets=tuple(_broken(last)) if last else (),
    )


def _faults(execution: Execution) -> Iterator[Fault]:
    for attempt in execution.attempts:
        if attempt.status.is_problem:
            first = attempt.errors[0] if attempt.errors else None
            yield Fault(
                kind=(first and first.fingerprint) or attempt.status.value,
                message=summary.error_line(attempt),
            )


def _broken(attempt: Attempt) -> Iterator[str]:
    for metric in attempt.metrics:
        if metric.is_within_threshold is False:
            value = wording.quantity(metric.value, metric.unit)
            budget = wording.quantity(metric.threshold_value, metric.unit)
            yield f"{metric.name} {value} of {budget}"
