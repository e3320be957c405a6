"""Text of tests in Markdown: shown as it is, never Markdown or HTML itself."""

from __future__ import annotations

import html

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.report.cases import readable

MAX_CELL = 200
_SPECIAL = {ord(character): f"&#{ord(character)};" for character in "\\`*_{}[]()#+!|~:"} | {
    ord("@"): "@<!-- -->",  # keeps names from being mentioned and addresses from being links
    ord("\n"): " ",
    ord("\r"): " ",
}


def escaped(text: str, *, limit: int = MAX_CELL) -> str:
    """Write text of a test so that Markdown and HTML show it as it is, on one line."""
    shown = html.escape(wording.cut(readable(text).strip(), limit), quote=False)
    return shown.translate(_SPECIAL)
