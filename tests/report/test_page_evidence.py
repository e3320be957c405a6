"""The evidence in an entry of the report: pictures, what pages reported, measurements, traces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from pytest_workflow_monitor.model import Attempt, Event, EventKind, Metric, Status, Step
from pytest_workflow_monitor.report import write_html
from tests.report import sample
from tests.report.conftest import opened

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from pytest_workflow_monitor.model import Execution
    from tests.report.conftest import Reader, Show

REPORTED = ".block:not(.comparison) .events tbody tr"
SHOWN = "image => image.decode().then(() => [image.naturalWidth, image.clientWidth])"


@pytest.fixture
def evidence(reader: Reader, tmp_path: Path) -> Page:
    """Open the entry of a failure with all its evidence."""
    page = reader.show(sample.six_with_evidence(tmp_path))
    opened(page)
    return page


def blocks(page: Page) -> list[str]:
    """The titles of an entry, in their order."""
    return page.locator(".case .panel-grid > div:first-child h4").all_inner_texts()


def test_evidence_comes_in_the_order_of_questions(evidence: Page) -> None:
    """The error and what was seen, then time, numbers, pages, and what is left."""
    assert blocks(evidence) == [
        "Pay › Submit the card",
        "Steps",
        "Metrics",
        "Console and network",
        "Trace",
        "Output",
        "Attachments",
    ]
    failure = evidence.locator(".case .panel .failure").bounding_box()
    picture = evidence.locator(".case .panel .pair").bounding_box()
    assert failure
    assert picture
    assert failure["y"] < picture["y"] < 900


def test_the_failing_step_stands_beside_the_last_good_one(evidence: Page) -> None:
    """Two pictures with their labels, and how long the step normally takes."""
    found = evidence.locator(".case .panel .comparison")
    labels = found.locator("figcaption").all_inner_texts()
    assert labels == ["now", "last passed, 11 Nov 13:20"]
    expect(found).to_contain_text("normally 900 ms, now 6.0 s")
    pictures = found.locator("img")
    for number in range(2):
        assert pictures.nth(number).evaluate(SHOWN)[0] == 1_280
    left, right = (pictures.nth(number).bounding_box() for number in range(2))
    assert left
    assert right
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]


def test_a_picture_is_enlarged_with_mouse_and_keyboard(evidence: Page) -> None:
    """A click or Enter opens it to the width of the entry, and again makes it small."""
    zoom = evidence.locator(".case .panel .comparison .zoom summary").first
    image = zoom.locator("img")
    small = image.evaluate(SHOWN)[1]
    zoom.click()
    assert image.evaluate(SHOWN)[1] > 1.8 * small
    zoom.press("Enter")
    assert image.evaluate(SHOWN)[1] == small


def test_pictures_are_seen_and_enlarged_without_scripts(show: Show, tmp_path: Path) -> None:
    """They are in the plain page once, and the browser alone can enlarge them."""
    page = show(sample.six_with_evidence(tmp_path), java_script_enabled=False)
    page.locator(".case > summary").first.click()
    body = page.locator(".case-body").first
    expect(body.locator("figcaption")).to_have_text(
        ["now", re.compile("last passed, 11 Nov 12:20 UTC")]
    )
    image = body.locator("img").first
    expect(image).to_be_visible()
    small = image.bounding_box()
    body.locator(".zoom > summary").first.click()
    large = image.bounding_box()
    assert small
    assert large
    assert large["width"] > 1.8 * small["width"]
    expect(body).to_contain_text("normally 900 ms, now 6.0 s")
    expect(body.locator(REPORTED)).to_have_count(6)
    expect(body.locator(".command code")).to_contain_text("playwright show-trace /")
    expect(body.locator(".metrics")).to_have_count(3)
    expect(body).to_contain_text("withheld: it may show a secret")


def test_a_picture_is_in_the_file_once(tmp_path: Path) -> None:
    """However many attempts and executions show it."""
    order = sample.order_with_evidence(tmp_path)
    twin = replace(order, run_id=sample.run_id(77))
    write_html(sample.document(order, twin), tmp_path / "report.html", state_path=tmp_path)
    text = (tmp_path / "report.html").read_text()
    assert len(re.findall(r'data-picture="\d+"', text)) == 3
    assert text.count("The same picture as further up") == 2


def test_the_waterfall_tells_what_steps_normally_take(evidence: Page) -> None:
    """A line under each bar; words where it took far longer, and for those who cannot see it."""
    lines = evidence.locator(".case .panel .waterfall tbody tr")
    submit = lines.nth(8)
    expect(submit).to_contain_text("normally 900 ms")
    assert float(submit.locator("rect.usual").get_attribute("width") or 0) == pytest.approx(
        9.2, abs=0.1
    )
    usual = lines.nth(5).get_by_text("normally 930 ms")
    assert usual.get_attribute("class") == "unseen"
    expect(evidence.locator(".case .panel .legend")).to_have_text("What the step normally takes")


def test_metrics_stand_by_page_with_rating_and_budget(evidence: Page) -> None:
    """Web Vitals have a word by web.dev's limits; what is beyond its budget is marked with it."""
    tables = evidence.locator(".case .panel .metrics")
    assert [table.locator("thead th").first.inner_text() for table in tables.all()] == [
        "Metric",
        "/products",
        "/checkout",
    ]
    rows = tables.nth(2).locator("tbody tr")
    texts = [" ".join(text.split()) for text in rows.all_inner_texts()]
    assert texts[1:4] == [
        "fcp_ms First contentful paint 1.9 s needs improvement",
        "lcp_ms Largest contentful paint 4.3 s beyond 2.5 s poor",
        "cls Layout shift 0.31 poor",
    ]
    assert texts[7] == "transfer_bytes Transferred 912 kB"
    expect(rows.nth(2).locator(".s-degraded .mark")).to_be_visible()


