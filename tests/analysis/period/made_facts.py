"""Facts of Thursday 12 November 2026, made by hand: little, and easy to vary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_workflow_monitor.analysis.distribution import distribution
from pytest_workflow_monitor.analysis.period.facts import (
    ErrorGroup,
    Key,
    Known,
    LevelChange,
    Outlook,
    PeriodFacts,
    SeriesKey,
    SeriesSums,
    SlotCount,
    StepShare,
    Sums,
)
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.words.alerts import Alert, AlertKind, AlertStatus, Silence
from pytest_workflow_monitor.words.periods import Period, PeriodKind

START = datetime(2026, 11, 12, tzinfo=UTC)
END = START + timedelta(days=1)
DAY = Period(kind=PeriodKind.DAILY, start=START, end=END)
ORDER = Key(environment="production", workflow_id="order")
LOGIN = Key(environment="production", workflow_id="login")
METRIC = SeriesKey(
    environment="production", workflow_id="order", kind="metric", name="cart", unit="ms"
)


def at(hours: float) -> datetime:
    """Return a moment so many hours after the day began."""
    return START + timedelta(hours=hours)


def facts(**fields: Any) -> PeriodFacts:
    """Return what is known of a day on which two workflows ran without a problem."""
    defaults: dict[str, Any] = {
        "project": "shop",
        "environment": "production",
        "period": DAY,
        "generated_at": at(32),
        "known": {
            "order": Known(workflow_id="order", workflow_name="Order", priority=Priority.CRITICAL),
            "login": Known(workflow_id="login", workflow_name="Login", priority=Priority.HIGH),
        },
        "workflows": {ORDER: sums(), LOGIN: sums()},
        "before": {ORDER: sums(), LOGIN: sums()},
    }
    return PeriodFacts(**defaults | fields)


def sums(passed: int = 20, failed: int = 0, flaky: int = 0, ms: float = 1_000.0) -> Sums:
    """Return the sums of some executions."""
    return Sums(
        runs=passed + failed,
        passed=passed,
        failed=failed,
        first_attempt=passed - flaky,
        flaky=flaky,
        attempts=passed + failed + flaky,
        total_ms=passed * ms,
        longest_ms=ms if passed else 0.0,
        durations=distribution([ms] * passed),
    )


def alert(number: int = 1, workflow_id: str = "order", **fields: Any) -> Alert:
    """Return an alert that opened at two and was over at three."""
    defaults: dict[str, Any] = {
        "alert_id": number,
        "project": "shop",
        "workflow_id": workflow_id,
        "environment": "production",
        "kind": AlertKind.FAILING,
        "status": AlertStatus.RESOLVED,
        "priority": Priority.HIGH,
        "since": at(2),
        "opened_at": at(2.01),
        "resolved_at": at(3),
        "incident_id": number,
        "reason": "failed",
        "failures": 3,
        "last_run_id": "5e5e5e5e",
        "failing_step": "Pay",
        "fingerprint": "f1",
    }
    return Alert(**defaults | fields)


def still_open(number: int = 1, workflow_id: str = "order", **fields: Any) -> Alert:
    """Return an alert that is not over."""
    return alert(
        number, workflow_id, **{"status": AlertStatus.ACTIVE, "resolved_at": None} | fields
    )


def error(fingerprint: str = "f1", **fields: Any) -> ErrorGroup:
    """Return a group of errors."""
    defaults: dict[str, Any] = {
        "message": "Service unavailable\nmore",
        "workflow_ids": ("order",),
        "environments": ("production",),
        "count": 3,
        "count_before": 0,
        "first_at": at(2),
        "last_at": at(3),
        "last_run_id": "5e5e5e5e",
    }
    return ErrorGroup(fingerprint=fingerprint, **defaults | fields)


def slower(ratio: float = 1.6, **fields: Any) -> LevelChange:
    """Return a change of level at 14:20, to so many times as long."""
    defaults: dict[str, Any] = {
        "key": ORDER,
        "at": at(14 + 1 / 3),
        "before_ms": 2_000.0,
        "after_ms": 2_000.0 * ratio,
        "p95_before_ms": 2_100.0,
        "p95_after_ms": 2_100.0 * ratio,
        "confidence": 0.999,
        "steps": (StepShare(name="Pay", before_ms=400.0, after_ms=1_500.0),),
        "git_commit": "a1b2c3d4e5f60718",
    }
    return LevelChange(**defaults | fields)


def outlook(**fields: Any) -> Outlook:
    """Return an outlook of a metric that passes its limit in four days."""
    defaults: dict[str, Any] = {
        "key": ORDER,
        "kind": "metric",
        "name": "cart",
        "unit": "ms",
        "limit": 250.0,
        "value": 230.0,
        "per_day": 5.0,
        "at": END + timedelta(days=4),
        "earliest": END + timedelta(days=3),
        "latest": END + timedelta(days=6),
    }
    return Outlook(**defaults | fields)


def slot(status: str = "missed", **fields: Any) -> SlotCount:
    """Return slots that did not run."""
    defaults: dict[str, Any] = {
        "key": ORDER,
        "reason": "no scheduler was running",
        "count": 4,
        "first_at": at(4),
        "last_at": at(5),
    }
    return SlotCount(status=status, **defaults | fields)


def metric(problems: int, samples: int = 20) -> dict[SeriesKey, SeriesSums]:
    """Return the sums of a metric that was so often beyond its budget."""
    return {
        METRIC: SeriesSums(
            samples=samples,
            problems=problems,
            total=100.0 * samples,
            lowest=80.0,
            highest=900.0,
            values=distribution([100.0] * samples),
        )
    }


def silence(**fields: Any) -> Silence:
    """Return a silence of two weeks that still holds."""
    defaults: dict[str, Any] = {
        "silence_id": 3,
        "match": {"workflow": ("order",)},
        "starts_at": END - timedelta(days=14),
        "ends_at": END + timedelta(days=14),
        "author": "kim",
        "reason": "being rebuilt",
        "created_at": END - timedelta(days=14),
    }
    return Silence(**defaults | fields)
