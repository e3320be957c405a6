"""The summary of a session for a job's page, read back by a Markdown parser."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from pytest_workflow_monitor.errors import ReportError
from pytest_workflow_monitor.report import append_markdown, render_markdown
from pytest_workflow_monitor.report.escaping import escaped
from pytest_workflow_monitor.report.markdown import LIMIT_BYTES
from tests.report import sample

if TYPE_CHECKING:
    from pathlib import Path

ALLOWED = {
    *("h2", "p", "strong", "b", "a", "table", "thead", "tbody", "tr", "th", "td"),
    *("details", "summary", "pre", "ul", "li", "blockquote"),
}


def rendered(markdown: str) -> str:
    """Render as GitHub would: CommonMark with tables, HTML allowed."""
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


def tags(page: str) -> set[str]:
    """Name the elements of a page."""
    return set(re.findall(r"<([a-z][a-z0-9]*)", page))


def test_the_verdict_is_first() -> None:
    """The first line is a heading that says how the session went."""
    text = render_markdown(sample.six())
    assert text.startswith("## ✗ 3 of 6 workflows need attention\n\n**farmers-market** production")
    assert "1 failed, 1 degraded, 1 flaky, 3 passed" in text
    assert render_markdown(sample.all_pass()).startswith("## ✓ All 6 workflows pass\n")
    assert render_markdown(sample.document()).startswith("## – No workflows ran\n")


def test_the_table_has_every_workflow_of_a_small_session() -> None:
    """What needs attention comes first, with step and error, then what passed."""
    page = rendered(render_markdown(sample.six()))
    cells = [html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", page)]
    assert cells[:7] == [
        "✗ Failed",
        "Order placement",
        'Pay › Submit the card: expected "Thank you", got "Service unavailable"',
        "9.8 s",
        "4.1 s",
        "critical",
        "shop-team",
    ]
    assert len(cells) == 6 * 7


def test_details_of_what_needs_attention_are_folded() -> None:
    """Each has its error, its place and its steps inside <details>."""
    page = rendered(render_markdown(sample.six()))
    folded = re.findall(r"<details>(.*?)</details>", page, re.DOTALL)
    assert len(folded) == 3
    assert "workflows/pages/shop.py:112" in folded[0]
    assert "✗      6.0 s    Submit the card" in folded[0]
    assert "failing since 13:40 (3 runs) · normally 4.1 s, now 9.8 s" in html.unescape(folded[0])
    assert '<a href="https://wiki.example.com/runbooks/orders">Runbook</a>' in folded[0]


def test_text_of_tests_becomes_neither_markdown_nor_html() -> None:
    """With hostile text everywhere only our own elements come out, and no foreign link."""
    page = rendered(render_markdown(sample.hostile()))
    assert tags(page) <= ALLOWED
    assert "javascript" not in "".join(re.findall(r'href="([^"]*)"', page))
    assert "</script><script>alert(1)</script>" in html.unescape(page)


@pytest.mark.parametrize(
    "text",
    [
        "# a",
        "* a",
        "[a](b)",
        "`a`",
        "a | b",
        "<b>",
        "~~a~~",
        "![a](b)",
        "a\nb\n\n# c",
        "\\*",
        "&lt;",
        "- a",
        "+ a",
        "1. a",
        "2) a",
        "---",
        "===",
        ":tada: https://a.example www.a.example",
        "10.5 s (14:20:05)!",
    ],
)
def test_escaped_text_reads_as_it_was(text: str) -> None:
    """A parser shows exactly the characters of the text, on one line."""
    for before in ("x ", "", "x\n"):
        page = rendered(f"{before}{escaped(text)}")
        shown = html.unescape(re.sub(r"</?p>", "", page)).strip()
        assert shown.replace("\n", " ") == f"{before}{text}".replace("\n", " ")


def test_what_needs_no_escape_has_none() -> None:
    """Times, brackets and full stops read well where nobody renders them."""
    for text in ("12 Nov 14:20:05 (UTC)", "Pay: no answer!", "+67 ms", "10.5 s", "a-b"):
        assert escaped(text) == text


def test_nobody_is_mentioned() -> None:
    """A name after @ is kept apart from it, so that no notice is sent."""
    assert escaped("@everyone") == "@<!-- -->everyone"


def test_the_limit_is_kept_and_told() -> None:
    """What does not fit is left out from the end; what is there is whole."""
    document = sample.many(1_000, failed_share=1)
    for limit in (2_000, 20_000, 300_000):
        text = render_markdown(document, limit_bytes=limit)
        assert len(text.encode()) <= limit
        assert text.endswith("this page has no room for it.\n")
        assert text.count("<details>") == text.count("</details>")
    assert len(render_markdown(sample.many(10_000, failed_share=1)).encode()) <= LIMIT_BYTES


def test_passes_of_a_large_session_are_only_counted() -> None:
    """A table of 10,000 rows helps nobody."""
    text = render_markdown(sample.many(1_000))
    assert "980 workflows more, not shown here." in text
    assert text.count("\n| ✓") == 0


def test_a_summary_is_added_within_the_room_that_is_left(tmp_path: Path) -> None:
    """What other steps wrote stays, and the whole file keeps the limit."""
    path = tmp_path / "summary.md"
    append_markdown(sample.six(), path)
    path.write_text("before\n" * 149_000)
    append_markdown(sample.many(1_000, failed_share=1), path)
    assert path.read_text().startswith("before\n")
    assert "1,000 of 1,000 workflows need attention" in path.read_text()
    assert path.stat().st_size <= LIMIT_BYTES
    path.write_bytes(b"x" * LIMIT_BYTES)
    append_markdown(sample.six(), path)
    assert path.stat().st_size == LIMIT_BYTES


def test_a_summary_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """The caller gets a ReportError."""
    with pytest.raises(ReportError, match="cannot be written"):
        append_markdown(sample.six(), tmp_path / "missing" / "summary.md")


def test_evidence_is_told_in_words(tmp_path: Path) -> None:
    """The failing step against its normal, budgets that were not kept, and what pages reported."""
    text = render_markdown(sample.six_with_evidence(tmp_path))
    assert "- Pay › Submit the card: normally 900 ms, now 6.0 s\n" in text
    assert "- lcp&#95;ms on /checkout: 4.3 s, beyond 2.5 s\n" in text
    assert "1 page error, 2 failed requests, 1 slow request" in text
    assert (
        "  3.7 s  failed request  POST https://market.example/api/orders → 503 after 5.9 s" in text
    )
