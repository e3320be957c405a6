"""A report over a period as Markdown, for a wiki, a pull request or a job's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.report.cases import readable
from pytest_workflow_monitor.report.escaping import escaped
from pytest_workflow_monitor.report.guard import checked
from pytest_workflow_monitor.report.links import web_link
from pytest_workflow_monitor.report.period.alternatives import table_of
from pytest_workflow_monitor.report.period.saying import NUMERIC, said
from pytest_workflow_monitor.report.period.tables import has_titles
from pytest_workflow_monitor.report.period.titles import subtitle
from pytest_workflow_monitor.words.period_report import (
    Facts,
    Finding,
    Form,
    Note,
    Table,
    Tone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from pytest_workflow_monitor.words.period_report import Block, Fact, PeriodReport

MARKS = {Tone.GOOD: "✓", Tone.DOUBTFUL: "!", Tone.BAD: "✗", Tone.NEUTRAL: "–"}
MAX_ROWS = 200


def render_markdown(report: PeriodReport) -> bytes:
    """Render a report as Markdown."""
    report = known.record(report)
    return checked("".join(_parts(report)).encode("utf-8", "replace"))


def _parts(report: PeriodReport) -> Iterator[str]:
    zone = report.period.zone
    yield f"# {MARKS[report.tone]} {escaped(report.verdict)}\n\n"
    yield f"{escaped(subtitle(report))}\n"
    for section in report.sections:
        yield f"\n## {escaped(section.title)}\n\n"
        for block in section.blocks:
            if isinstance(block, Table) and has_titles(section):
                yield f"### {escaped(block.name)}\n\n"
            yield _block(block, zone) + "\n"


def _block(block: Block, zone: tzinfo) -> str:
    if isinstance(block, Facts):
        return "".join(f"- {_fact(it, zone)}\n" for it in block.facts)
    if isinstance(block, Note):
        return f"{escaped(block.text, limit=1_000)}\n"
    if isinstance(block, Finding):
        return _finding(block)
    if isinstance(block, Table):
        return _table(block, zone)
    chart = table_of(block)
    return (
        f"<details><summary>{escaped(block.title)}</summary>\n\n{_table(chart, zone)}\n</details>\n"
    )


def _fact(fact: Fact, zone: tzinfo) -> str:
    text = f"{escaped(fact.label)}: **{said(fact.value, fact.form, zone, unit=fact.unit)}**"
    if fact.change is None:
        return text
    change = said(fact.change, fact.change_form, zone, unit=fact.unit)
    return f"{text} ({change} against {escaped(fact.against)})"


def _finding(finding: Finding) -> str:
    lines = [f"### {MARKS[finding.tone]} {escaped(finding.title, limit=1_000)}\n\n"]
    lines += [f"- {escaped(it, limit=1_000)}\n" for it in finding.evidence]
    if finding.action:
        lines.append(f"\n{escaped(finding.action, limit=1_000)}\n")
    if finding.command:
        lines.append(f"\n    {' '.join(readable(finding.command).split())}\n")
    if link := web_link(finding.link):
        lines.append(f"\n<{link}>\n")
    return "".join(lines)


def _table(table: Table, zone: tzinfo) -> str:
    columns = [(n, it) for n, it in enumerate(table.columns) if it.form is not Form.TREND]
    lines = [
        "| " + " | ".join(escaped(it.label) for _, it in columns) + " |\n",
        "|" + "|".join("---:" if it.form in NUMERIC else "---" for _, it in columns) + "|\n",
    ]
    for row in table.rows[:MAX_ROWS]:
        cells = [escaped(said(row[n], it.form, zone, unit=it.unit)) for n, it in columns]
        lines.append("| " + " | ".join(cells) + " |\n")
    if len(table.rows) > MAX_ROWS:
        lines.append(f"\n{len(table.rows) - MAX_ROWS:,} more are in the other formats.\n")
    if not table.rows and table.empty:
        return f"{escaped(table.empty)}\n"
    return "".join(lines)
