"""What a reader finds in the report of a session, in a real browser."""

from __future__ import annotations

import base64
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import Artifact, Output, Status
from tests.report import sample
from tests.report.conftest import opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report.conftest import Reader, Show


def test_the_verdict_comes_first_and_then_what_needs_attention(show: Show) -> None:
    """The page says how the session went, and lists problems worst and most important first."""
    page = show(sample.six())
    expect(page.locator("h1")).to_have_text("3 of 6 workflows need attention")
    names = page.locator(".case h3").all_inner_texts()
    assert names == ["Order placement", "Product listing", "User login"]
    assert page.locator(".case-status .status").all_inner_texts() == ["Failed", "Degraded", "Flaky"]


def test_a_case_says_what_where_and_since_when(show: Show) -> None:
    """One row answers it all: step, first line of the error, streak, duration against normal."""
    case = show(sample.six()).locator(".case").first
    expect(case).to_contain_text('Pay › Submit the card: expected "Thank you", got "Service una')
    expect(case).to_contain_text("failing since 14:40 (3 runs)")
    expect(case).to_contain_text("9.8 s")
    expect(case).to_contain_text("normally 4.1 s")
    expect(case).to_contain_text("critical")
    label = case.locator("summary .strip").get_attribute("aria-label")
    assert label == "last 20 runs: 17 passed, 3 failed"


def test_the_masthead_tells_where_the_session_came_from(show: Show) -> None:
    """Environment, place, time in the reader's zone, length, commit and trigger are named."""
    facts = show(sample.six()).locator(".facts")
    for text in ("production", "eu-west", "1 min 48 s", "a1b2c3d on main", "ci · GitHub Actions"):
        expect(facts).to_contain_text(text)
    expect(facts.locator("time")).to_have_text("12 Nov 2025 15:20")
    title = facts.locator("time").get_attribute("title")
    assert title is not None
    assert "15:20:05" in title
    assert "2025-11-12T14:20:05.123Z" in title


def test_a_good_day_has_nothing_that_needs_attention(show: Show) -> None:
    """When all pass, the page says so and shows only the table."""
    page = show(sample.all_pass())
    expect(page.locator("h1")).to_have_text("All 6 workflows pass")
    expect(page.locator(".case")).to_have_count(0)
    expect(page.locator(".row")).to_have_count(6)


def test_a_session_without_workflows_says_how_to_get_some(show: Show) -> None:
    """The empty state names the marker."""
    page = show(sample.document())
    expect(page.locator("h1")).to_have_text("No workflows ran")
    expect(page.locator("main")).to_contain_text("@pytest.mark.workflow")


def test_every_status_has_its_word(show: Show) -> None:
    """No status is told by colour alone."""
    page = show(sample.every_status())
    words = set(page.locator(".row .status").all_inner_texts())
    assert words == {wording.STATUS_WORDS[status] for status in Status} | {"Flaky"}


def test_notices_and_an_unfinished_session_are_told(show: Show) -> None:
    """Whoever reads knows when data is missing."""
    unfinished = sample.document(
        sample.login_flaky(), ended=None, notices=("The database was away.",)
    )
    page = show(unfinished)
    expect(page.locator(".notice").first).to_contain_text("has not ended")
    expect(page.locator(".notice").nth(1)).to_have_text("The database was away.")
    expect(page.locator(".facts")).to_contain_text("not ended")


def test_an_opened_case_shows_the_error_first(show: Show) -> None:
    """Type, message, the failing line with its place, and the traceback come before the steps."""
    page = show(sample.six())
    page.locator(".case summary").first.click()
    panel = page.locator(".case .panel").first
    expect(panel.locator(".failure")).to_contain_text("AssertionError")
    expect(panel.locator(".failure")).to_contain_text("+ Service unavailable")
    expect(panel.get_by_label("Failing line")).to_have_text(
        'workflows/pages/shop.py:112 assert banner.inner_text() == "Thank you"'
    )
    panel.get_by_text("Traceback · 8 lines").click()
    expect(panel.get_by_label("Traceback")).to_contain_text("in test_order_placement")


