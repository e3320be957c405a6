"""One table of a report as CSV: raw values with their unit in the header, instants in UTC."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import ReportError
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.report.guard import checked
from pytest_workflow_monitor.report.period.alternatives import table_of
from pytest_workflow_monitor.words.period_report import Form, HeatMap, LineChart, Table, Timeline

if TYPE_CHECKING:
    from pytest_workflow_monitor.words.period_report import Column, PeriodReport, Section, Value

PREFERRED = "workflows"
UNITS = {
    Form.DURATION: "ms",
    Form.CHANGE_DURATION: "ms",
    Form.SHARE: "share",
    Form.CHANGE_SHARE: "share",
}
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet would take for a formula at the beginning of a text."""


def render_csv(report: PeriodReport, section: str = PREFERRED) -> bytes:
    """Render the tables of a section, by default of the workflows, with a blank line between.

    Raises:
        ReportError: The report has no such section, or the section no table.
    """
    report = known.record(report)
    tables = {it.name: found for it in report.sections if (found := _tables(it))}
    if section not in tables:
        names = ", ".join(tables) or "none"
        raise ReportError(f"This report has no table of {section!r}; it has those of: {names}.")
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    for number, table in enumerate(tables[section]):
        if number:
            file.write("\r\n")
        writer.writerow(_header(it) for it in table.columns)
        writer.writerows([_cell(it) for it in row] for row in table.rows)
    return checked(file.getvalue().encode("utf-8", "replace"))


def _tables(section: Section) -> list[Table]:
    found = [it for it in section.blocks if isinstance(it, Table)]
    charts = (it for it in section.blocks if isinstance(it, LineChart | HeatMap | Timeline))
    return found or [table_of(it) for it in charts]


def _header(column: Column) -> str:
    unit = column.unit or UNITS.get(column.form, "")
    return f"{column.key}_{unit}" if unit else column.key


def _cell(value: Value) -> str | float | int:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, tuple):
        return " ".join("" if it is None else f"{it:.0f}" for it in value)
    if isinstance(value, str) and value.startswith(DANGEROUS):
        return f"'{value}"
    return value
