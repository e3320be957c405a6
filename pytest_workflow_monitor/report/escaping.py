"""Text of tests in Markdown: shown as it is, never Markdown or HTML itself."""

from __future__ import annotations

import html
import re

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.report.cases import readable

MAX_CELL = 200
_SPECIAL = {ord(character): f"&#{ord(character)};" for character in "\\`*_{}[]#|~"} | {
    ord("@"): "@<!-- -->",  # keeps names from being mentioned and addresses from being links
    ord("\n"): " ",
    ord("\r"): " ",
}
_NAME = re.compile(r"(?<!\d):(?=//|[\w+-]+:)|(?<=\bwww)\.", re.IGNORECASE)
"""What makes an address or an emoji; all other colons and full stops are only that."""

_START = re.compile(r"^(?:[-+](?=\s|$)|\d+[.)](?=\s|$)|-(?=-*$)|=(?==*$))")
"""What would begin a list, or underline a heading, where a line begins."""


def escaped(text: str, *, limit: int = MAX_CELL) -> str:
    """Write text of a test so that Markdown and HTML show it as it is, on one line."""
    shown = html.escape(wording.cut(readable(text).strip(), limit), quote=False)
    shown = _NAME.sub(_by_number, shown.translate(_SPECIAL))
    return _START.sub(_by_number, shown)


def _by_number(found: re.Match[str]) -> str:
    """Write the last character of what was found as a reference."""
    return f"{found[0][:-1]}&#{ord(found[0][-1])};"
