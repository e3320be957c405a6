"""Makes the reports that are due."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import ReportError, StoreError
from pytest_workflow_monitor.reporting.keeping import identity, keep
from pytest_workflow_monitor.reporting.making import environments_of, make
from pytest_workflow_monitor.reporting.times import due_period

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.report_rules import ReportRule
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.store.reports import KeptReport
    from pytest_workflow_monitor.words.periods import Period

logger = logging.getLogger("pytest_workflow_monitor.reporting")


def make_due(store: Store, settings: Settings, now: datetime) -> tuple[KeptReport, ...]:
    """Make the reports that are due and not kept yet, and have their recipients told.

    Raises:
        StoreError: The database cannot be used.
    """
    made = (_made(store, settings, rule, now) for rule in settings.reports)
    return tuple(it for it in made if it is not None)


def keep_if_new(
    store: Store, settings: Settings, rule: ReportRule, period: Period, now: datetime
) -> KeptReport | None:
    """Make and keep the report of a period, and have its recipients told.

    Returns:
        The kept report; None when it is kept already, or nothing ran before the period's end.

    Raises:
        ReportError: A secret is in it that could not be masked.
        StoreError: The database cannot be used.
    """
    if store.kept_report(identity(settings, rule, period)) is not None:
        return None
    store.sum_up(settings.project)
    if not store.has_run_before(settings.project, environments_of(settings, rule), period.end):
        return None
    return keep(store, settings, rule, make(store, settings, rule, period, now), now)


def _made(store: Store, settings: Settings, rule: ReportRule, now: datetime) -> KeptReport | None:
    extra = {"action": "report_failed", "report": rule.name}
    try:
        return keep_if_new(store, settings, rule, due_period(rule, settings, now), now)
    except ReportError as error:
        logger.warning("report %s: %s", rule.name, error, extra=extra)
    except StoreError:
        raise
    except Exception:  # a mistake of ours in one report must not cost the others
        logger.exception("report %s", rule.name, extra=extra)
    return None
