"""When reports over periods are due.

What reads cron expressions is imported only where it is needed: every pytest run comes by here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import SettingsError
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
    from pytest_workflow_monitor import cron

    zone = rule.timezone or settings.timezone
    due_at = cron.previous_time(rule.cron, zone, now + _RESOLUTION, rule.name)
    return last_period(rule.period, due_at, zone)


def check_crons(settings: Settings) -> None:
    """Refuse reports whose cron expression is wrong.

    Raises:
        SettingsError: One sentence for each of them.
    """
    from pytest_workflow_monitor import cron

    problems = []
    for rule in settings.reports:
        try:
            cron.check(rule.cron)
        except ValueError as error:
            source = settings.sources.get("reports", "default")
            problems.append(f"{source}: reports: {rule.name}: cron = {rule.cron!r}: {error}.")
    if problems:
        raise SettingsError("\n".join(problems))
