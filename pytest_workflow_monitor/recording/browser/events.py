"""Notes what pages report while a test runs: console, errors, requests, dialogs, addresses."""

from __future__ import annotations

import re
from time import perf_counter_ns, time
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Event, EventKind, Page
from pytest_workflow_monitor.recording.addresses import safe_url, with_safe_urls
from pytest_workflow_monitor.recording.answers import has_failed, level_of, size_of
from pytest_workflow_monitor.recording.browser.watch import Observer, harmless, is_async
from pytest_workflow_monitor.recording.context import process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.recording.recorder import Recorder

MAX_TEXT = 2_000
MAX_PAGES = 50

LEVELS = {"error": "error", "assert": "error", "warning": "warning"}
"""Of the console's messages those that are kept."""

CANCELLED = frozenset({"net::ERR_ABORTED", "NS_BINDING_ABORTED", "cancelled", "Load cancelled"})
"""What browsers say of a request that the page itself gave up: by leaving, or as a download."""

ENDLESS = frozenset({"eventsource", "websocket", "media"})
"""Resources that are meant to take long."""

API = frozenset({"xhr", "fetch"})
_PLACE = re.compile(r"(\w+://[^\s()]+:\d+):\d+")


class PageEvents(Observer):
    """Gives each attempt the events of its pages, and their last addresses and titles.

    Args:
        slow_request_seconds: From when on an answered request is noted as slow.
    """

    def __init__(self, slow_request_seconds: float) -> None:
        self._slow_ms = slow_request_seconds * 1000
        self._pages = SeenPages()
        self._contexts: list[ContextEvents] = []

    def context_opened(self, context: Any) -> None:
        """Listen to all that the context's pages report."""
        events = ContextEvents(context, self._pages, self._slow_ms)
        self._contexts.append(events)
        events.listen()
        context.on("close", lambda: self._contexts.remove(events))

    def page_opened(self, page: Any) -> None:
        """Number the page, and notice its end."""
        self._pages.index(process.recorder, page)
        page.on("close", self._page_closed)
        page.on("crash", self._page_crashed)

    def test_ended(self, recorder: Recorder, pages: Sequence[Any]) -> None:
        """Note requests without an answer, and where the pages are."""
        for context in self._contexts:
            context.note_unanswered(recorder)
        self._pages.look_at(recorder, pages)

    @harmless
    def _page_closed(self, page: Any) -> None:
        self._pages.refresh(process.recorder, page)

    @harmless
    def _page_crashed(self, page: Any) -> None:
        recorder = process.recorder
        if recorder is not None:
            recorder.note(
                Event(
                    kind=EventKind.PAGE_ERROR,
                    at_ms=recorder.elapsed_ms(),
                    text="The page crashed.",
                    url=safe_url(page.url),
                    step=recorder.step_at(recorder.elapsed_ms()),
                    page=self._pages.index(recorder, page),
                )
            )


class SeenPages:
    """Numbers the pages of an attempt in the order in which they were seen."""

    def __init__(self) -> None:
        self._recorder: Recorder | None = None
        self._seen: list[Any] = []

    def index(self, recorder: Recorder | None, page: Any) -> int | None:
        """Return the page's number; None without a page, and for those beyond very many."""
        if recorder is None or page is None:
            return None
        if recorder is not self._recorder:
            self._recorder, self._seen = recorder, []
        for index, seen in enumerate(self._seen):
            if seen is page:
                return index
        if len(self._seen) == MAX_PAGES:
            return None
        self._seen.append(page)
        recorder.details.pages.append(Page(url=safe_url(page.url)))
        return len(self._seen) - 1

    def refresh(self, recorder: Recorder | None, page: Any, title: str = "") -> None:
        """Note where a page is now."""
        index = self.index(recorder, page)
        if recorder is not None and index is not None:
            title = title or recorder.details.pages[index].title
            recorder.details.pages[index] = Page(
                url=safe_url(page.url), title=known.cut(title, MAX_TEXT)
            )

    def look_at(self, recorder: Recorder, pages: Sequence[Any]) -> None:
        """Note where all pages are, and the titles of those given."""
        for page in pages:
            self.refresh(recorder, page, page.title())
        if recorder is self._recorder:
            for page in self._seen:
                self.refresh(recorder, page)


