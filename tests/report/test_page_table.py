"""The table of all workflows: filters, order, links, and 10,000 rows, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor.analysis.summary import attention_order
from pytest_workflow_monitor.report import pictures, write_html
from pytest_workflow_monitor.report.page_data import Row, row_of
from tests.report import sample

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from pytest_workflow_monitor.model import SessionDocument
    from tests.report.conftest import Reader, Show


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of 10,000 executions once."""
    path = tmp_path_factory.mktemp("large") / "report.html"
    write_html(sample.many(10_000), path, state_path=path.parent)
    return path


def names(page: Page) -> list[str]:
    """Read the names in the table, from top to bottom."""
    return page.locator(".row .c-name a").all_inner_texts()


def test_rows_come_in_the_order_of_what_matters(show: Show) -> None:
    """Without a choice the table is ordered as attention is: worst and most important first."""
    assert names(show(sample.six())) == [
        "Order placement",
        "Product listing",
        "User login",
        "Health check",
        "User registration",
        "Farm creation",
    ]


def test_the_rows_written_out_are_the_rows_that_scripts_show(show: Show) -> None:
    """Nothing moves or changes when the script takes over from the plain page."""
    document = sample.six()
    plain = show(document, java_script_enabled=False)
    scripted = show(document)

    def rows(page: Page) -> list[str]:
        return [" ".join(text.split()) for text in page.locator(".row").all_inner_texts()]

    assert rows(plain) == rows(scripted)
    marks = "nodes => nodes.map(node => node.getAttribute('aria-label'))"
    assert scripted.locator(".row .strip").evaluate_all(marks) == [
        pictures.strip_words(row.recent) for row in ordered_rows(document)
    ]
    paths = "nodes => nodes.map(node => node.getAttribute('d'))"
    assert scripted.locator(".row .strip path").evaluate_all(paths) == [
        shape.path for row in ordered_rows(document) for shape in pictures.strip(row.recent)
    ]


def ordered_rows(document: SessionDocument) -> list[Row]:
    """Make the rows of a document in the order of the table."""
    ordered = sorted(document.executions, key=attention_order)
    return [row_of(execution, frozenset()) for execution in ordered]


def test_text_filters_names_errors_owners_and_tags(show: Show) -> None:
    """All words must occur, wherever in the row; the number found is said."""
    page = show(sample.six())
    search = page.get_by_label("Filter by text")
    for text, found in (
        ("registr", ["User registration"]),
        ("service unavailable", ["Order placement"]),
        ("catalogue-team", ["Product listing"]),
        ("checkout", ["Order placement"]),
        ("user identity", ["User login", "User registration"]),
    ):
        search.fill(text)
        expect(page.locator("#found")).to_have_text(f"{len(found)} of 6")
        assert names(page) == found


def test_statuses_priority_tag_and_owner_filter_together(show: Show) -> None:
    """Each filter narrows further; several statuses widen; clearing shows everything again."""
    page = show(sample.six())
    page.get_by_role("button", name="Failed 1").click()
    assert names(page) == ["Order placement"]
    page.get_by_role("button", name="Passed 3").click()
    expect(page.locator(".row")).to_have_count(4)
    page.get_by_label("Priority").select_option("critical")
    expect(page.locator(".row")).to_have_count(3)
    page.get_by_label("Tag").select_option("checkout")
    assert names(page) == ["Order placement"]
    page.get_by_label("Owner").select_option("identity")
    expect(page.locator(".row")).to_have_count(0)
    expect(page.get_by_text("No workflow matches these filters.")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator(".row")).to_have_count(6)
    expect(page.get_by_role("button", name="Clear filters")).to_be_hidden()


def test_a_column_sorts_both_ways(show: Show) -> None:
    """Clicking a heading sorts by it, again turns the order round, and assistive tools know."""
    page = show(sample.six())
    page.get_by_role("button", name="Workflow").click()
    heading = page.locator('[data-sort="name"]')
    expect(heading).to_have_attribute("aria-sort", "ascending")
    assert names(page) == sorted(names(page))
    page.get_by_role("button", name="Workflow").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert names(page) == sorted(names(page), reverse=True)
    page.get_by_role("button", name="Duration").click()
    assert names(page)[:2] == ["Order placement", "Product listing"]
    expect(page.locator('[data-sort="time"]')).to_have_attribute("aria-sort", "descending")
    expect(heading).not_to_have_attribute("aria-sort", "descending")


