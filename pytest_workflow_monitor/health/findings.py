"""What a check is asked about, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.settings.health_rules import HealthStatus

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store


class Asked(NamedTuple):
    """What a check is about.

    Attributes:
        settings: The effective settings.
        store: The open database; None when it cannot be used.
        now: The time of the database, else of this machine.
        problem: Why the database cannot be used; empty if it was not tried.
    """

    settings: Settings
    store: Store | None
    now: datetime
    problem: str = ""


class Finding(Record, frozen=True, kw_only=True):
    """What a check found: what should be, what is, and what is wrong."""

    status: HealthStatus = HealthStatus.HEALTHY
    expected: str = ""
    actual: str = ""
    detail: str = ""
    response_time_ms: float | None = None


def graded(
    value: float, degraded_beyond: float, unhealthy_beyond: float | None = None
) -> HealthStatus:
    """Grade a value of which less is better."""
    if unhealthy_beyond is not None and value > unhealthy_beyond:
        return HealthStatus.UNHEALTHY
    return HealthStatus.DEGRADED if value > degraded_beyond else HealthStatus.HEALTHY
