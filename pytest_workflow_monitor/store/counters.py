"""The running counters of one workflow in one environment."""

from __future__ import annotations

from datetime import datetime

from pytest_workflow_monitor.model import Record, Status


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