def test_the_waterfall_shows_nesting_times_and_what_went_wrong(show: Show) -> None:
    """Phases and steps come in order and nested; failed, slow and optional ones say so."""
    page = show(sample.six())
    lines = opened(page).locator(".waterfall tbody tr")
    names = [line.split("\n")[0].split("\t")[0] for line in lines.all_inner_texts()]
    assert [name.split(",")[0] for name in names] == [
        "Set-up",
        "Start a browser",
        "Test",
        "Open the shop",
        "Accept the cookie banner",
        "Put apples in the cart",
        "Pay",
        "Fill in the card",
        "Submit the card",
        "Tear-down",
        "Remove the test order",
    ]
    indents = [
        lines.nth(index).locator("th > span").get_attribute("class") for index in (3, 4, 6, 8)
    ]
    assert indents == ["d1", "d2", "d1", "d2"]
    assert "s-failed" in (lines.nth(8).get_attribute("class") or "")
    expect(lines.nth(4)).to_contain_text("optional, No banner was shown")
    expect(lines.nth(7)).to_contain_text("slower than 1.0 s")
    bar = lines.nth(8).locator("rect")
    assert float(bar.get_attribute("x") or 0) == pytest.approx(37.4, abs=0.1)
    assert float(bar.get_attribute("width") or 0) == pytest.approx(61.5, abs=0.1)


def test_attempts_are_tabs_with_the_last_selected(show: Show) -> None:
    """The deciding attempt shows first; the one before is a click or an arrow key away."""
    page = show(sample.six())
    page.locator(".case summary").first.click()
    tabs = page.locator(".case .panel").first.get_by_role("tab")
    expect(tabs).to_have_count(2)
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("checkout_ms")).to_be_visible()
    tabs.nth(1).press("ArrowLeft")
    expect(tabs.nth(0)).to_have_attribute("aria-selected", "true")
    expect(tabs.nth(0)).to_be_focused()
    expect(page.get_by_text("checkout_ms")).to_have_count(0)


def test_metrics_are_held_against_their_thresholds(show: Show) -> None:
    """A metric shows its value, its threshold, and whether it is within."""
    page = show(sample.six())
    table = opened(page).locator(".grid-table").first
    rows = [text.split() for text in table.locator("tbody tr").all_inner_texts()]
    assert rows[0] == ["checkout_ms", "6.0", "s", "beyond", "3.0", "s"]
    assert rows[1] == ["cart_total", "12.4", "EUR"]
    assert rows[2] == ["requests", "Requests", "41", "within", "60"]


def test_output_is_folded_and_tells_what_was_not_kept(show: Show) -> None:
    """Captured output is there, folded, with the number of characters that were cut before it."""
    page = show(sample.six())
    page.locator(".case summary").first.click()
    fold = page.locator(".case .panel .fold", has_text="Captured log call")
    expect(fold).to_contain_text("60 lines, 12,345 characters before it were not kept")
    fold.locator("summary").click()
    expect(fold.locator("pre")).to_contain_text("GET /api/cart 200")


def test_long_output_shows_its_end_first(show: Show) -> None:
    """Of 1,000 lines the last 200 are shown, and a button shows the rest."""
    flow = sample.workflow("talkative")
    text = "\n".join(f"line {number}" for number in range(1, 1_001))
    output = Output(name="Captured stdout call", text=text)
    tried = sample.attempt(sample.run_id(1), flow, Status.FAILED, outputs=(output,))
    page = show(sample.document(sample.combined(tried)))
    page.locator(".case summary").click()
    fold = page.locator(".case .panel .fold", has_text="Captured stdout call")
    fold.locator("summary").click()
    expect(fold.locator("pre")).to_contain_text("line 801")
    expect(fold.locator("pre")).not_to_contain_text("line 800")
    fold.get_by_role("button", name="Show the 800 lines before").click()
    expect(fold.locator("pre")).to_contain_text("line 800")


def test_pictures_and_text_of_failures_travel_in_the_page(reader: Reader, tmp_path: Path) -> None:
    """A screenshot and a log are shown; what is missing is named with the reason or its path."""
    path = sample.page_picture(tmp_path, "Your cart")
    (tmp_path / "artifacts" / "page.log").write_text("clicked <b>pay</b>")
    artifacts = (
        sample.screenshot(path, 3, name="The cart", kind="attachment"),
        Artifact(name="Page log", content_type="text/plain", path="artifacts/page.log"),
        Artifact(name="Archive", content_type="application/zip", path="t/a.zip", size_bytes=2048),
        Artifact(name="Video", problem="the file did not exist"),
        Artifact(name="Old video", problem="expired"),
    )
    page = reader.show(sample.document(sample.order_failing(artifacts=artifacts)))
    page.locator(".case summary").first.click()
    panel = page.locator(".case .panel")
    picture = panel.get_by_alt_text("The cart")
    expect(picture).to_be_visible()
    page.wait_for_function("() => document.querySelector('.picture img').naturalWidth === 1280")
    expect(panel.locator("figcaption")).to_contain_text("Put apples in the cart")
    page.get_by_text("Page log").click()
    expect(page.get_by_text("clicked <b>pay</b>")).to_be_visible()
    expect(panel).to_contain_text("Archive · The file is no longer in the state directory. t/a.zip")
    expect(page.get_by_text("the file did not exist")).to_be_visible()
    expect(panel).to_contain_text("Old video · The file has expired")


