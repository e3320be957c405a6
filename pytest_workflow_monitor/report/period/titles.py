"""What a report is called, and which time it is about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.wording import MONTHS, full_instant
from pytest_workflow_monitor.words.periods import PeriodKind

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.words.period_report import PeriodReport
    from pytest_workflow_monitor.words.periods import Period

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
KINDS = {
    PeriodKind.HOURLY: "Hourly report",
    PeriodKind.DAILY: "Daily report",
    PeriodKind.WEEKLY: "Weekly report",
    PeriodKind.MONTHLY: "Monthly report",
    PeriodKind.CUSTOM: "Report",
}


def title(report: PeriodReport) -> str:
    """Name a report: its kind, or the name it was given."""
    kind = KINDS[report.period.kind]
    return kind if report.name == report.period.kind.value else f"{report.name} · {kind.lower()}"


def subtitle(report: PeriodReport) -> str:
    """Say what a report is about: project, environment, time."""
    return f"{report.project} · {report.environment} · {said_period(report.period)}"


def said_period(period: Period) -> str:
    """Say which time a period is: ``Thursday 12 Nov 2026``, ``9 Nov to 15 Nov 2026``."""
    zone = period.zone
    start, end = period.start.astimezone(zone), period.end.astimezone(zone)
    if period.kind is PeriodKind.DAILY:
        return f"{WEEKDAYS[start.weekday()]} {_day(start)} {start.year} ({period.timezone})"
    if period.kind is PeriodKind.MONTHLY:
        return f"{MONTHS[start.month - 1]} {start.year} ({period.timezone})"
    if period.kind is PeriodKind.WEEKLY:
        last = end - timedelta(hours=1)
        return f"{_day(start)} to {_day(last)} {last.year} ({period.timezone})"
    if period.kind is PeriodKind.HOURLY:
        return f"{_day(start)} {start.year} {start:%H:%M} to {end:%H:%M} ({period.timezone})"
    return f"{full_instant(start, zone=zone)} to {full_instant(end, zone=zone)}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1]}"
