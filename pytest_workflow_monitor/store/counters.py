"""The running counters of one workflow in one environment, and how an execution changes them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.model import Record, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

SUCCESSES = frozenset({Status.PASSED, Status.DEGRADED})


class Outcome(Record, frozen=True, kw_only=True):
    """What the counters need to know of one execution that has ended."""

    run_id: str
    workflow_id: str
    status: Status
    started_at: datetime
    duration_ms: float | None = None
    is_flaky: bool = False

    @property
    def counted_ms(self) -> float:
        """The duration, unless the workflow did not really run."""
        return 0.0 if self.status is Status.SKIPPED else self.duration_ms or 0.0


class Counters(Record, frozen=True, kw_only=True):
    """The row of ``job_metrics`` of one workflow in one environment.

    ``run_count`` is the sum of ``success_count`` (passed or degraded), ``failure_count`` and
    ``skipped_count``. ``total_duration_ms`` sums the deciding attempts of those not skipped.
    ``last_*`` tell of the execution that started last, and ``consecutive_failures`` counts the
    problems since the last success.
    """

    project: str
    workflow_id: str
    environment: str
    run_count: int = 0
    success_count: int = 0
    failure_count: int = 0
    degraded_count: int = 0
    flaky_count: int = 0
    skipped_count: int = 0
    total_duration_ms: float = 0.0
    last_run_id: str | None = None
    last_run_at: datetime | None = None
    last_status: Status | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    consecutive_failures: int = 0

    def is_before(self, outcome: Outcome) -> bool:
        """Tell whether an execution is later than all that were counted so far."""
        if self.last_run_at is None:
            return True
        return (self.last_run_at, self.last_run_id or "") < (outcome.started_at, outcome.run_id)

    def changed(self, outcome: Outcome, sign: int) -> Counters:
        """Count an execution (sign 1) or take it back (sign -1), without the ``last_*`` fields."""
        status = outcome.status
        return replace(
            self,
            run_count=self.run_count + sign,
            success_count=self.success_count + sign * (status in SUCCESSES),
            failure_count=self.failure_count + sign * status.is_problem,
            degraded_count=self.degraded_count + sign * (status is Status.DEGRADED),
            flaky_count=self.flaky_count + sign * outcome.is_flaky,
            skipped_count=self.skipped_count + sign * (status is Status.SKIPPED),
            total_duration_ms=self.total_duration_ms + sign * outcome.counted_ms,
        )

    def followed_by(self, outcome: Outcome) -> Counters:
        """Set the ``last_*`` fields for an execution that is later than all before."""
        status = outcome.status
        is_success = status in SUCCESSES
        return replace(
            self,
            last_run_id=outcome.run_id,
            last_run_at=outcome.started_at,
            last_status=status,
            last_success_at=outcome.started_at if is_success else self.last_success_at,
            last_failure_at=outcome.started_at if status.is_problem else self.last_failure_at,
            consecutive_failures=0 if is_success else self.consecutive_failures + status.is_problem,
        )


def fold(
    counters: dict[str, Counters], outcomes: Iterable[tuple[Outcome, Outcome | None]]
) -> set[str]:
    """Count executions that ended, in place.

    Args:
        counters: The counters by workflow id.
        outcomes: Each execution as it is now, and as it has been counted before, if it has.

    Returns:
        The workflows that an execution joined out of order, whose ``last_*`` fields are now wrong.
    """
    disturbed = set()
    for outcome, before in sorted(outcomes, key=_by_start):
        name = outcome.workflow_id
        if before is not None:
            counters[name] = counters[name].changed(before, -1)
        if before is not None or not counters[name].is_before(outcome):
            disturbed.add(name)
        counters[name] = counters[name].changed(outcome, 1).followed_by(outcome)
    return disturbed


def _by_start(pair: tuple[Outcome, Outcome | None]) -> tuple[datetime, str]:
    return pair[0].started_at, pair[0].run_id