def test_the_side_tells_owner_runbook_labels_and_schedule(show: Show) -> None:
    """Everything that identifies the run is listed, and the runbook is a link."""
    page = show(sample.six())
    page.locator(".case summary").first.click()
    sheet = page.locator(".case .panel .sheet").first
    for text in ("order-placement", "shop-team", "shop, checkout", "winter", "chromium", "gw1"):
        expect(sheet).to_contain_text(text)
    expect(sheet).to_contain_text("*/20 * * * * Europe/Berlin")
    link = sheet.get_by_role("link")
    expect(link).to_have_attribute("href", "https://wiki.example.com/runbooks/orders")


def test_history_is_a_chart_and_a_table(show: Show) -> None:
    """Durations are bars with the normal range behind them, and the same numbers as a table."""
    page = show(sample.six())
    page.locator(".case summary").first.click()
    panel = page.locator(".case .panel").first
    expect(panel.locator(".chart .bar")).to_have_count(31)
    expect(panel.locator(".chart .band")).to_have_count(1)
    expect(panel).to_contain_text("Normally 4.1 s, mostly 3.8 s to 4.8 s, from 27 passes.")
    panel.get_by_text("As a table").click()
    expect(panel.locator(".fold .grid-table tbody tr")).to_have_count(31)


def test_no_database_and_no_history_are_told_apart(show: Show) -> None:
    """A first run says that it is the first; an absent database says that it was absent."""
    alone = sample.combined(sample.attempt(sample.run_id(1), sample.workflow("new"), Status.FAILED))
    first = show(sample.document(alone, has_history=True))
    first.locator(".case summary").click()
    expect(first.locator(".panel")).to_contain_text("first run that is known")
    away = show(sample.document(alone, has_history=False))
    away.locator(".case summary").click()
    expect(away.locator(".panel")).to_contain_text("no database was reachable")


def test_skips_and_degraded_runs_give_their_reasons(show: Show) -> None:
    """Opening such a row says why."""
    page = show(sample.every_status())
    page.get_by_role("link", name="Ends skipped").click()
    expect(page.locator("#rows .panel")).to_contain_text("Why it was skipped")
    expect(page.locator("#rows .panel")).to_contain_text("only in staging")
    page.get_by_role("link", name="Ends degraded").click()
    expect(page.locator("#rows .panel")).to_contain_text("Why it is not a full pass")


def test_a_dimension_is_named_only_where_it_tells_runs_apart(show: Show) -> None:
    """With two browsers each row names its own; with one it would be noise."""
    flow = sample.workflow("checkout")
    both = [
        sample.combined(
            sample.attempt(sample.run_id(n), flow, Status.PASSED, dimensions={"browser": name})
        )
        for n, name in enumerate(("chromium", "firefox"))
    ]
    two = show(sample.document(*both))
    assert sorted(two.locator(".row .variant").all_inner_texts()) == ["chromium", "firefox"]
    one = show(sample.document(both[0]))
    assert one.locator(".row .variant").all_inner_texts() == [""]


@pytest.mark.parametrize(
    ("script", "python", "values"),
    [
        (
            "duration",
            wording.duration,
            (None, 0, 0.4, 7, 839.6, 999.6, 4_210, 59_949, 59_960, 192_000, 3_600_000, 9e7),
        ),
        ("fileSize", wording.size, (0, 999, 1_000, 12_345, 3_400_000, 56e6, 7.8e9)),
    ],
)
def test_the_page_says_numbers_as_everything_else_does(
    reader: Reader, tmp_path: Path, script: str, python: object, values: tuple[float, ...]
) -> None:
    """The page's script and the Python reports use the same words for the same number."""
    words = (files("pytest_workflow_monitor.report") / "assets/js/words.js").read_text()
    encoded = base64.b64encode(words.encode()).decode()
    path = tmp_path / "words.html"
    source = f"data:text/javascript;charset=utf-8;base64,{encoded}"
    path.write_text(f'<html data-ready><script src="{source}"></script>')
    page = reader.open(path.as_uri())
    said = page.evaluate(f"values => values.map({script})", list(values))
    assert callable(python)
    assert said == [python(value) for value in values]
