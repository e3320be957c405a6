"""Results and alerts written as briefly as one thinks of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pytest_workflow_monitor.model import Priority, Status
from pytest_workflow_monitor.words.alerts import Alert, AlertKind, AlertStatus, Result
from tests.samples import ENVIRONMENT, PROJECT, at

STATUSES = {
    "P": Status.PASSED,
    "D": Status.DEGRADED,
    "F": Status.FAILED,
    "E": Status.ERROR,
    "T": Status.TIMED_OUT,
    "I": Status.INTERRUPTED,
    "S": Status.SKIPPED,
    "f": Status.PASSED,  # only by retry
}
MINUTES = 5


def results(text: str, *, fingerprint: str = "same") -> list[Result]:
    """Return a result for each letter, oldest first, five minutes apart, each of 2 s."""
    return [
        Result(
            run_id=f"run-{position}",
            status=STATUSES[letter],
            started_at=at(position * MINUTES * 60),
            completed_at=at(position * MINUTES * 60) + timedelta(seconds=2),
            is_flaky=letter == "f",
            fingerprint=fingerprint if letter in "Ff" else "",
        )
        for position, letter in enumerate(text)
    ]


def an_alert(kind: AlertKind = AlertKind.FAILING, **fields: Any) -> Alert:
    """Return an active alert; any field can be given."""
    defaults: dict[str, Any] = {
        "alert_id": 1,
        "project": PROJECT,
        "workflow_id": "login",
        "environment": ENVIRONMENT,
        "kind": kind,
        "status": AlertStatus.ACTIVE,
        "priority": Priority.HIGH,
        "since": at(0),
        "opened_at": at(2),
        "incident_id": 1,
        "workflow_name": "Log in",
        "owner": "team-web",
        "tags": ("smoke",),
        "last_run_id": "run-0",
        "last_status": Status.FAILED,
    }
    return Alert(**(defaults | fields))
