"""The report on every screen, on paper, without scripts and for everybody, in a real browser."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.report import sample

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from pytest_workflow_monitor.model import SessionDocument
    from tests.report.conftest import Reader, Show

WIDTHS = (390, 768, 1280, 2560)
DOCUMENTS = {"six": sample.six, "hostile": sample.hostile, "every status": sample.every_status}

# For each visible element with text of its own: its contrast with the background behind it.
CONTRAST = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((value) => value / 255)
    .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (node) => {
    for (let item = node; item; item = item.parentElement) {
      const colour = channels(getComputedStyle(item).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((item) => item.nodeType === 3 && item.data.trim());
    if (!own || !node.checkVisibility() || node.closest("svg, script, template")) continue;
    const [one, other] = [channels(getComputedStyle(node).color), behind(node)].map(light);
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.push(`${node.className}: ${node.textContent.slice(0, 40)} ${ratio}`);
  }
  return found;
}"""

# Each visible element whose text is wider or higher than itself and hidden beyond that.
CUT = """() => [...document.querySelectorAll("main *, header *")]
  .filter((node) => node.checkVisibility() && !node.closest("svg, .unseen"))
  .filter((node) => getComputedStyle(node).overflow !== "visible" && node.textContent.trim())
  .filter((node) => node.scrollWidth > node.clientWidth || node.scrollHeight > node.clientHeight)
  .map((node) => `${node.className}: ${node.textContent.slice(0, 60)}`)"""


def open_everything(page: Page) -> None:
    """Open the first case and the last row."""
    page.locator(".case > summary").first.click()
    expect(page.locator(".case .panel")).to_have_count(1)
    page.locator(".row a").last.click()
    expect(page.locator("#rows .panel")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_screen_scrolls_sideways(show: Show, width: int, name: str) -> None:
    """From a phone to a wall the page fits, also with executions open and hostile text."""
    document: SessionDocument = DOCUMENTS[name]()
    page = show(document, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    open_everything(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast(show: Show, theme: str) -> None:
    """Every text reaches 4.5 to 1 against what is behind it, in both themes (WCAG 2.2 AA)."""
    page = show(sample.every_status(), color_scheme=theme)
    open_everything(page)
    page.mouse.move(0, 0)
    assert page.evaluate(CONTRAST) == []


def test_paper_is_black_on_white_with_what_is_open(show: Show) -> None:
    """In print the dark theme is light, controls are gone, and open executions are there."""
    page = show(sample.six(), color_scheme="dark")
    open_everything(page)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    expect(page.locator("#toolbar")).to_be_hidden()
    expect(page.locator("#theme")).to_be_hidden()
    expect(page.locator(".case .panel")).to_be_visible()
    expect(page.locator("#rows .panel")).to_be_visible()


def test_paper_cuts_nothing_and_has_no_handles(show: Show) -> None:
    """On paper nobody can open or hover: text is whole, and what is closed leaves no trace."""
    page = show(sample.six(), viewport={"width": 690, "height": 980})
    open_everything(page)
    page.emulate_media(media="print")
    assert page.evaluate(CUT) == []
    for closed in page.locator(".panel details:not([open]), .about:not([open])").all():
        expect(closed).to_be_hidden()


def test_everything_that_matters_is_readable_without_scripts(show: Show) -> None:
    """Verdict, cases with error, steps and metrics, and the first rows are plain HTML."""
    page = show(sample.six(), java_script_enabled=False)
    expect(page.locator("h1")).to_have_text("3 of 6 workflows need attention")
    expect(page.locator("#toolbar")).to_be_hidden()
    expect(page.locator("#theme")).to_be_hidden()
    expect(page.locator(".row")).to_have_count(6)
    expect(page.locator(".facts time")).to_have_text("12 Nov 14:20 UTC")
    page.locator(".case > summary").first.click()
    body = page.locator(".case-body").first
    expect(body.locator(".failure")).to_contain_text("Service unavailable")
    expect(body).to_contain_text("workflows/pages/shop.py:112")
    expect(body.locator(".waterfall tbody tr")).to_have_count(8)
    metric = body.locator(".metrics tbody tr").first
    assert metric.inner_text().split() == ["checkout_ms", "6.0", "s", "beyond", "3.0", "s"]
    expect(body).to_contain_text("attempt 1: failed, attempt 2: failed")
    expect(body.get_by_role("link", name="Runbook")).to_be_visible()


def test_two_hundred_failures_are_readable_without_scripts(show: Show) -> None:
    """Of 10,000 executions all 200 failures are written out, most of them folded away."""
    page = show(sample.many(10_000), java_script_enabled=False)
    expect(page.locator(".case")).to_have_count(200)
    expect(page.locator(".more .case").first).to_be_hidden()
    page.locator(".more > summary").click()
    page.locator(".more .case > summary").last.click()
    expect(page.locator(".more .failure").last).to_contain_text("rows, got")
    expect(page.get_by_text("9,940 more workflows are in this file.")).to_be_visible()


def test_more_failures_than_fit_are_counted(show: Show) -> None:
    """Beyond 200 the page says how many are only in the table."""
    page = show(sample.many(300, failed_share=1))
    expect(page.locator(".case")).to_have_count(200)
    expect(page.get_by_text("100 more need attention.")).to_be_visible()


def test_an_old_browser_reads_the_plain_page(reader: Reader) -> None:
    """Where the data cannot be decompressed, the page stays as it is without scripts."""
    written = reader.show(sample.six())
    page = reader.open(written.url, before="delete window.DecompressionStream")
    page.wait_for_function("() => !document.documentElement.classList.contains('live')")
    expect(page.locator("#toolbar")).to_be_hidden()
    expect(page.locator(".row")).to_have_count(6)
    page.locator(".case > summary").first.click()
    expect(page.locator(".case-body .failure").first).to_be_visible()


def test_structure_is_there_for_those_who_do_not_see_it(show: Show) -> None:
    """One main landmark and heading, no level skipped, every control named, ids unique."""
    page = show(sample.six())
    open_everything(page)
    for landmark in ("main", "banner", "contentinfo", "search"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    levels = page.locator("h1, h2, h3, h4").evaluate_all(
        "nodes => nodes.map((node) => Number(node.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    unnamed = page.locator("button, select, input, a, [role=img]").evaluate_all(
        """nodes => nodes.filter((node) => !(node.textContent.trim() || node.ariaLabel
             || node.labels?.length)).map((node) => node.outerHTML)"""
    )
    assert unnamed == []
    ids = page.locator("[id]").evaluate_all("nodes => nodes.map((node) => node.id)")
    assert len(ids) == len(set(ids))
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(".row").first.get_by_role("cell")).to_have_count(7)
    expect(page.locator(".columns").get_by_role("columnheader")).to_have_count(7)
