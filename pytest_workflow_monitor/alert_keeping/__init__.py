"""Alerts in the database: what executions, time and people do to them."""

from pytest_workflow_monitor.alert_keeping.judging import Judged, judge
from pytest_workflow_monitor.alert_keeping.upkeep import acknowledge, comment, resolve, tend

__all__ = ["Judged", "acknowledge", "comment", "judge", "resolve", "tend"]
