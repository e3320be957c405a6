"""The report without a mouse, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.plugin.stored import until
from tests.report import sample

if TYPE_CHECKING:
    from tests.report.conftest import Show


def test_slash_filters_and_escape_clears(show: Show) -> None:
    """`/` goes to the filter without typing itself; Escape empties the filter and leaves it."""
    page = show(sample.six())
    page.keyboard.press("/")
    search = page.get_by_label("Filter by text")
    expect(search).to_be_focused()
    page.keyboard.type("farm j/k")
    expect(search).to_have_value("farm j/k")
    page.keyboard.press("Escape")
    expect(search).to_have_value("")
    expect(search).not_to_be_focused()
    expect(page.locator(".row")).to_have_count(6)


def test_j_and_k_move_through_cases_and_rows(show: Show) -> None:
    """J goes down through what needs attention and on into the table, k goes back up."""
    page = show(sample.six())
    for _ in range(3):
        page.keyboard.press("j")
    expect(page.locator(".case summary").nth(2)).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(".row a").first).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(".row a").nth(1)).to_be_focused()
    for _ in range(2):
        page.keyboard.press("k")
    expect(page.locator(".case summary").nth(2)).to_be_focused()


def test_enter_opens_and_escape_closes_a_case(show: Show) -> None:
    """The focus returns to the row of the case."""
    page = show(sample.six())
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".case .panel").first).to_be_visible()
    page.locator(".case").first.get_by_role("button", name="Copy link").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".case .panel").first).to_be_hidden()
    expect(page.locator(".case summary").first).to_be_focused()


def test_enter_opens_and_escape_closes_a_row(show: Show) -> None:
    """The focus returns to the row."""
    page = show(sample.all_pass())
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#rows .panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#rows .panel")).to_have_count(0)
    expect(page.locator(".row a").nth(1)).to_be_focused()


def test_keys_walk_through_rows_that_are_not_in_the_document_yet(show: Show) -> None:
    """Each j brings the next of 1,000 rows into the document and into view."""
    page = show(sample.many(1_000, failed_share=0), viewport={"width": 800, "height": 400})
    for _ in range(60):
        page.keyboard.press("j")
    focused = page.locator(":focus")
    expect(focused).to_be_in_viewport()
    assert focused.evaluate("node => node.closest('.row').dataset.position") == "59"


def test_focus_is_visible(show: Show) -> None:
    """Whatever the keyboard reaches has an outline."""
    page = show(sample.six())
    for _ in range(12):
        page.keyboard.press("Tab")
        outline = page.locator(":focus").evaluate(
            "node => getComputedStyle(node).outlineStyle + getComputedStyle(node).outlineWidth"
        )
        assert outline == "solid2px"


def test_the_theme_is_switched_and_remembered(show: Show) -> None:
    """The button goes from system to light to dark, and the next visit starts with it."""
    page = show(sample.all_pass(), color_scheme="light")
    button = page.locator("#theme")
    expect(button).to_have_text("Theme: system")
    button.click()
    button.click()
    expect(button).to_have_text("Theme: dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark == "rgb(15, 17, 20)"

    def next_visit() -> bool:
        page.reload()
        page.wait_for_selector("html[data-ready]")
        return button.text_content() == "Theme: dark"

    until(next_visit)  # the browser stores it when it has time
    button.click()
    expect(button).to_have_text("Theme: system")
