"""The page of a report over a period: safe, readable, sortable, printable, in a real browser."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor.report.period import render_html
from tests.report.period import sample
from tests.report.test_page_layout import CONTRAST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from pytest_workflow_monitor.words.period_report import PeriodReport
    from tests.report.conftest import Reader

    Open = Callable[..., Page]

REPORTS = {"full": sample.full, "quiet": sample.quiet, "hostile": sample.hostile}
FOREIGN = """() => ({
  scripts: document.querySelectorAll("script").length,
  elements: document.querySelectorAll("img, iframe, object, embed, form, base, b").length,
  handlers: [...document.querySelectorAll("*")].filter(
    node => [...node.attributes].some(item => item.name.startsWith("on"))).length,
  styles: document.querySelectorAll("[style]").length,
  links: [...new Set([...document.querySelectorAll("a")].map(node => node.protocol))],
})"""


@pytest.fixture
def show(reader: Reader, tmp_path: Path) -> Open:
    """Open a report in a page."""

    def opened(report: PeriodReport, **options: Any) -> Page:
        path = tmp_path / "period.html"
        path.write_bytes(render_html(report))
        return reader.open(path.as_uri(), **options)

    return opened


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_hostile_text_makes_no_elements(show: Open, *, java_script_enabled: bool) -> None:
    """Names, errors and reasons with markup stay text; no link leads to a script."""
    page = show(sample.hostile(), java_script_enabled=java_script_enabled)
    assert page.evaluate(FOREIGN) == {
        "scripts": 2, "elements": 0, "handlers": 0, "styles": 0, "links": ["file:"],
    }  # fmt: skip
    expect(page.locator("main")).to_contain_text("</script><script>alert(1)</script>")
    expect(page.locator("main")).to_contain_text("{{ 7*7 }}")
    assert "\x1b" not in page.locator("main").inner_text()


def test_the_policy_admits_only_the_page_itself() -> None:
    """Style and scripts are named by their hashes, and nothing is asked of the network."""
    for made in REPORTS.values():
        text = render_html(made()).decode()
        found = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
        assert found
        policy = found[1].replace("&#39;", "'")
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert len(re.findall(r"'sha256-[A-Za-z0-9+/]{43}='", policy)) == 3
        assert " style=" not in text.split("<body", 1)[1]
        assert not re.search(r'(?:src|href)="(?!#)', text)


@pytest.mark.parametrize("width", [390, 768, 1280, 2560])
@pytest.mark.parametrize("name", REPORTS)
def test_no_screen_scrolls_sideways(show: Open, width: int, name: str) -> None:
    """Wide tables and commands scroll inside of themselves."""
    page = show(REPORTS[name](), viewport={"width": width, "height": 800})
    for closed in page.locator("details > summary").all():
        closed.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [390, 1280])
def test_texts_in_tables_have_room(show: Open, width: int) -> None:
    """Short ones stay on one line, longer ones have a line of some words."""
    page = show(sample.full(), viewport={"width": width, "height": 800})
    heights = page.locator("td.tight").evaluate_all(
        "nodes => nodes.map(node => node.getClientRects().length && node.offsetHeight)"
    )
    lines = page.locator("td.tight").evaluate_all(
        "nodes => nodes.map(node => getComputedStyle(node).whiteSpace)"
    )
    assert heights
    assert set(lines) == {"nowrap"}
    least = page.locator("td.roomy").evaluate_all(
        "nodes => Math.min(...nodes.map(node => node.clientWidth))"
    )
    assert least >= 150


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast(show: Open, theme: str) -> None:
    """Every text reaches 4.5 to 1 against what is behind it (WCAG 2.2 AA)."""
    page = show(sample.full(), color_scheme=theme)
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("name", REPORTS)
def test_structure_is_there_for_those_who_do_not_see_it(show: Open, name: str) -> None:
    """Landmarks, headings without gaps, names of controls and pictures, ids, headers of tables."""
    page = show(REPORTS[name]())
    for landmark in ("main", "banner", "contentinfo", "navigation"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    levels = page.locator("h1, h2, h3, h4").evaluate_all(
        "nodes => nodes.map((node) => Number(node.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    unnamed = page.locator("button, a, summary, [role=img], [role=region]").evaluate_all(
        """nodes => nodes.filter((node) => !(node.textContent.trim() || node.ariaLabel))
             .map((node) => node.outerHTML)"""
    )
    assert unnamed == []
    ids = page.locator("[id]").evaluate_all("nodes => nodes.map((node) => node.id)")
    assert len(ids) == len(set(ids))
    bare = page.locator("table").evaluate_all(
        "nodes => nodes.filter(node => !node.querySelector('th[scope=col]')).length"
    )
    assert bare == 0


def test_every_chart_has_its_numbers_as_a_table(show: Open) -> None:
    """For those who cannot see it; the timeline's are the table of incidents below it."""
    page = show(sample.full(), java_script_enabled=False)
    for chart in page.locator("figure.chart").all():
        after = chart.evaluate("node => node.nextElementSibling.matches('.numbers, .wide')")
        assert after
    page.locator("#overview .numbers summary").click()
    expect(page.locator("#overview .numbers tbody tr").first).to_be_visible()


