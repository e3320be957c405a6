"""Reads reports as tests need it: rows by the keys of their columns, findings by their rule."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pytest_workflow_monitor.reporting import make
from pytest_workflow_monitor.settings.report_rules import ReportRule
from pytest_workflow_monitor.words.period_report import Facts, Finding, Note, Table
from pytest_workflow_monitor.words.periods import Period, PeriodKind
from tests.history.storing import settings_for

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.period_report import PeriodReport, Section


class Reading:
    """A report that is being read."""

    def __init__(self, report: PeriodReport) -> None:
        self.report = report
        self.period = report.period
        self.verdict = report.verdict

    def section(self, name: str) -> Section | None:
        """Find a section."""
        return next((it for it in self.report.sections if it.name == name), None)

    def rows(self, section: str, number: int = 0) -> list[dict[str, Any]]:
        """Read a table of a section; no rows if there is no such table."""
        found = self.section(section)
        tables = [it for it in found.blocks if isinstance(it, Table)] if found else []
        if number >= len(tables):
            return []
        keys = [column.key for column in tables[number].columns]
        return [dict(zip(keys, row, strict=True)) for row in tables[number].rows]

    def named(self, section: str, table: str) -> list[dict[str, Any]]:
        """Read the table of a section that has this name."""
        found = self.section(section)
        tables = [it.name for it in found.blocks if isinstance(it, Table)] if found else []
        return self.rows(section, tables.index(table)) if table in tables else []

    def findings(self, rule: str = "") -> list[Finding]:
        """Find recommendations."""
        found = self.section("recommendations")
        blocks = found.blocks if found else ()
        return [it for it in blocks if isinstance(it, Finding) and (not rule or it.rule == rule)]

    def finding(self, rule: str) -> Finding:
        """Find the only recommendation of a rule."""
        (found,) = self.findings(rule)
        return found

    def figures(self) -> dict[str, Any]:
        """Read the figures of the overview by their label."""
        section = self.section("overview")
        assert section is not None
        facts = section.blocks[0]
        assert isinstance(facts, Facts)
        return {it.label: it.value for it in facts.facts}

    def notes(self, section: str) -> list[str]:
        """Read the sentences of a section."""
        found = self.section(section)
        return [it.text for it in found.blocks if isinstance(it, Note)] if found else []


class Desk:
    """Makes reports of a history, each once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._settings = settings_for(store)
        self._made: dict[tuple[Period, str, str], Reading] = {}

    def day(self, start: datetime, environment: str = "production", **match: str) -> Reading:
        """Read the report of a day."""
        day = Period(kind=PeriodKind.DAILY, start=start, end=start + timedelta(days=1))
        return self.report(day, environment, **match)

    def report(self, period: Period, environment: str = "production", **match: str) -> Reading:
        """Read the report of a period as it is made at its end."""
        key = period, environment, repr(match)
        if key not in self._made:
            rule = ReportRule(
                name=period.kind.value,
                period=period.kind,
                environments=(environment,),
                match={name: (value,) for name, value in match.items()},
            )
            settings = replace(self._settings, environment=environment)
            self._made[key] = Reading(make(self.store, settings, rule, period, period.end))
        return self._made[key]
