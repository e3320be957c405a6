"""Keeps finished reports, and puts the messages about them into the outbox.

Both happen in one transaction: a report that is kept is told of once, by whichever process comes
to deliver, and a process that dies in between leaves nothing behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.notify.registry import takes_summaries
from pytest_workflow_monitor.recording.identity import new_id
from pytest_workflow_monitor.report.period import render_json
from pytest_workflow_monitor.reporting.making import environments_of
from pytest_workflow_monitor.store.alerts import NewNotification
from pytest_workflow_monitor.store.reports import Identity
from pytest_workflow_monitor.words.alerts import DeliveryStatus, NotificationKind
from pytest_workflow_monitor.words.period_report import Finding, Tone

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.report_rules import ReportRule
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.store.reports import KeptReport
    from pytest_workflow_monitor.words.period_report import PeriodReport
    from pytest_workflow_monitor.words.periods import Period

ATTENTION = frozenset({Tone.DOUBTFUL, Tone.BAD})


def identity(settings: Settings, rule: ReportRule, period: Period) -> Identity:
    """Return what there is only one report of."""
    environment = ", ".join(environments_of(settings, rule))
    return Identity.of(settings.project, environment, rule.name, period)


def keep(
    store: Store, settings: Settings, rule: ReportRule, report: PeriodReport, now: datetime
) -> KeptReport | None:
    """Keep a report and have its recipients told.

    Args:
        store: The database.
        settings: The channels there are.
        rule: Who is told, and when.
        report: What is kept; that of a period that is over never changes.
        now: The time.

    Returns:
        The kept report, or None when another process was first.

    Raises:
        ReportError: A secret is in it that could not be masked.
        StoreError: The database cannot be used.
    """
    document = render_json(report)
    with store.transaction():
        key = identity(settings, rule, report.period)
        report_id = store.keep_report(key, report.headline, document, report.generated_at)
        if report_id is None:
            return None
        store.add_notifications(
            [
                _message(report, report_id, channel, now)
                for channel in recipients(settings, rule, report)
            ]
        )
        return store.kept_report(key)


def recipients(settings: Settings, rule: ReportRule, report: PeriodReport) -> tuple[str, ...]:
    """Return the names of the channels that are told of a report."""
    if rule.only_when == "attention" and not needs_attention(report):
        return ()
    if rule.channels is not None:
        return rule.channels
    return tuple(
        it.name for it in settings.channels if takes_summaries(it, settings.channel_classes)
    )


def needs_attention(report: PeriodReport) -> bool:
    """Tell whether something failed, nothing ran, or a section recommends to do something."""
    findings = (
        block.tone
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Finding)
    )
    return not ATTENTION.isdisjoint({report.tone, *findings})


def _message(report: PeriodReport, report_id: int, channel: str, now: datetime) -> NewNotification:
    return NewNotification(
        notification_id=new_id(),
        project=report.project,
        environment=report.environment,
        channel=channel,
        notification_type=NotificationKind.SUMMARY,
        delivery_status=DeliveryStatus.PENDING,
        incident_id=None,
        report_id=report_id,
        priority=Priority.MEDIUM,
        mention=False,
        run_id=None,
        actor="",
        note="",
        created_at=now,
        not_before=now,
    )
