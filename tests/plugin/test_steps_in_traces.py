"""Playwright's trace viewer shows the steps as groups. Real Chromium, no network."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

from tests.plugin.site import BROWSER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugin.conftest import Suite

SYNC = """
    import contextvars
    import threading
    import pytest
    from pytest_workflow_monitor import step

    pytestmark = pytest.mark.workflow

    @pytest.fixture
    def shop(page):
        with step("Open the shop"):
            page.set_content("<button>Buy</button>")
        yield page
        with step("Leave"):
            page.set_content("")

    @step("Buy {what}")
    def buy(page, what):
        with step("Press the button"):
            page.get_by_role("button").click()
        with step("Optional", optional=True):
            raise ValueError

    def test_order(shop):
        with step("Look"):
            assert shop.get_by_role("button").inner_text() == "Buy"
        buy(shop, "apples")

        def elsewhere():
            with step("In a thread"): pass
        thread = threading.Thread(target=contextvars.copy_context().run, args=(elsewhere,))
        thread.start()
        thread.join()

    def test_two_contexts(shop, new_context):
        with step("Both"):
            other = new_context()
            with step("In both"):
                other.new_page().set_content("other")
            other.close()
            with step("In one"):
                shop.set_content("one")

    def test_fails(shop):
        with step("Outer"):
            with step("Inner"):
                assert False, "sold out"
"""


def groups(trace: Path) -> list[str]:
    """Return the names of the groups in a trace, indented by nesting."""
    with zipfile.ZipFile(trace) as archive:
        lines = archive.read("trace.trace").decode().splitlines()
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    started = [e for e in events if e["type"] == "before" and e.get("method") == "tracingGroup"]
    ended = {e["callId"] for e in events if e["type"] == "after"}
    depth: dict[str | None, int] = {None: -1}
    shown = []
    for event in started:
        depth[event["callId"]] = depth[event.get("parentId")] + 1
        mark = "" if event["callId"] in ended else " (open)"
        shown.append("  " * depth[event["callId"]] + event["title"] + mark)
    return shown


def test_steps_are_groups_in_the_trace(suite: Suite) -> None:
    """Nested as they were, in each context, closed on failure; steps of threads stay out."""
    suite.write("conftest.py", BROWSER)
    suite.write("test_it.py", SYNC)
    run = suite.run("--tracing", "on", warnings=True)
    assert run.summary == {"passed": 2, "failed": 1}, run.output
    assert "never awaited" not in run.output
    traces = {path.parent.name: path for path in suite.path.rglob("trace*.zip")}
    found = {
        name: sorted((groups(path) for path in folder.glob("trace*.zip")), key=len, reverse=True)
        for name, folder in {name: path.parent for name, path in traces.items()}.items()
    }
    assert found == {
        "test-it-py-test-order-chromium": [
            [
                "Open the shop",
                "Look",
                "Buy apples",
                "  Press the button",
                "  Optional",
                "Leave",
            ]
        ],
        "test-it-py-test-two-contexts-chromium": [
            ["Open the shop", "Both", "  In both", "  In one", "Leave"],
            ["In both"],
        ],
        "test-it-py-test-fails-chromium": [["Open the shop", "Outer", "  Inner", "Leave"]],
    }
    assert [s.name for s in run.attempt("order").steps][-2:] == ["In a thread", "Leave"]
    assert {a.dimensions["browser"] for a in run.attempts} == {"chromium"}


ASYNC = """
    import asyncio
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
        context = await browser.new_context()
        await context.tracing.start()
        async with step("Outer"):
            page = await context.new_page()
            async with step("Inner"):
                await page.set_content("<h1>Shop</h1>")
            with step("not a group"):
                pass
            async def cancelled():
                async with step("Cancelled"):
                    await asyncio.Event().wait()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(cancelled(), 0.2)
        await context.tracing.stop(path="trace.zip")
        async with step("After the trace"):
            pass
        await context.close()
        async with step("After the context"):
            pass
"""


def test_steps_of_the_asynchronous_api_are_groups_too(suite: Suite) -> None:
    """`async with step` awaits the group; a plain `with` in a coroutine is recorded without one."""
    suite.write("test_it.py", ASYNC)
    run = suite.run("--tracing", "on", warnings=True)
    assert run.summary == {"passed": 1}, run.output
    assert "never awaited" not in run.output
    assert groups(suite.path / "trace.zip") == ["Outer", "  Inner", "  Cancelled"]
    assert {name: step.status.value for name, step in run.steps().items()} == {
        "Outer": "passed",
        "Inner": "passed",
        "not a group": "passed",
        "Cancelled": "interrupted",
        "After the trace": "passed",
        "After the context": "passed",
    }


SILENT = """
    import pytest
    from pytest_workflow_monitor import step

    @pytest.mark.workflow
    def test_it(page, monkeypatch):
        spoken = []
        monkeypatch.setattr(page.context.tracing, "group", spoken.append)
        monkeypatch.setattr(page, "screenshot", lambda **_: spoken.append("screenshot") or b"")
        with step("Outer"):
            with step("Inner"):
                pass
        assert spoken == [SPOKEN]
"""


def test_without_tracing_no_passing_step_speaks_to_the_browser(suite: Suite) -> None:
    """With `--tracing off`, it costs no message to the browser, but on the one run of the day."""
    suite.write("conftest.py", BROWSER)
    for spoken in ("'screenshot', 'screenshot'", ""):
        suite.write("test_it.py", SILENT.replace("SPOKEN", spoken))
        assert suite.run("--tracing", "off", warnings=True).summary == {"passed": 1}