def test_tables_are_sorted_by_keyboard(show: Open) -> None:
    """The headings are buttons: values sort as numbers, again the other way, and it is said."""
    page = show(sample.full())
    table = page.locator("#workflows table")
    button = table.get_by_role("button", name="p95", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    heading = table.get_by_role("columnheader", name="p95", exact=True)
    expect(heading).to_have_attribute("aria-sort", "ascending")
    names = table.locator("tbody th")
    expect(names).to_have_text(["login", "order"])
    page.keyboard.press("Space")
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(names).to_have_text(["order", "login"])


def test_everything_is_readable_without_scripts(show: Open) -> None:
    """Verdict, what to do, every section; only the theme and the sorting are missing."""
    page = show(sample.full(), java_script_enabled=False)
    expect(page.locator("h1")).to_contain_text("92.5 % of 40 executions passed; 3 incidents")
    expect(page.locator("#theme")).to_be_hidden()
    expect(page.locator(".finding")).to_have_count(7)
    expect(page.locator("main > section")).to_have_count(13)
    expect(page.locator(".grid thead button")).to_have_count(0)


def test_sections_with_several_tables_name_them(show: Open) -> None:
    """Else one would not know which is which; a table alone is what its section is."""
    page = show(sample.full())
    assert page.locator("#silenced h3").all_inner_texts() == [
        "Silences", "Alerts of which nobody was told", "Messages that were not sent",
    ]  # fmt: skip
    expect(page.locator("#errors h3")).to_have_count(0)


def test_time_axes_end_with_a_label(show: Open) -> None:
    """One knows up to when a chart goes."""
    page = show(sample.full())
    last = page.locator("#overview .x-axis text").last
    expect(last).to_have_text("12 Nov")
    expect(last).to_have_attribute("x", "100.0%")
    narrow = show(sample.full(), viewport={"width": 390, "height": 800})
    boxes = [it.bounding_box() for it in narrow.locator("#overview .x-axis text:visible").all()]
    places = sorted((it["x"], it["x"] + it["width"]) for it in boxes if it and it["width"])
    assert all(end < begin for (_, end), (begin, _) in pairwise(places))


def test_paper_is_black_on_white_and_whole(show: Open) -> None:
    """No controls, no closed details, no scrolled table that is cut."""
    page = show(sample.full(), color_scheme="dark", viewport={"width": 690, "height": 980})
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    for hidden in (".topline button", ".contents", ".numbers"):
        expect(page.locator(hidden).first).to_be_hidden()
    cut = page.locator(".wide").evaluate_all(
        "nodes => nodes.filter(node => getComputedStyle(node).overflowX !== 'visible').length"
    )
    assert cut == 0
    wider = page.locator("table:visible").evaluate_all(
        "nodes => nodes.filter(node => node.scrollWidth > 690).map(node => node.scrollWidth)"
    )
    assert wider == []
    assert page.pdf(format="A4").startswith(b"%PDF")
