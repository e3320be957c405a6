"""Turns a report over a period into HTML, Markdown, JSON and CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.report.guard import checked
from pytest_workflow_monitor.report.period.csv import render_csv
from pytest_workflow_monitor.report.period.markdown import render_markdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.words.period_report import PeriodReport

__all__ = ["RENDERERS", "render_csv", "render_html", "render_json", "render_markdown"]

_encoder = msgspec.json.Encoder()


def render_html(report: PeriodReport) -> bytes:
    """Render a report as one HTML file that needs no network and no script."""
    from pytest_workflow_monitor.report.period import html

    return html.render_html(report)


def render_json(report: PeriodReport) -> bytes:
    """Render a report as the JSON that ``monitoring_reports`` holds too; see docs/reports.md."""
    return checked(_encoder.encode(known.record(report)) + b"\n")


RENDERERS: dict[str, Callable[[PeriodReport], bytes]] = {
    "html": render_html,
    "json": render_json,
    "markdown": render_markdown,
    "csv": render_csv,
}
"""What makes each format, by its name."""
