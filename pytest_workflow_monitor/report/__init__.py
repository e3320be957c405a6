"""Turns a session's document into HTML, JSON and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.report.ctrf import render_ctrf, write_ctrf
from pytest_workflow_monitor.report.files import write_atomically
from pytest_workflow_monitor.report.json import render_json, write_json
from pytest_workflow_monitor.report.markdown import append_markdown, render_markdown

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.analysis.gate import Verdict
    from pytest_workflow_monitor.model import SessionDocument

__all__ = [
    "append_markdown",
    "render_ctrf",
    "render_html",
    "render_json",
    "render_markdown",
    "write_ctrf",
    "write_html",
    "write_json",
]


def write_html(
    document: SessionDocument,
    path: Path,
    verdict: Verdict | None = None,
    *,
    state_path: Path,
    artifacts_http_url: str = "",
) -> None:
    """Write the HTML report of a session to ``path``, whole or not at all; parents are created.

    The gate's verdict is part of it, if there is one. Pictures and text attached to executions that
    need attention are embedded from ``state_path``, the state directory, as far as the budgets go.
    Where artifacts can be fetched from ``artifacts_http_url`` followed by their path, traces have a
    link that opens them.

    Raises:
        ReportError: The file cannot be written.
    """
    content = render_html(
        document, verdict, state_path=state_path, artifacts_http_url=artifacts_http_url
    )
    write_atomically(path, content)


def render_html(
    document: SessionDocument,
    verdict: Verdict | None = None,
    *,
    state_path: Path | None = None,
    artifacts_http_url: str = "",
) -> bytes:
    """Render the HTML report of a session; without ``state_path`` no file is embedded.

    The template engine is imported here, so that the other formats do not pay for it.
    """
    from pytest_workflow_monitor.report import html

    return html.render_html(
        document, verdict, state_path=state_path, artifacts_http_url=artifacts_http_url
    )