def test_many_visits_fold_into_lines(show: Show) -> None:
    """Those beyond a budget stay open; a page that was visited again says so."""
    measured = tuple(
        Metric(
            name="lcp_ms",
            value=value,
            unit="ms",
            page=page,
            threshold_value=2_500,
            is_within_threshold=value <= 2_500,
        )
        for page, value in (("/a", 900), ("/b", 3_000), ("/a", 800), ("/c", 700))
    )
    flow = sample.workflow("tour")
    tried = sample.attempt(sample.run_id(1), flow, Status.DEGRADED, metrics=measured)
    page = show(sample.document(sample.combined(tried)))
    folds = opened(page).locator(".fold:has(.metrics)")
    assert folds.locator("summary").all_inner_texts() == [
        "/a all good",
        "/b lcp_ms 3.0 s needs improvement",
        "/a, visit 2 all good",
        "/c all good",
    ]
    is_open = [fold.get_attribute("open") is not None for fold in folds.all()]
    assert is_open == [False, True, False, False]


def test_console_and_network_are_one_table_in_time(evidence: Page) -> None:
    """Each line has its mark and kind, what happened, its step, status, time, and how often."""
    panel = evidence.locator(".case .panel").first
    expect(panel).to_contain_text(
        "1 page error, 2 failed requests, 1 slow request, 3 console warnings, 1 dialog"
    )
    lines = [" ".join(text.split()) for text in panel.locator(REPORTED).all_inner_texts()]
    assert lines == [
        (
            "512 ms console warning The cookie banner is deprecated ×3 "
            "in “Accept the cookie banner” · /static/market.js:12"
        ),
        "1.2 s slow request GET /api/products?q=apples in “Put apples in the cart” 200 2.3 s",
        "3.7 s failed request POST /api/orders in “Submit the card” 503 5.9 s",
        (
            "9.6 s page error TypeError: Cannot read properties of undefined (reading 'number') "
            "in “Submit the card” · /static/checkout.js:18"
        ),
        (
            "9.6 s failed request GET https://payments.example/widget.js "
            "net::ERR_CONNECTION_REFUSED in “Submit the card” 4 ms"
        ),
        "9.6 s dialog alert: Your payment was not accepted. in “Submit the card”",
    ]
    expect(panel.locator(f"{REPORTED} .mark")).to_have_count(6)
    expect(panel).to_contain_text("14 beyond the limit were not kept.")
    expect(panel.locator(".pages")).to_contain_text("Ended on Checkout · Market")
    expect(panel.locator(".pages a")).to_have_attribute(
        "href", "https://market.example/checkout?step=pay"
    )


