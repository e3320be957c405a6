"""When reports over periods are due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor import cron
from pytest_workflow_monitor.words.periods import last_period

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.report_rules import ReportRule
    from pytest_workflow_monitor.words.periods import Period

_RESOLUTION = timedelta(microseconds=1)


def due_period(rule: ReportRule, settings: Settings, now: datetime) -> Period:
    """Return the period that a report is to be about since its cron expression last held.

    Periods before it are not made up for: a scheduler that was away makes the last one.
    """
    zone = rule.timezone or settings.timezone
    due_at = cron.previous_time(rule.cron, zone, now + _RESOLUTION, rule.name)
    return last_period(rule.period, due_at, zone)