def test_a_row_opens_in_place_and_is_in_the_address(show: Show) -> None:
    """Opening names the run in the address, closing removes it, and only one is open."""
    page = show(sample.all_pass())
    page.get_by_role("link", name="User login").click()
    panel = page.locator("#rows .panel")
    expect(panel.locator("h3")).to_have_text("User login")
    assert page.url.endswith(f"#{sample.run_id(21)}")
    page.get_by_role("link", name="Farm creation").click()
    expect(panel).to_have_count(1)
    expect(panel.locator("h3")).to_have_text("Farm creation")
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)
    assert "#" not in page.url
    expect(page.get_by_role("link", name="Farm creation")).to_be_focused()


def test_the_link_of_a_run_can_be_copied(show: Show) -> None:
    """The copied address opens the same run."""
    page = show(sample.all_pass(), permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="User login").click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    assert copied.endswith(f"#{sample.run_id(21)}")


def test_an_address_opens_what_needs_attention(show: Show) -> None:
    """A link to a failed run opens its case at the top, also when it is folded away."""
    document = sample.many(1_000, failed_share=0.1)
    page = show(document, fragment=f"#{sample.run_id(999)}")
    case = page.locator('.case[data-position="999"]')
    expect(case.locator(".panel")).to_be_in_viewport()
    expect(case.locator("> summary")).to_be_focused()
    expect(case).to_contain_text("expected 999 rows, got 998")


def test_an_address_opens_a_row_far_down(reader: Reader, large: Path) -> None:
    """A link to one of 10,000 passed runs scrolls to it and opens it."""
    page = reader.open(f"{large.as_uri()}#{sample.run_id(5_000)}")
    panel = page.locator("#rows .panel")
    expect(panel).to_be_in_viewport()
    expect(panel.locator("h3")).to_contain_text("5000")
    page.evaluate(f"location.hash = '{sample.run_id(7_001)}'")
    expect(panel.locator("h3")).to_contain_text("7001")


def test_an_unknown_address_opens_nothing(show: Show) -> None:
    """A link to a run of another session shows the report as it is."""
    page = show(sample.six(), fragment="#%E0%A4%A")
    expect(page.locator(".panel")).to_have_count(0)
    expect(page.locator(".row")).to_have_count(6)


def test_ten_thousand_rows_keep_the_document_small(reader: Reader, large: Path) -> None:
    """Only the rows in view and a few around them exist, at the top, in the middle, at the end."""
    page = reader.open(large.as_uri())
    expect(page.locator("h1")).to_have_text("200 of 10,000 workflows need attention")
    for share in (0, 0.5, 1):
        page.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {share})")
        expect(page.locator(".row").first).to_be_attached()
        page.wait_for_function(
            "share => share === 0 || [...document.querySelectorAll('.row')].some(row => {"
            " const box = row.getBoundingClientRect();"
            " return box.top < innerHeight && box.bottom > 0; })",
            arg=share,
        )
        assert page.locator(".row").count() < 80
    expect(page.locator(".row").last).to_have_attribute("aria-rowindex", "10001")
    page.get_by_label("Filter by text").fill("orders-77")
    expect(page.locator("#found")).to_contain_text("of 10,000")
    assert all("orders 77" in name.lower() for name in names(page))


def test_a_row_stays_in_place_when_one_above_is_open(reader: Reader, large: Path) -> None:
    """With a tall panel open, scrolling past it still shows every row exactly once and in order."""
    page = reader.open(large.as_uri())
    page.locator(".row a").nth(3).click()
    expect(page.locator("#rows .panel")).to_be_visible()
    page.evaluate("scrollBy(0, 30000)")
    page.wait_for_function("() => Number(document.querySelector('.row').dataset.position) > 500")
    positions = page.locator(".row").evaluate_all(
        "rows => rows.map(row => Number(row.dataset.position))"
    )
    assert positions == list(range(positions[0], positions[0] + len(positions)))
    page.evaluate("document.querySelector('#all').scrollIntoView()")
    expect(page.locator("#rows .panel")).to_be_in_viewport()


def test_what_is_printed_is_more_than_what_is_in_view(reader: Reader, large: Path) -> None:
    """Printing writes rows out that the screen does not hold."""
    page = reader.open(large.as_uri())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".row").count() == 2_000
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".row").count() < 80
