"""Alerts in the database: what executions, time and people do to them."""

from pytest_workflow_monitor.alert_keeping.judging import Judged, judge
from pytest_workflow_monitor.alert_keeping.upkeep import (
    acknowledge,
    comment,
    end_silence,
    resolve,
    tend,
)

__all__ = ["Judged", "acknowledge", "comment", "end_silence", "judge", "resolve", "tend"]