class ContextEvents:
    """Listens to one browser context.

    What it hears belongs to the attempt that runs now. From a context that an earlier attempt
    opened, only what began in this one counts.
    """

    def __init__(self, context: Any, pages: SeenPages, slow_ms: float) -> None:
        self._context = context
        self._pages = pages
        self._slow_ms = slow_ms
        self._opened_by = process.recorder
        self._unanswered: dict[Any, int] = {}

    def listen(self) -> None:
        """Ask the context for its events."""
        on = self._context.on
        on("console", self._on_console)
        on("weberror", self._on_error)
        on("request", self._on_request)
        on("requestfinished", self._on_finished)
        on("requestfailed", self._on_failed)
        if _listeners(self._context) is not None:
            on("dialog", self._on_dialog_async if is_async(self._context) else self._on_dialog)

    @harmless
    def _on_console(self, message: Any) -> None:
        level = LEVELS.get(message.type)
        began = self._began(getattr(message, "timestamp", 0.0))
        if level is not None and began is not None:
            where = message.location
            url, line = safe_url(where["url"]), where["lineNumber"] + 1
            self._note(
                *began,
                EventKind.CONSOLE,
                message.page,
                level=level,
                text=message.text,
                place=f"{url}:{line}" if url else "",
            )

    @harmless
    def _on_error(self, happened: Any) -> None:
        began = self._began(0.0)
        if began is not None:
            error = happened.error
            name, stack = getattr(error, "name", ""), getattr(error, "stack", None) or ""
            place = _PLACE.search(stack)
            self._note(
                *began,
                EventKind.PAGE_ERROR,
                happened.page,
                text=f"{name}: {error.message}" if name else error.message,
                place=safe_url(place[1]) if place else "",
            )

    @harmless
    def _on_request(self, request: Any) -> None:
        self._unanswered[request] = perf_counter_ns()

    @harmless
    def _on_finished(self, request: Any) -> None:
        self._answered(request, failure="")

    @harmless
    def _on_failed(self, request: Any) -> None:
        failure = request.failure or "failed"
        response = request.existing_response
        if failure not in CANCELLED:
            self._answered(request, failure=failure)
        elif response is not None and has_failed(response.status):
            self._answered(request, failure="")  # the page left before it had read the answer
        else:
            self._unanswered.pop(request, None)

    def _answered(self, request: Any, failure: str) -> None:
        heard_ns = self._unanswered.pop(request, None)
        timing = request.timing
        began = self._began(timing["startTime"], heard_ns)
        if began is None:
            return
        recorder, at_ms = began
        duration_ms = timing["responseEnd"] if timing["startTime"] > 0 else -1.0
        if duration_ms < 0:
            duration_ms = max(recorder.elapsed_ms() - at_ms, 0.0)
        response = request.existing_response
        status = response.status if response is not None and not failure else None
        if request.resource_type in API:
            recorder.details.requests.append((duration_ms, has_failed(status)))
        is_slow = self._is_slow(request, duration_ms)
        if has_failed(status) or is_slow:
            self._note(
                recorder,
                at_ms,
                EventKind.REQUEST,
                _page_of(request),
                level=level_of(status, is_slow=is_slow),
                url=safe_url(request.url),
                method=request.method,
                status_code=status,
                duration_ms=duration_ms,
                size_bytes=None if response is None else size_of(response.headers),
                failure=failure,
            )

    def note_unanswered(self, recorder: Recorder) -> None:
        """Note the requests that have been waiting for long, at the end of a test."""
        for request, heard_ns in list(self._unanswered.items()):
            at_ms = (heard_ns - recorder.started_ns) / 1e6
            waited_ms = recorder.elapsed_ms() - at_ms
            if at_ms >= 0 and self._is_slow(request, waited_ms):
                self._note(
                    recorder,
                    at_ms,
                    EventKind.REQUEST,
                    _page_of(request),
                    level="warning",
                    url=safe_url(request.url),
                    method=request.method,
                    duration_ms=waited_ms,
                    failure="no answer when the test ended",
                )

    def _on_dialog(self, dialog: Any) -> None:
        self._note_dialog(dialog)
        if self._is_ours_alone(dialog):
            dialog.accept() if dialog.type == "beforeunload" else dialog.dismiss()

    async def _on_dialog_async(self, dialog: Any) -> None:
        self._note_dialog(dialog)
        if self._is_ours_alone(dialog):
            await (dialog.accept() if dialog.type == "beforeunload" else dialog.dismiss())

    @harmless
    def _note_dialog(self, dialog: Any) -> None:
        began = self._began(0.0)
        if began is not None:
            text = f"{dialog.type}: {dialog.message}"
            self._note(*began, EventKind.DIALOG, dialog.page, level="info", text=text)

    def _is_ours_alone(self, dialog: Any) -> bool:
        """Whether nobody else will close a dialog.

        Playwright closes dialogs itself, but not where anybody listens to them, as we do.
        """
        others = (_listeners(self._context) or 1) - 1
        return others + (_listeners(dialog.page) or 0) == 0

    def _is_slow(self, request: Any, duration_ms: float) -> bool:
        return duration_ms >= self._slow_ms and request.resource_type not in ENDLESS

    def _began(self, epoch_ms: float, heard_ns: int | None = None) -> tuple[Recorder, float] | None:
        """Return the attempt that something belongs to, and when it began in it.

        Args:
            epoch_ms: The browser's time, in milliseconds; not above 0 where it is not known.
            heard_ns: When we heard of it, by the performance counter.
        """
        recorder = process.recorder
        if recorder is None:
            return None
        if epoch_ms > 0:
            at_ms = recorder.elapsed_ms() - (time() * 1000 - epoch_ms)
        elif heard_ns is not None:
            at_ms = (heard_ns - recorder.started_ns) / 1e6
        else:
            at_ms = recorder.elapsed_ms()
        if at_ms < 0 and self._opened_by is not recorder:
            return None
        return recorder, min(max(at_ms, 0.0), recorder.elapsed_ms())

    def _note(
        self, recorder: Recorder, at_ms: float, kind: EventKind, page: Any, **what: Any
    ) -> None:
        text = known.cut(with_safe_urls(known.cut(what.pop("text", ""), 2 * MAX_TEXT)), MAX_TEXT)
        recorder.note(
            Event(
                kind=kind,
                at_ms=at_ms,
                text=text,
                step=recorder.step_at(at_ms),
                page=self._pages.index(recorder, page),
                **what,
            )
        )


def _listeners(emitter: Any) -> int | None:
    """Count who listens to dialogs; Playwright's public API does not tell. None: not known."""
    try:
        return len(emitter._impl_obj.listeners("dialog"))  # noqa: SLF001
    except AttributeError:
        return None


def _page_of(request: Any) -> Any:
    """Return the page of a request; the first of a pop-up and those of workers have none."""
    try:
        return request.frame.page
    except Exception:  # noqa: BLE001 - Playwright raises a plain Error
        return None