def test_what_was_reported_before_it_went_wrong_stands_by_the_pictures(evidence: Page) -> None:
    """The last errors up to the end of the failing step, without scrolling to all of them."""
    lines = evidence.locator(".case .panel .comparison .events tbody tr")
    kinds = lines.locator(".status").all_inner_texts()
    assert kinds == ["failed request", "page error", "failed request"]


def test_many_and_long_messages_can_all_be_seen(show: Show) -> None:
    """Of 150 events 100 are shown, of a long message its beginning; the rest is a click away."""
    made = tuple(
        Event(kind=EventKind.CONSOLE, at_ms=number, text=f"message {number} " + "long " * 300)
        for number in range(150)
    )
    tried = sample.attempt(sample.run_id(1), sample.workflow("loud"), Status.FAILED, events=made)
    page = show(sample.document(sample.combined(tried)))
    page.locator(".case > summary").click()
    panel = page.locator(".case .panel")
    expect(panel.locator(REPORTED)).to_have_count(100)
    panel.get_by_role("button", name="Show 50 more").click()
    expect(panel.locator(REPORTED)).to_have_count(150)
    first = panel.locator(REPORTED).first
    assert len(first.inner_text()) < 700
    first.get_by_role("button", name="Show all of it").click()
    assert len(first.inner_text()) > 1_500


def test_a_trace_can_be_opened(reader: Reader, tmp_path: Path) -> None:
    """The command is selectable and copyable, and a link opens the viewer where that can work."""
    path = tmp_path / "report.html"
    write_html(
        sample.six_with_evidence(tmp_path),
        path,
        state_path=tmp_path,
        artifacts_http_url="https://files.example/wm",
    )
    page = reader.open(path.as_uri(), permissions=["clipboard-read", "clipboard-write"])
    page.locator(".case > summary").first.click()
    panel = page.locator(".case .panel").first
    command = f"playwright show-trace {tmp_path.resolve()}/artifacts/trace.zip"
    expect(panel.locator(".command code")).to_have_text(command)
    panel.locator(".command button").click()
    expect(panel.locator(".command button")).to_have_text(re.compile("Copied|Selected"))
    expect(panel.get_by_role("link", name="Open in the trace viewer")).to_have_attribute(
        "href",
        "https://trace.playwright.dev/?trace="
        "https%3A%2F%2Ffiles.example%2Fwm%2Fartifacts%2Ftrace.zip",
    )


def test_a_picture_that_is_not_there_says_why(reader: Reader, tmp_path: Path) -> None:
    """Withheld, expired and missing pictures have their place, with the reason in it."""
    order = sample.order_with_evidence(tmp_path)
    deciding, passed = order.attempts[-1], order.last_passed
    assert passed
    withheld = sample.screenshot("", 6, problem="withheld: it holds a secret")
    expired = sample.screenshot("artifacts/old.png", 6, problem="expired")
    changed = replace(
        order,
        attempts=(replace(deciding, artifacts=(withheld,)),),
        last_passed=replace(passed, artifacts=(expired,)),
    )
    for script in (True, False):
        page = reader.show(sample.document(changed), java_script_enabled=script)
        page.locator(".case > summary").first.click()
        figures = page.locator(".case .comparison:visible figure")
        expect(figures.nth(0)).to_contain_text("withheld: it holds a secret")
        expect(figures.nth(1)).to_contain_text("The file has expired")
        expect(figures.nth(1)).to_contain_text("artifacts/old.png")


