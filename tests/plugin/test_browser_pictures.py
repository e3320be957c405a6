"""A screenshot of the step that failed, or of every step. Real Chromium."""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING

from tests.plugin.site import BROWSER

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.model import Artifact, Attempt
    from tests.plugin.conftest import Suite

QUIET = ("--screenshot", "off", "--tracing", "off")
"""So that only the screenshots of steps remain."""


def pictures(attempt: Attempt) -> list[tuple[str, str]]:
    """Return step and name of each screenshot; all are there."""
    assert [artifact.problem for artifact in attempt.artifacts] == [""] * len(attempt.artifacts)
    names: dict[int | None, str] = {step.index: step.name for step in attempt.steps}
    return [(names.get(a.step, ""), a.name) for a in attempt.artifacts if a.kind == "screenshot"]


FAILING = """
    import contextlib
    import threading
    import pytest
    from pytest_workflow_monitor import step

    pytestmark = pytest.mark.workflow

    def test_inner(page, new_context):
        page.set_content("<h1>Apples</h1>")
        other = new_context().new_page()
        with step("Fine"):
            pass
        with step("Outer"):
            with step("Optional", optional=True):
                raise ValueError
            with pytest.raises(KeyError), step("Expected"):
                raise KeyError
            with step("Inner"):
                other.close()
                assert False, "sold out"

    def test_no_failure(page):
        with step("Skips"):
            pytest.skip("not today")

    def test_another_thread(page):
        def work():
            with contextlib.suppress(ValueError), step("There"):
                raise ValueError
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    def test_no_page(context):
        with step("Without"):
            assert False
"""


def test_the_innermost_failing_step_is_pictured_once(suite: Suite) -> None:
    """Of every page that is open then, and of failures that the test survives too."""
    suite.write("conftest.py", BROWSER)
    suite.write("test_it.py", FAILING)
    run = suite.run(*QUIET, warnings=True)
    assert run.summary == {"passed": 1, "failed": 2, "skipped": 1}, run.output
    assert pictures(run.attempt("inner")) == [
        ("Fine", "step-1.png"),
        ("Fine", "step-1-page-2.png"),
        ("Optional", "step-3.png"),
        ("Optional", "step-3-page-2.png"),
        ("Expected", "step-4.png"),
        ("Expected", "step-4-page-2.png"),
        ("Inner", "step-5.png"),
    ]
    assert run.attempt("inner").artifacts[0].content_type == "image/png"
    for name in ("no-failure", "another-thread", "no-page"):
        assert pictures(run.attempt(name)) == []


ALWAYS = """
    import pytest
    from pytest_workflow_monitor import step

    @pytest.mark.workflow
    def test_it(page):
        page.set_content("<style>body { background: white }</style><h1>Apples</h1>")
        with step("First"):
            with step("Inner"):
                pass
        with step("Second"):
            page.set_content("<h1>Pears</h1>")
"""


def test_every_step_can_be_pictured(suite: Suite) -> None:
    """Equal pictures are one file; taking them does not count as the step's time."""
    suite.write("conftest.py", BROWSER)
    suite.write("test_it.py", ALWAYS)
    run = suite.run(*QUIET, env={"WORKFLOW_MONITOR_STEP_SCREENSHOTS": "on"}, warnings=True)
    assert run.summary == {"passed": 1}, run.output
    attempt = run.attempt()
    assert pictures(attempt) == [
        ("Inner", "step-2.png"),
        ("First", "step-1.png"),
        ("Second", "step-3.png"),
    ]
    inner, first, second = attempt.artifacts
    assert inner.path == first.path != second.path
    durations = {name: step.duration_ms or 0 for name, step in run.steps().items()}
    assert durations["Inner"] < durations["First"] / 2  # of which the picture is nearly all


def test_no_step_need_be_pictured(suite: Suite) -> None:
    """`step_screenshots = "off"` leaves the choice to pytest-playwright."""
    suite.write("conftest.py", BROWSER)
    suite.write("test_it.py", FAILING)
    run = suite.run(
        *QUIET, "-k", "inner", env={"WORKFLOW_MONITOR_STEP_SCREENSHOTS": "off"}, warnings=True
    )
    assert pictures(run.attempt()) == []


def test_once_a_day_a_pass_is_pictured_to_compare_with(suite: Suite) -> None:
    """Each workflow has its own day; a pass that was spoilt by a failing step does not count."""
    suite.write("conftest.py", BROWSER)
    suite.write("test_it.py", ALWAYS)
    kept = [len(pictures(suite.run(*QUIET, warnings=True).attempt())) for _ in range(2)]
    assert kept == [3, 0]
    (mark,) = (suite.path / ".workflow-monitor" / "pictured").iterdir()
    os.utime(mark, (0, 0))
    spoilt = ALWAYS.replace('("Second"):', '("Second", optional=True):')
    suite.write("test_it.py", spoilt + "            raise ValueError\n")
    kept = [len(pictures(suite.run(*QUIET, warnings=True).attempt())) for _ in range(2)]
    assert kept == [3, 3]


