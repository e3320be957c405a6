"""Badges as pictures: well-formed, told to those who cannot see them, readable in both themes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from pytest_workflow_monitor.analysis.badges import Badge
from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.report.badge import render_badge, write_badge

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report.conftest import Reader

SVG = "{http://www.w3.org/2000/svg}"
PASSING = Badge(label="user-login", message="passing 99.8 % 30 d", status=Status.PASSED)
FAILING = Badge(label="shop", message="2 of 6 failing 98.1 % 30 d", status=Status.FAILED)
HOSTILE = Badge(
    label="<script>alert(1)</script>\"'&\x00" + "m" * 100, message="no data", status=Status.SKIPPED
)


def parsed(badge: Badge) -> ET.Element:
    """Render and read back."""
    return ET.fromstring(render_badge(badge))  # noqa: S314 - our own text


def luminance(colour: str) -> float:
    """Compute the relative luminance of WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Compute the contrast of WCAG 2.2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_a_badge_says_itself_to_everybody() -> None:
    """As a picture with a title, and as text with a mark beside its colour."""
    root = parsed(PASSING)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "user-login: passing 99.8 % 30 d"
    assert root.findtext(f"{SVG}title") == "user-login: passing 99.8 % 30 d"
    assert [it.text for it in root.iter(f"{SVG}text")] == ["user-login", "✓ passing 99.8 % 30 d"]
    assert "✗ 2 of 6" in "".join(parsed(FAILING).itertext())


@pytest.mark.parametrize("status", [Status.PASSED, Status.DEGRADED, Status.FAILED, Status.SKIPPED])
def test_text_has_contrast_in_both_themes(status: Status) -> None:
    """AA: 4.5 to 1 at least, for label and message."""
    svg = render_badge(Badge(label="a", message="b", status=status)).decode()
    themes = svg.split("prefers-color-scheme:dark")
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"\.(\w+)\{fill:(#\w{6})\}", theme))
        assert contrast(colours["name"], colours["label"]) >= 4.5
        assert contrast(colours["said"], colours["status"]) >= 4.5


def test_what_is_in_a_label_is_text() -> None:
    """Shown as it is, cut when it is long, and never part of the picture's code."""
    root = parsed(HOSTILE)
    assert {it.tag.removeprefix(SVG) for it in root.iter()} == {
        *("svg", "title", "style", "clipPath", "rect", "g", "text")
    }
    (label, _) = [it.text or "" for it in root.iter(f"{SVG}text")]
    assert label.startswith("<script>alert(1)</script>")
    assert len(label) == 60


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    """Folders are made."""
    write_badge(PASSING, tmp_path / "new" / "login.svg")
    assert (tmp_path / "new" / "login.svg").read_bytes() == render_badge(PASSING)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_without_asking_for_anything(
    reader: Reader, tmp_path: Path, scheme: str
) -> None:
    """By itself and inside a page; its text stays inside its box."""
    write_badge(FAILING, tmp_path / "badge.svg")
    page = reader.open(
        (tmp_path / "badge.svg").as_uri(), color_scheme=scheme, java_script_enabled=False
    )
    boxes = page.locator("text").evaluate_all("all => all.map(it => it.getBBox().width)")
    widths = [float(it.attrib["textLength"]) for it in parsed(FAILING).iter(f"{SVG}text")]
    assert boxes == pytest.approx(widths, abs=2)
