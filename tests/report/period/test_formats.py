"""Markdown, JSON and CSV of a report over a period say the same, safely and in a stable form."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import msgspec
import pytest

from pytest_workflow_monitor.errors import ReportError
from pytest_workflow_monitor.report.period import RENDERERS, render_csv, render_markdown
from pytest_workflow_monitor.report.period.document import read_document
from pytest_workflow_monitor.words.period_report import (
    SCHEMA_VERSION,
    Column,
    Form,
    PeriodReport,
    Table,
)
from tests.report.period import sample
from tests.report.test_markdown import rendered, tags

ALLOWED = {
    *("h1", "h2", "h3", "p", "strong", "a", "table", "thead", "tbody", "tr", "th", "td"),
    *("details", "summary", "pre", "code", "ul", "li"),
}
REPORTS = {"full": sample.full, "quiet": sample.quiet, "hostile": sample.hostile}
each = pytest.mark.parametrize("name", REPORTS)


def read_csv(document: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(document.decode(), newline=""), strict=True))


@each
def test_json_is_read_back_as_it_was(name: str) -> None:
    """Instants are instants again, and what is rendered of it is the same to the byte."""
    report = REPORTS[name]()
    document = RENDERERS["json"](report)
    again = read_document(document)
    assert again == report
    for render in RENDERERS.values():
        assert render(again) == render(report)


def test_json_has_a_version_and_the_fields_of_the_document() -> None:
    """Programs rely on these; a later version is refused in a sentence."""
    found = json.loads(RENDERERS["json"](sample.full()))
    assert found["schema_version"] == SCHEMA_VERSION == 1
    assert set(found) == set(PeriodReport.__struct_fields__)
    day = {"start": "2026-11-12T00:00:00Z", "end": "2026-11-13T00:00:00Z"}
    assert found["period"] == {"kind": "daily", **day}
    kinds = {block["type"] for section in found["sections"] for block in section["blocks"]}
    assert kinds == {"facts", "finding", "table", "line_chart", "timeline", "heat_map", "note"}
    with pytest.raises(ReportError, match="version 99"):
        read_document(json.dumps(found | {"schema_version": 99}).encode())
    with pytest.raises(ReportError, match="cannot be read"):
        read_document(b"[]")


def test_markdown_reads_well_as_it_is() -> None:
    """Verdict, figures, recommendations and tables, without references for mere punctuation."""
    text = render_markdown(sample.full()).decode()
    lines = text.splitlines()
    assert lines[0] == "# ✗ 92.5 % of 40 executions passed; 3 incidents, 2 still open"
    assert lines[2] == "shop · production · Thursday 12 Nov 2026 (UTC)"
    assert "- Executions: **40**" in lines
    assert "### ! order p95 rose from 2.1 s to 3.4 s since 12 Nov 14:20" in lines
    assert "- shop 1.4 (commit a1b2c3d4e5) was deployed right before." in lines
    assert "    git show a1b2c3d4e5" in lines
    assert "### Messages that were not sent" in lines
    assert not re.search(r"&#(?!124|96|95|91|93|42|35|126)\d+;", text)


def test_text_becomes_neither_markdown_nor_html() -> None:
    """With hostile text everywhere only our own elements come out, and no link."""
    page = rendered(render_markdown(sample.hostile()).decode())
    assert tags(page) <= ALLOWED
    assert "javascript" not in "".join(re.findall(r'href="([^"]*)"', page))
    assert "</script><script>alert(1)</script>" in html.unescape(page)


def test_tables_in_markdown_keep_their_columns() -> None:
    """No bar and no line break of a text ends a cell."""
    page = rendered(render_markdown(sample.hostile()).decode())
    tables = re.findall(r"<table>(.*?)</table>", page, re.DOTALL)
    assert len(tables) > 12
    for table in tables:
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        assert len({len(re.findall(r"<t[hd]", row)) for row in rows}) == 1
    assert "\n|" not in html.unescape(re.sub(r"<[^>]+>", "", page))


@each
def test_csv_is_of_rows_as_wide_as_their_header(name: str) -> None:
    """As RFC 4180 has it: lines end in CR LF, quotes are doubled, a blank line between tables."""
    report = REPORTS[name]()
    for section in report.sections:
        try:
            document = render_csv(report, section.name)
        except ReportError:
            continue
        for table in document.decode().split("\r\n\r\n"):
            rows = read_csv(table.encode())
            assert len({len(row) for row in rows}) == 1
        assert b"\n" not in re.sub(rb"\r\n", b"", re.sub(rb'"[^"]*"', b"", document))
        assert document.endswith(b"\r\n")


def test_csv_holds_raw_values_with_their_units() -> None:
    """What a program reads: milliseconds, shares, instants in UTC."""
    header, *rows = read_csv(render_csv(sample.full()))
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert [it["workflow"] for it in found] == ["order", "login"]
    assert found[0]["availability_share"] == "0.85"
    assert float(found[0]["p50_ms"]) == pytest.approx(1_500, rel=0.006)
    errors = read_csv(render_csv(sample.full(), "errors"))
    assert errors[1][errors[0].index("first")] == "2026-11-12T02:00:00+00:00"


def test_csv_defuses_formulas() -> None:
    """A spreadsheet shows the text instead of running it."""
    rows = read_csv(render_csv(sample.hostile()))
    assert rows[1][0] == f"'{sample.EVIL_NAME}"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_every_beginning_of_a_formula_is_defused(start: str) -> None:
    """Numbers stay numbers."""
    table = Table(
        name="t",
        columns=(Column(key="a", label="A"), Column(key="b", label="B", form=Form.NUMBER)),
        rows=((f"{start}1+1", -5.0),),
    )
    report = msgspec.structs.replace(
        sample.quiet(),
        sections=(msgspec.structs.replace(sample.quiet().sections[0], name="x", blocks=(table,)),),
    )
    assert read_csv(render_csv(report, "x"))[1] == [f"'{start}1+1", "-5.0"]


def test_csv_of_charts_is_what_they_show() -> None:
    """A section without a table of its own has that of its chart."""
    rows = read_csv(render_csv(sample.full(), "hours"))
    assert rows[0][:3] == ["day", "h0", "h1"]
    assert rows[-1][1] == "0 of 12"


def test_a_section_without_table_is_told_in_a_sentence() -> None:
    """With the names of those that have one."""
    with pytest.raises(ReportError, match=r"no table of 'silenced'; it has those of: .*workflows"):
        render_csv(sample.quiet(), "silenced")


def test_instants_are_said_in_the_zone_of_the_report() -> None:
    """In all formats that people read; programs get UTC."""
    report = sample.full()
    berlin = msgspec.structs.replace(
        report, period=msgspec.structs.replace(report.period, timezone="Europe/Berlin")
    )
    assert "| 12 Nov 03:00 | 12 Nov 04:00 |" in render_markdown(berlin).decode()
    assert b"2026-11-12T02:00:00+00:00" in render_csv(berlin, "errors")
