"""A real browser that opens reports from disk and watches that nothing improper happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor.browser import browser_launch_options
from pytest_workflow_monitor.report import write_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page, Playwright

    from pytest_workflow_monitor.model import SessionDocument

    Show = Callable[..., Page]

READY = "html[data-ready]"


def opened(page: Page) -> Locator:
    """Open the first entry, and return its panel when it is there: scripts make it a bit later."""
    page.locator(".case > summary").first.click()
    panel = page.locator(".case .panel").first
    expect(panel).to_be_visible()
    return panel


@pytest.fixture(scope="session")
def report_browser(playwright: Playwright) -> Iterator[Browser]:
    """Start the browser once for all tests of the report."""
    options = browser_launch_options(playwright.chromium.executable_path)
    browser = playwright.chromium.launch(**options)
    yield browser
    browser.close()


class Reader:
    """Opens reports in pages of their own and notes everything that must not happen."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.problems: list[str] = []
        self._browser = browser
        self._folder = folder
        self._contexts: list[Any] = []

    def show(self, document: SessionDocument, *, fragment: str = "", **options: Any) -> Page:
        """Write the report of a document and open it; returns when its scripts are done."""
        path = self._folder / f"report-{len(self._contexts)}.html"
        write_html(document, path, state_path=self._folder)
        return self.open(path.as_uri() + fragment, **options)

    def open(self, address: str, *, before: str = "", **options: Any) -> Page:
        """Open an address in a fresh context, in Berlin; ``before`` is a script to run first."""
        defaults = {"viewport": {"width": 1280, "height": 900}, "timezone_id": "Europe/Berlin"}
        context = self._browser.new_context(**(defaults | options))
        self._contexts.append(context)
        if before:
            context.add_init_script(before)
        page = context.new_page()
        self._watch(page)
        page.goto(address)
        if options.get("java_script_enabled", True) and not before:
            page.wait_for_selector(READY)
        return page

    def _watch(self, page: Page) -> None:
        page.on("console", lambda message: self.problems.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self._check(request.url))

    def _check(self, url: str) -> None:
        if not url.startswith(("file:", "data:")):
            self.problems.append(f"request: {url}")

    def close(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            context.close()


@pytest.fixture
def reader(report_browser: Browser, tmp_path: Path) -> Iterator[Reader]:
    """Open reports; afterwards no script failed, nothing was refused, nothing was asked for."""
    made = Reader(report_browser, tmp_path)
    yield made
    made.close()
    assert made.problems == []


@pytest.fixture
def show(reader: Reader) -> Show:
    """Open the report of a document in a page."""
    return reader.show
