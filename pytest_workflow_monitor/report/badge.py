"""A badge as SVG, for a README or a wall: one file, no network, both themes."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import jinja2

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.report.cases import readable
from pytest_workflow_monitor.report.files import write_atomically
from pytest_workflow_monitor.report.guard import checked

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.analysis.badges import Badge

MAX_LABEL = 60
FONT_SIZE = 11
PADDING = 8
BOLD = 1.06
"""How much wider bold text is."""

_NARROW, _WIDE, _DIGITS = frozenset("fijlrtI.,:;'|![]() -"), frozenset("mwMWOQG@%✓✗"), 0.58
_COLOUR = re.compile(r"--([a-z-]+): light-dark\((#\w+), (#\w+)\);")


def render_badge(badge: Badge) -> bytes:
    """Render a badge as SVG."""
    label = wording.cut(known.text(readable(badge.label)), MAX_LABEL)
    message = f"{wording.STATUS_MARKS[badge.status]} {badge.message}"
    left, right = _width(label) + 2 * PADDING, _width(message, BOLD) + 2 * PADDING
    light, dark = _colours()
    text = _template().render(
        label=label,
        message=message,
        said=f"{label}: {badge.message}",
        status=badge.status.value,
        left=left,
        right=right,
        padding=PADDING,
        font_size=FONT_SIZE,
        light=light,
        dark=dark,
    )
    return checked(text.encode())


def write_badge(badge: Badge, path: Path) -> None:
    """Write a badge, whole or not at all; parents are created.

    Raises:
        ReportError: The file cannot be written.
    """
    write_atomically(path, render_badge(badge))


def _width(text: str, factor: float = 1.0) -> int:
    """Guess how wide text is; the picture stretches it to that, whatever the reader's font."""
    return round(sum(map(_em, text)) * FONT_SIZE * factor)


def _em(character: str) -> float:
    if character in _NARROW:
        return 0.32
    if character in _WIDE:
        return 0.86
    if ord(character) > 0x2E7F:  # noqa: PLR2004 - from here on scripts of square characters
        return 1.0
    return 0.68 if character.isupper() else _DIGITS


@cache
def _colours() -> tuple[dict[str, str], dict[str, str]]:
    """Read the colours of every page of ours, for light and dark."""
    tokens = (files("pytest_workflow_monitor.report") / "assets/tokens.css").read_text("utf-8")
    found = _COLOUR.findall(tokens)
    return {name: it for name, it, _ in found}, {name: it for name, _, it in found}


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.PackageLoader("pytest_workflow_monitor.report"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("badge.svg.j2")
