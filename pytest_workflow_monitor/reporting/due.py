"""Makes the reports that are due."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import ReportError
from pytest_workflow_monitor.report_times import due_period
from pytest_workflow_monitor.reporting.keeping import identity, keep
from pytest_workflow_monitor.reporting.making import environments_of, make

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.report_rules import ReportRule
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.store.reports import KeptReport

logger = logging.getLogger("pytest_workflow_monitor.reporting")


def make_due(store: Store, settings: Settings, now: datetime) -> tuple[KeptReport, ...]:
    """Make the reports that are due and not kept yet, and have their recipients told.

    There is none about a time before anything ran.

    Raises:
        StoreError: The database cannot be used.
    """
    made = (_made(store, settings, rule, now) for rule in settings.reports)
    return tuple(it for it in made if it is not None)


def _made(store: Store, settings: Settings, rule: ReportRule, now: datetime) -> KeptReport | None:
    period = due_period(rule, settings, now)
    if store.kept_report(identity(settings, rule, period)) is not None:
        return None
    store.sum_up(settings.project)
    if not store.has_run_before(settings.project, environments_of(settings, rule), period.end):
        return None
    try:
        return keep(store, settings, rule, make(store, settings, rule, period, now), now)
    except ReportError as error:
        logger.warning(
            "report %s: %s",
            rule.name,
            error,
            extra={"action": "report_failed", "report": rule.name},
        )
        return None
