"""Statements about the reports over periods that are kept."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.store.database import Database
from pytest_workflow_monitor.words.period_report import Headline, Tone
from pytest_workflow_monitor.words.periods import PeriodKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_workflow_monitor.words.periods import Period


class Identity(Record, frozen=True, kw_only=True):
    """What there is only one report of."""

    project: str
    environment: str
    report_name: str
    report_type: PeriodKind
    period_start: datetime
    period_end: datetime

    @classmethod
    def of(cls, project: str, environment: str, name: str, period: Period) -> Identity:
        """Return that of the report called ``name`` about a period."""
        return cls(
            project=project,
            environment=environment,
            report_name=name,
            report_type=period.kind,
            period_start=period.start,
            period_end=period.end,
        )


class KeptReport(Identity, frozen=True, kw_only=True):
    """A row of ``monitoring_reports`` without its document; figures as in :class:`Headline`.

    ``notified_at`` is when the first channel took the message about it.
    """

    report_id: int
    verdict: str
    tone: Tone
    total_runs: int
    successful_runs: int
    failed_runs: int
    success_rate: float | None
    avg_duration_ms: float | None
    critical_issues: int
    success_rate_trend: float | None
    performance_trend: float | None
    error_rate_trend: float | None
    generated_at: datetime
    notified_at: datetime | None


class Reports(Database):
    """The statements."""

    def kept_report(self, identity: Identity) -> KeptReport | None:
        """Find the report that is kept of a period."""
        row = self.fetch_one("kept_report", **msgspec.structs.asdict(identity))
        return msgspec.convert(row, KeptReport) if row else None

    def kept_reports(
        self,
        project: str,
        limit: int,
        *,
        name: str | None = None,
        environment: str | None = None,
    ) -> tuple[KeptReport, ...]:
        """List kept reports, that of the latest period first."""
        rows = self.fetch(
            "kept_reports", project=project, name=name, environment=environment, limit=limit
        )
        return msgspec.convert(rows, tuple[KeptReport, ...])

    def report_document(self, project: str, report_id: int) -> bytes | None:
        """Read a kept report as JSON; None if there is none of that number."""
        row = self.fetch_one("report_document", project=project, report_id=report_id)
        return row["document"].encode() if row else None

    def keep_report(
        self, identity: Identity, headline: Headline, document: bytes, generated_at: datetime
    ) -> int | None:
        """Keep a report and return its number; None when one of the period is kept already."""
        rows = self.write(
            "keep_report",
            **msgspec.structs.asdict(identity),
            **msgspec.structs.asdict(headline),
            document=document.decode(),
            generated_at=generated_at,
        )
        return rows[0]["report_id"] if rows else None

    def has_run_before(self, project: str, environments: Collection[str], before: datetime) -> bool:
        """Tell whether anything ran in some environments before an instant, by the hour."""
        row = self.fetch_one(
            "has_run_before", project=project, environments=list(environments), before=before
        )
        return bool(row and row["found"])

    def mark_report_told(self, report_id: int, at: datetime) -> None:
        """Note when the first channel took the message about a report."""
        self.run("mark_report_told", report_id=report_id, at=at)