SECRET = """
    import pytest
    from pytest_workflow_monitor import step

    PAGE = '''<style>* { margin: 0; border: 0 } body > * { display: block; width: 200px;
        height: 100px; background: rgb(255, 0, 0) }</style>
        <div data-secret>1234</div><input type="password" value="abcd"><p>Apples</p>'''

    @pytest.mark.workflow
    def test_it(page):
        page.set_viewport_size({"width": 200, "height": 300})
        page.set_content(PAGE)
        with step("Pay"):
            assert False
"""


def test_secrets_are_covered(suite: Suite) -> None:
    """Password fields and elements marked as secret are grey; all else is as it was."""
    suite.write("conftest.py", BROWSER)
    suite.write("test_it.py", SECRET)
    run = suite.run(*QUIET, warnings=True)
    (picture,) = run.attempt().artifacts
    corners = [pixel(picture, suite.state_path, (180, y)) for y in (90, 190, 290)]
    assert corners == [(0x7A, 0x7A, 0x7A), (0x7A, 0x7A, 0x7A), (255, 0, 0)]


def pixel(picture: Artifact, state: Path, at: tuple[int, int]) -> tuple[int, int, int]:
    """Return the colour of a pixel of a PNG of 8-bit RGB."""
    data = (state / picture.path).read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (width, height, depth, kind) == (200, 300, 8, 2)
    position, packed = 8, b""
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        if data[position + 4 : position + 8] == b"IDAT":
            packed += data[position + 8 : position + 8 + length]
        position += 12 + length
    raw, stride = zlib.decompress(packed), width * 3
    line = bytearray(stride)
    for y in range(at[1] + 1):
        start = y * (stride + 1)
        line = unfiltered(raw[start], raw[start + 1 : start + 1 + stride], line)
    red, green, blue = line[at[0] * 3 : at[0] * 3 + 3]
    return red, green, blue


def unfiltered(kind: int, encoded: bytes, above: bytearray) -> bytearray:
    """Undo one of PNG's five filters, for three bytes per pixel."""
    line = bytearray(encoded)
    for i in range(len(line)):
        a, b, c = (line[i - 3] if i > 2 else 0), above[i], (above[i - 3] if i > 2 else 0)
        nearest = min((a, b, c), key=lambda value: abs(a + b - c - value))
        line[i] = (line[i] + (0, a, b, (a + b) // 2, nearest)[kind]) & 255
    return line


STUBBORN = """
    import pytest
    from pytest_workflow_monitor import step

    pytestmark = pytest.mark.workflow

    def test_hangs(page):
        page.set_content("<h1>Apples</h1>")
        page.evaluate("setTimeout(() => { for (;;); }, 100)")
        page.wait_for_timeout(300)
        for number in range(6):
            with step("Optional", optional=True):
                raise ValueError

    def test_crashed(page):
        with pytest.raises(Exception, match="ABORTED|crash"):
            page.goto("chrome://crash")
        page.wait_for_timeout(100)
        for number in range(6):
            with step("Optional", optional=True):
                raise ValueError
        with step("After the crash"):
            assert False

    @pytest.mark.timeout(2, method="signal")
    def test_out_of_time(page):
        page.set_content("<h1>Apples</h1>")
        with step("Wait for ever"):
            page.wait_for_selector("h2")
"""


def test_a_page_that_cannot_be_pictured_costs_little(suite: Suite) -> None:
    """A hanging page is asked once, for three seconds; a crashed one not at all."""
    suite.write("conftest.py", BROWSER)
    suite.write("test_it.py", STUBBORN)
    run = suite.run(*QUIET, "-o", "timeout_func_only=true", warnings=True)
    assert run.summary == {"passed": 1, "failed": 2}, run.output
    hangs = run.attempt("hangs")
    assert hangs.call_ms < 15_000
    assert pictures(hangs) == []
    crashed = run.attempt("crashed")
    assert crashed.call_ms < 15_000
    assert "The page crashed." in [event.text for event in crashed.events]
    assert run.attempt("out-of-time").status == "timed_out"


ASYNC = """
    import pytest
    import pytest_asyncio
    from playwright.async_api import async_playwright
    from pytest_workflow_monitor import step
    from pytest_workflow_monitor.browser import browser_launch_options

    @pytest_asyncio.fixture
    async def browser():
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                **browser_launch_options(playwright.chromium.executable_path))
            yield browser
            await browser.close()

    @pytest.mark.workflow
    @pytest.mark.asyncio
    async def test_order(browser):
        page = await (await browser.new_context()).new_page()
        await page.set_content("<h1>Apples</h1>")
        assert await page.evaluate("confirm('Sure?')") is False
        await page.evaluate("console.error('broken')")
        with step("Cannot wait", optional=True):
            raise ValueError
        async with step("Outer"):
            async with step("Inner"):
                assert False, "sold out"
"""


def test_the_asynchronous_api_is_pictured_too(suite: Suite) -> None:
    """Where a step is entered by `async with`; events come either way."""
    suite.write("test_it.py", ASYNC)
    run = suite.run(*QUIET, warnings=True)
    assert run.summary == {"failed": 1}, run.output
    assert "never awaited" not in run.output
    attempt = run.attempt()
    assert pictures(attempt) == [("Inner", "step-3.png")]
    assert [event.text for event in attempt.events] == ["confirm: Sure?", "broken"]
    assert [page.url for page in attempt.pages] == ["about:blank"]
