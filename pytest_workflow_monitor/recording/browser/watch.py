"""Learns of every browser context and page that a test opens through pytest-playwright."""

from __future__ import annotations

import functools
import logging
from threading import get_ident
from typing import TYPE_CHECKING, Any, ParamSpec

import pytest

from pytest_workflow_monitor.recording.context import process

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from pytest_workflow_monitor.recording.recorder import Recorder

P = ParamSpec("P")
PATIENCE_MS = 2_000
LOGGER = "pytest_workflow_monitor.browser"
"""The name of the log, which is made when it is needed: pytest visits all of them in each test."""


class Observer:
    """Looks at what a browser does; the methods do nothing unless a subclass says otherwise.

    All but :meth:`context_opened` and :meth:`page_opened` are called in the thread that runs the
    test. What they raise is logged and harms neither the test nor other observers.
    """

    def context_opened(self, context: Any) -> None:
        """A browser context was opened; it has no pages yet."""

    def page_opened(self, page: Any) -> None:
        """A page or pop-up was opened; it may still be loading."""

    def test_ended(self, recorder: Recorder, pages: Sequence[Any]) -> None:
        """The test is over and its fixtures are not yet torn down.

        ``pages`` are the open pages of Playwright's synchronous API that this thread may use and
        that answered just now: a page that hangs would let most questions wait for ever.
        """


class BrowserWatch:
    """Keeps the list of open browser contexts, and tells observers what happens.

    Beside each context stands the thread that opened it.

    Args:
        observers: Who is told.
    """

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self.contexts: list[tuple[Any, int]] = []
        self._observers = tuple(observers)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Listen to the browser as soon as its fixture has made it."""
        result = yield
        if fixturedef.argname == "browser" and hasattr(result, "contexts"):
            result.on("context", self._on_context)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Let observers look at the pages while they are open."""
        recorder = process.recorder
        if recorder is None or not self._observers or not self.contexts:
            return
        pages = [
            page for page in open_pages(self.contexts) if not is_async(page) and _answers(page)
        ]
        for observer in self._observers:
            _safely(observer.test_ended, recorder, pages)

    def _on_context(self, context: Any) -> None:
        self.contexts.append((context, get_ident()))
        context.on("close", self._on_close)
        context.on("page", self._on_page)  # now: an observer that asks the browser lets others run
        for observer in self._observers:
            _safely(observer.context_opened, context)

    def _on_page(self, page: Any) -> None:
        for observer in self._observers:
            _safely(observer.page_opened, page)

    def _on_close(self, context: Any) -> None:
        self.contexts[:] = [entry for entry in self.contexts if entry[0] is not context]


def open_pages(contexts: Sequence[tuple[Any, int]]) -> list[Any]:
    """Return the open pages of contexts that this thread may use."""
    here = get_ident()
    return [
        page
        for context, thread in contexts
        if thread == here
        for page in context.pages
        if not page.is_closed()
    ]


def is_async(thing: Any) -> bool:
    """Whether a page or context belongs to Playwright's asynchronous API."""
    return "async_api" in type(thing).__module__


def _answers(page: Any) -> bool:
    """Whether a page still does what it is asked; scripts, dialogs and crashes can prevent it."""
    try:
        page.locator(":root").wait_for(state="attached", timeout=PATIENCE_MS)
    except Exception:  # noqa: BLE001 - Playwright raises a plain Error too
        return False
    return True


def harmless(handler: Callable[P, None]) -> Callable[P, None]:
    """Log what a listener raises: in Playwright's loop it would end the test."""

    @functools.wraps(handler)
    def guarded(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            handler(*arguments, **named)
        except Exception as error:  # noqa: BLE001 - see above
            logging.getLogger(LOGGER).debug("an event could not be noted: %s", error)

    return guarded


def _safely(call: Callable[..., None], *arguments: Any) -> None:
    try:
        call(*arguments)
    except Exception as error:  # noqa: BLE001 - a page that is gone must not fail the test
        logging.getLogger(LOGGER).debug("a browser could not be observed: %s", error)
