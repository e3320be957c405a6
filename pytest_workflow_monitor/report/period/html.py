"""A report over a period as one HTML file: no network, no script needed, printable.

Only the theme button and the sorting of tables are scripts; a strict Content-Security-Policy names
them and the style by their hashes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2

from pytest_workflow_monitor.analysis.wording import full_instant
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.report.cases import readable
from pytest_workflow_monitor.report.guard import checked
from pytest_workflow_monitor.report.links import web_link
from pytest_workflow_monitor.report.page_assets import assets
from pytest_workflow_monitor.report.period import charts
from pytest_workflow_monitor.report.period.alternatives import table_of
from pytest_workflow_monitor.report.period.saying import NUMERIC, said
from pytest_workflow_monitor.report.period.tables import has_titles, widths
from pytest_workflow_monitor.report.period.titles import said_period, title
from pytest_workflow_monitor.words.period_report import Form, Tone

if TYPE_CHECKING:
    from pytest_workflow_monitor.words.period_report import PeriodReport, Value

STYLES = ("tokens.css", "base.css", "period.css")
SCRIPTS = ("dom.js", "theme.js", "period.js")
MARKS = {Tone.GOOD: "check", Tone.DOUBTFUL: "bang", Tone.BAD: "cross", Tone.NEUTRAL: "dash"}


def render_html(report: PeriodReport) -> bytes:
    """Render a report."""
    report = known.record(report)
    zone = report.period.zone

    def words(value: Value, form: Form, unit: str = "") -> str:
        return readable(said(value, form, zone, unit=unit))

    context: dict[str, Any] = {
        **assets(STYLES, SCRIPTS)._asdict(),
        "report": report,
        "title": title(report),
        "period": said_period(report.period),
        "generated": full_instant(report.generated_at, zone=zone),
        "marks": MARKS,
        "numeric": NUMERIC,
        "words": words,
        "lines": lambda chart: charts.lines(chart, zone),
        "timeline": lambda chart: charts.timeline(chart, zone),
        "heat": charts.heat,
        "spark": charts.spark,
        "table_of": table_of,
        "has_titles": has_titles,
        "widths": lambda table: widths(table, words),
    }
    text = _environment().get_template("period.html.j2").render(context)
    return checked(text.encode("utf-8", "replace"))


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.PackageLoader("pytest_workflow_monitor.report"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"readable": readable, "web_link": web_link}
    return environment