def test_a_pass_without_pictures_says_how_to_keep_them(reader: Reader, tmp_path: Path) -> None:
    """By default only failures keep pictures of their steps."""
    order = sample.order_with_evidence(tmp_path)
    assert order.last_passed
    changed = replace(order, last_passed=replace(order.last_passed, artifacts=()))
    page = reader.show(sample.document(changed))
    page.locator(".case > summary").first.click()
    figures = page.locator(".case .panel .comparison figure")
    expect(figures.nth(1)).to_contain_text("last passed, 11 Nov 13:20")
    expect(figures.nth(1)).to_contain_text("No picture of this step was kept")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_evidence_fits_every_screen(
    reader: Reader, tmp_path: Path, width: int, *, java_script_enabled: bool
) -> None:
    """No sideways scrolling with all of it open, with and without scripts."""
    page = reader.show(
        sample.six_with_evidence(tmp_path),
        viewport={"width": width, "height": 800},
        java_script_enabled=java_script_enabled,
    )
    page.locator(".case > summary").first.click()
    boxes = page.locator(".case").first.locator("img, table, .command")
    expect(boxes.nth(5)).to_be_attached()
    for box in boxes.all():
        place = box.bounding_box()
        assert place is None or place["x"] + place["width"] <= width


def shot_failures(browser: Browser, state: Path, count: int) -> list[Execution]:
    """Make failures, each with a picture of a real page of its own, and one of a pass."""
    write_html(sample.six_with_evidence(state), state / "page.html", state_path=state)
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto((state / "page.html").as_uri())
    opened(page)
    pictures = []
    for top in (0, 500, 1_000):
        page.evaluate("top => scrollTo(0, top)", top)
        page.screenshot(path=state / "shot.png")
        with Image.open(state / "shot.png") as taken:
            pictures.append(taken.convert("RGB"))
    page.close()
    made = []
    for number in range(count):
        image = pictures[number % 3].copy()
        ImageDraw.Draw(image).text((500, 20 + number), f"failure {number}", fill="red")
        path = f"artifacts/{number}.png"
        image.save(state / path, compress_level=1)
        made.append(_failure(number, path, f"artifacts/{number % 20}.png"))
    return made


def _failure(number: int, now: str, before: str) -> Execution:
    flow = sample.workflow(f"flow-{number}")
    spans = (Step(index=0, name="Do it", status=Status.FAILED, duration_ms=900),)

    def tried(status: Status, path: str) -> Attempt:
        return sample.attempt(
            sample.run_id(number),
            flow,
            status,
            steps=spans,
            artifacts=(sample.screenshot(path, 0),),
            events=sample.order_events(),
            metrics=sample.page_metrics(),
        )

    failed = sample.combined(tried(Status.FAILED, now), past=sample.history("p" * 20))
    return replace(failed, last_passed=tried(Status.PASSED, before))


def test_two_hundred_failures_with_pictures_stay_under_fifteen_megabytes(
    report_browser: Browser, reader: Reader, tmp_path: Path
) -> None:
    """Every failing step is in the file, large enough to read."""
    document = sample.document(*shot_failures(report_browser, tmp_path, 200))
    path = tmp_path / "report.html"
    write_html(document, path, state_path=tmp_path)
    assert 4_000_000 < path.stat().st_size < 15_000_000
    page = reader.open(path.as_uri())
    expect(page.locator("img[data-picture]")).to_have_count(200)
    widths = page.locator("img[data-picture]").evaluate_all(
        "images => images.map((image) => Number(image.getAttribute('width')))"
    )
    assert min(widths) >= 960
    page.locator(".more > summary").click()
    page.locator(".case > summary").last.click()
    expect(page.locator(".case .panel .comparison img")).to_have_count(2)
