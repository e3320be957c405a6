"""Alerts in the database: what executions, time and people do to them."""

from pytest_workflow_monitor.keeping.alerts.judging import Judged, judge
from pytest_workflow_monitor.keeping.alerts.upkeep import (
    acknowledge,
    comment,
    end_silence,
    resolve,
    tend,
)

__all__ = ["Judged", "acknowledge", "comment", "end_silence", "judge", "resolve", "tend"]
