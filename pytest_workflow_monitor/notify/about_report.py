"""Writes the message about a kept report: the verdict, its figures, what needs attention."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.analysis.wording import plural
from pytest_workflow_monitor.errors import ReportError
from pytest_workflow_monitor.model import Priority, Record
from pytest_workflow_monitor.notify.messages import Attachment, Figure, Message, Point
from pytest_workflow_monitor.notify.pictures import LARGEST
from pytest_workflow_monitor.report.period.saying import said
from pytest_workflow_monitor.report.period.titles import said_period, title
from pytest_workflow_monitor.settings.report_rules import filled
from pytest_workflow_monitor.words.period_report import (
    Facts,
    Finding,
    Form,
    PeriodReport,
    Section,
    Table,
    Tone,
)
from pytest_workflow_monitor.words.periods import PeriodKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.alerts import Notification
    from pytest_workflow_monitor.words.period_report import Fact

FINDINGS = 5
OPEN_INCIDENTS = 5
TOLD_IN_BRIEF = ("service_levels", "errors", "flaky", "budgets", "slots")
"""Sections of which a message says how much there is, in this order."""


class Kept(Record, frozen=True, kw_only=True):
    """A report with the number it is kept under."""

    report_id: int
    report: PeriodReport


def read_kept(store: Store, settings: Settings, report_id: int) -> Kept:
    """Read a kept report.

    Raises:
        ReportError: It is gone, or cannot be read.
        StoreError: The database cannot be used.
    """
    from pytest_workflow_monitor.report.period.document import read_document

    document = store.report_document(settings.project, report_id)
    if document is None:
        raise ReportError(f"The report {report_id} is not kept any more.")
    return Kept(report_id=report_id, report=read_document(document))


def about_report(
    kept: Kept, settings: Settings, notification: Notification, at: datetime, *, with_file: bool
) -> Message:
    """Write the message.

    Args:
        kept: The report.
        settings: Where its link leads.
        notification: The row of the outbox.
        at: The time.
        with_file: Whether the report itself comes along.
    """
    report = kept.report
    link = filled(settings.reports_url, _places(kept))
    points = [*_findings(report), *_open_incidents(report)]
    if not link and not with_file:
        command = f"workflow-monitor reports show {kept.report_id}"
        points.append(Point(text="The whole report as a page:", command=command))
    return Message(
        key=notification.notification_id,
        thread_key=f"{report.project}/{report.environment}/{report.name}",
        kind=notification.kind,
        title=report.verdict,
        project=report.project,
        environment=report.environment,
        at=at,
        is_good=report.tone is Tone.GOOD,
        priority=Priority.MEDIUM,
        report_url=link,
        note=said_period(report.period),
        word=title(report),
        tone=report.tone,
        figures=tuple(_figures(report)),
        points=tuple(points),
    )


def attaches(kept: Kept, settings: Settings) -> bool:
    """Tell whether a report is to come along as a file, where a channel can carry it."""
    rules = {rule.name: rule for rule in settings.reports}
    return kept.report.name not in rules or rules[kept.report.name].attach


def report_file(kept: Kept) -> Attachment | None:
    """Return a report as a page that opens without a network; None if it is too large.

    Raises:
        ReportError: A secret is in it that could not be masked.
    """
    from pytest_workflow_monitor.report.period import render_html

    data = render_html(kept.report)
    if len(data) > LARGEST:
        return None
    places = _places(kept)
    hour = places["hour"] if kept.report.period.kind is PeriodKind.HOURLY else ""
    name = "-".join(part for part in (kept.report.name, places["day"], hour) if part)
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")
    return Attachment(name=f"{stem}.html", content_type="text/html", data=data)


def _places(kept: Kept) -> dict[str, str]:
    """Return what may stand in the address of a report."""
    report = kept.report
    start = report.period.start.astimezone(report.period.zone)
    return {
        "id": str(kept.report_id),
        "name": report.name,
        "environment": report.environment,
        "day": f"{start:%Y-%m-%d}",
        "hour": f"{start:%H}",
    }


def _figures(report: PeriodReport) -> Iterator[Figure]:
    sections = {it.name: it for it in report.sections}
    overview = sections.get("overview")
    told = _facts(overview) if overview else ()
    if told:
        for fact in told:
            if fact.value is not None:
                yield Figure(label=fact.label, value=_said(fact, report))
    else:
        yield from _headline(report)
    for name in TOLD_IN_BRIEF:
        if name in sections and sections[name].brief:
            yield Figure(label=sections[name].title, value=sections[name].brief)


def _facts(section: Section) -> tuple[Fact, ...]:
    return next((it.facts for it in section.blocks if isinstance(it, Facts)), ())


def _said(fact: Fact, report: PeriodReport) -> str:
    zone = report.period.zone
    value = said(fact.value, fact.form, zone, unit=fact.unit)
    if fact.change is None:
        return value
    return f"{value} ({said(fact.change, fact.change_form, zone, unit=fact.unit)})"


def _headline(report: PeriodReport) -> Iterator[Figure]:
    """Say the figures that are kept beside every report."""
    told, zone = report.headline, report.period.zone
    yield Figure(label="Executions", value=said(told.total_runs, Form.COUNT, zone))
    if told.success_rate is not None:
        yield Figure(label="Success rate", value=said(told.success_rate / 100, Form.SHARE, zone))
    if told.critical_issues:
        yield Figure(label="Critical issues", value=said(told.critical_issues, Form.COUNT, zone))


def _findings(report: PeriodReport) -> list[Point]:
    """Return what is recommended, the most important first."""
    ranked = sorted(_all_findings(report), key=lambda it: -it.weight)
    told = [
        Point(
            text=it.title,
            detail=" ".join(it.evidence),
            tone=it.tone,
            command=it.command,
            url=it.link,
        )
        for it in ranked[:FINDINGS]
    ]
    if len(ranked) > FINDINGS:
        more = plural(len(ranked) - FINDINGS, "more recommendation")
        told.append(Point(text=f"{more} in the report"))
    return told


def _all_findings(report: PeriodReport) -> Iterator[Finding]:
    for section in report.sections:
        yield from (it for it in section.blocks if isinstance(it, Finding))


def _open_incidents(report: PeriodReport) -> list[Point]:
    """Return the incidents that are not over, but for those that a recommendation is about."""
    advised = "\n".join(sentence for it in _all_findings(report) for sentence in it.evidence)
    tables = (
        block
        for section in report.sections
        if section.name == "incidents"
        for block in section.blocks
        if isinstance(block, Table)
    )
    told = [
        Point(
            text=f"{row['workflows']}: {row['what'].removesuffix('.')}, open since "
            f"{said(row['since'], Form.INSTANT, report.period.zone)}",
            tone=Tone.BAD,
        )
        for table in tables
        for row in _rows(table)
        if row["recovered"] is None and row["what"].removesuffix(".") not in advised
    ]
    if len(told) > OPEN_INCIDENTS:
        more = plural(len(told) - OPEN_INCIDENTS, "more open incident")
        return [*told[:OPEN_INCIDENTS], Point(text=f"{more} in the report", tone=Tone.BAD)]
    return told


def _rows(table: Table) -> Iterator[dict[str, Any]]:
    keys = [it.key for it in table.columns]
    return (dict(zip(keys, row, strict=True)) for row in table.rows)
