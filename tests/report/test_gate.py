"""The gate's verdict on a job's page, read back by a Markdown parser."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt

from pytest_workflow_monitor.analysis.gate import (
    Ending,
    Finding,
    Novelty,
    OnBase,
    Reason,
    Rule,
    Unjudged,
    Verdict,
)
from pytest_workflow_monitor.model import Priority, Status
from pytest_workflow_monitor.report import render_html, render_markdown
from pytest_workflow_monitor.report.gate import gate_parts
from tests.report import sample

ON_MAIN = OnBase(
    workflow_id="order",
    executions=12,
    last_status=Status.PASSED,
    last_at=sample.STARTED_AT,
)


def finding(**fields: Any) -> Finding:
    """Return a failure of a workflow of high priority, or what is given."""
    defaults: dict[str, Any] = {
        "workflow_id": "order",
        "name": "Order",
        "priority": Priority.HIGH,
        "status": Status.FAILED,
        "message": "declined",
    }
    return Finding(**(defaults | fields))


def verdict(*findings: Finding, **fields: Any) -> Verdict:
    defaults: dict[str, Any] = {
        "exit_status": 1,
        "passed": False,
        "base_branch": "main",
        "excuse_environment": "production",
        "findings": findings,
        "ending": Ending(exit_status=1),
    }
    return Verdict(**(defaults | fields))


def shown(judged: Verdict) -> str:
    """Render as GitHub would, and keep the text."""
    page = MarkdownIt("commonmark", {"html": True}).render("".join(gate_parts(judged)))
    assert set(re.findall(r"<([a-z][a-z0-9]*)", page)) <= {
        *("h3", "p", "strong", "b", "ul", "li", "code", "blockquote")
    }
    return html.unescape(re.sub(r"<[^>]+>", "", page))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "✗ Gate failed: exit code 1"),
        ({"ending": Ending(exit_status=0)}, "✗ Gate failed: exit code 1 instead of 0"),
        ({"passed": True, "exit_status": 0}, "✓ Gate passed: exit code 0 instead of 1"),
        (
            {"passed": True, "exit_status": 0, "ending": Ending(exit_status=0)},
            "✓ Gate passed: exit code 0",
        ),
        (
            {"is_judged": False, "exit_status": 2, "ending": Ending(exit_status=2)},
            "– Gate: not judged, pytest ended with exit code 2",
        ),
    ],
)
def test_the_headline_is_the_verdict_and_the_exit_code(fields: dict[str, Any], said: str) -> None:
    """And what pytest's would have been, if it is another."""
    assert shown(verdict(**fields)).splitlines()[0] == said


def full() -> Verdict:
    """A verdict with something of everything."""
    failing = OnBase(
        workflow_id="login",
        executions=3,
        failures=2,
        last_status=Status.TIMED_OUT,
        last_at=sample.STARTED_AT,
    )
    return verdict(
        finding(novelty=Novelty.NEW, base=ON_MAIN),
        finding(name="Login", novelty=Novelty.KNOWN, base=failing),
        finding(name="Search", novelty=Novelty.NEW, is_flaky=True, status=Status.PASSED),
        finding(name="News", novelty=Novelty.NEW, excused_at=sample.STARTED_AT),
        reasons=(Reason(rule=Rule.FAILURES, said="2 high workflows fail, 0 allowed"),),
        unjudged=(Unjudged(rules=("max_p95_ratio",), why="few passes"),),
        ending=Ending(exit_status=1, others_failed=1, others=("test_a.py::test_x",)),
    )


def test_reasons_come_first_then_what_is_new_known_and_excused() -> None:
    """Each error stands in one of these lists, with how the base branch does."""
    text = shown(full())
    at = "12 Nov 2025 14:20:05 UTC"
    assert [line for line in text.splitlines() if line] == [
        "✗ Gate failed: exit code 1",
        "1 failure outside of workflows: test_a.py::test_x",
        "2 high workflows fail, 0 allowed",
        "New against main",
        f"✗ Order (high): declined · passes there: 12 executions, the last one {at}",
        "~ Search (high, masked by a retry): declined · no executions there",
        "Known on main",
        f"✗ Login (high): declined · 2 of 3 executions failed there, the last one timed out {at}",
        "Excused: fails in production too",
        f"✗ News (high): declined · last seen there {at}",
        "Not judged: max_p95_ratio (few passes)",
    ]


def test_text_of_tests_is_only_text() -> None:
    """Whatever it looks like."""
    text = shown(
        verdict(
            finding(name=sample.HOSTILE, message=sample.HOSTILE, novelty=Novelty.NEW),
            base_branch="`<b>*x*",
            reasons=(Reason(rule=Rule.NEW_ERRORS, said=sample.HOSTILE),),
        )
    )
    assert "New against `<b>*x*" in text
    assert text.count("<script>alert(1)</script>") >= 2


def test_many_errors_are_cut() -> None:
    """A page has no room for all."""
    text = shown(verdict(*(finding(novelty=Novelty.NEW) for _ in range(25))))
    assert text.count("declined") == 20
    assert "and 5 more" in text


def test_it_stands_between_the_verdict_of_the_session_and_its_table() -> None:
    """Without a gate, nothing is said of one."""
    text = render_markdown(sample.six(), verdict(finding(novelty=Novelty.NEW)))
    assert text.index("## ✗ 3 of 6") < text.index("### ✗ Gate failed") < text.index("| Status |")
    assert "Gate" not in render_markdown(sample.six())


def test_the_page_says_the_same_before_what_needs_attention() -> None:
    """In the same order, and what tests said is only text there, too."""
    page = render_html(sample.six(), full()).decode()
    words = (
        "Gate failed: exit code 1",
        "test_a.py::test_x",
        "2 high workflows fail",
        "New against",
        "passes there: 12 executions",
        "masked by a retry",
        "Known on",
        "2 of 3 executions failed there",
        "Excused: fails in",
        "last seen there",
        "Not judged: max_p95_ratio",
        "Needs attention",
    )
    places = [page.index(it) for it in words]
    assert places == sorted(places)
    hostile = finding(name=sample.HOSTILE, message=sample.HOSTILE, novelty=Novelty.NEW)
    assert "<script>alert(1)" not in render_html(sample.six(), verdict(hostile)).decode()
    assert "Gate" not in render_html(sample.six()).decode()
