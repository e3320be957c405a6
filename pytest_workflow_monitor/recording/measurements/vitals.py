"""Measures every visit of a page: how soon it answered, painted and calmed down.

A script at the start of each document listens to the browser's own performance entries. It hands
what it knows to this process when a navigation begins, a while after something changed, and, with
Playwright's synchronous API, when the test has ended. The last word on a visit counts.
"""

from __future__ import annotations

import asyncio
import logging
from importlib.resources import files
from math import inf
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_workflow_monitor.model import Metric
from pytest_workflow_monitor.recording.browser.watch import Observer, is_async
from pytest_workflow_monitor.recording.context import process
from pytest_workflow_monitor.recording.measurements.lighthouse import (
    performance_score,
    total_blocking_ms,
)
from pytest_workflow_monitor.words.metric_names import PAGE_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_workflow_monitor.recording.recorder import Recorder

MAX_VISITS = 50
MAX_DOCUMENTS = 500
"""More than the visits that are kept: those without a paint count for the network."""

MAX_PATH = 500
TAKE = "__workflowMonitorTake"
GIVE = "() => globalThis.__workflowMonitorGive?.()"
CLOCKS_APART_MS = 100.0
"""From here on the browser's clock is taken to be another one, and not just to be asked late."""

LOGGER = "pytest_workflow_monitor.measurements"
"""The name of the log, which is made when it is needed: pytest visits all of them in each test."""


class Visit(msgspec.Struct, frozen=True, gc=False):
    """A path that a document showed, from ``at`` milliseconds after the document began."""

    path: str
    at: float
    inp_ms: float | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What a document's script measured, as it is handed over.

    ``began`` is in milliseconds since 1970 by the browser's clock; all else counts from there, and
    ``age`` is when it was handed over. ``id`` is random. None is what did not happen, or what this
    browser does not measure.
    """

    id: float
    began: float
    age: float
    mobile: bool
    requests: int
    transfer_bytes: int
    network_bytes: int
    visits: tuple[Visit, ...]
    ttfb_ms: float | None = None
    fcp_ms: float | None = None
    lcp_ms: float | None = None
    cls: float | None = None
    tasks: tuple[tuple[float, float], ...] | None = None
    dom_content_loaded_ms: float | None = None
    load_ms: float | None = None

    def values(self) -> dict[str, float]:
        """The metrics of the load, and the score that follows from them."""
        measured = {
            name: value for name in PAGE_UNITS if (value := getattr(self, name, None)) is not None
        }
        if self.tasks is not None and self.fcp_ms is not None:
            ready_ms = inf if self.dom_content_loaded_ms is None else self.dom_content_loaded_ms
            measured["tbt_ms"] = total_blocking_ms(self.tasks, self.fcp_ms, ready_ms)
        score = performance_score(measured, mobile=self.mobile)
        return measured if score is None else {**measured, "performance_score": score}


class Vitals(Observer):
    """Installs the script in every context that a workflow opens, and takes what it hands over."""

    def __init__(self) -> None:
        self._script = ""
        self._recorder: Recorder | None = None
        self._documents: dict[float, Document] = {}
        self._lag_ms = inf
        self._installing: set[asyncio.Task[None]] = set()

    def context_opened(self, context: Any) -> None:
        """Install the script; it waits for nothing with the asynchronous API."""
        if process.recorder is None:
            return
        script = self._script = self._script or _script()
        if is_async(context):
            task = asyncio.ensure_future(self._install(context, script))
            self._installing.add(task)
            task.add_done_callback(self._installing.discard)
        else:
            # the script first: pages that are being opened now must not miss it
            context.add_init_script(script)
            context.expose_binding(TAKE, self._take)

    def test_ended(self, recorder: Recorder, pages: Sequence[Any]) -> None:
        """Ask the pages that are still open for what they know by now."""
        for page in pages[:MAX_VISITS]:
            if page.url == "about:blank":
                continue
            try:
                text = page.evaluate(GIVE)
            except Exception as error:  # noqa: BLE001 - a page that is gone has no more to say
                logging.getLogger(LOGGER).debug("a page could not be asked: %s", error)
            else:
                if text is not None:
                    self._keep(recorder, text)

    def metrics(self, recorder: Recorder) -> list[Metric]:
        """The metrics of all visits of the attempt, in order of their beginnings."""
        documents = self._documents if recorder is self._recorder else {}
        ordered = sorted(documents.values(), key=lambda document: document.began)
        found: list[Metric] = []
        left = MAX_VISITS
        for document in ordered:
            if document.fcp_ms is not None and left > 0:
                began_ms = _began_ms(recorder, document) + self._clocks_apart_ms()
                visits = document.visits[:left]
                left -= len(visits)
                found += _metrics(recorder, document, visits, began_ms)
        return found

    def _clocks_apart_ms(self) -> float:
        """How far the browser's clock is behind, as one in another machine may be.

        What is handed over the fastest tells it best.
        """
        return self._lag_ms if abs(self._lag_ms) > CLOCKS_APART_MS else 0.0

    def network_bytes(self, recorder: Recorder) -> int:
        """How much the pages of the attempt received, as far as they may know."""
        documents = self._documents if recorder is self._recorder else {}
        return sum(document.network_bytes for document in documents.values())

    async def _install(self, context: Any, script: str) -> None:
        try:
            await context.add_init_script(script)
            await context.expose_binding(TAKE, self._take)
        except Exception as error:  # noqa: BLE001 - a context that was closed at once must not fail the test
            logging.getLogger(LOGGER).debug("a context is not measured: %s", error)

    def _take(self, _source: Any, text: Any) -> None:
        recorder = process.recorder
        if recorder is not None:
            self._keep(recorder, text)

    def _keep(self, recorder: Recorder, text: Any) -> None:
        """Keep the last word on a document that this attempt opened.

        Any script of the page can call the binding, so that what it says may be anything.
        """
        try:
            document = msgspec.json.decode(text, type=Document)
        except (TypeError, ValueError):
            return
        now_ms = recorder.elapsed_ms()
        if document.age > now_ms:
            return  # of an earlier attempt, in a context that outlives it
        if recorder is not self._recorder:
            self._recorder, self._documents, self._lag_ms = recorder, {}, inf
        self._lag_ms = min(self._lag_ms, now_ms - document.age - _began_ms(recorder, document))
        if document.id in self._documents or len(self._documents) < MAX_DOCUMENTS:
            self._documents[document.id] = document


def _script() -> str:
    return files(__package__).joinpath("vitals.js").read_text(encoding="utf-8")


def _began_ms(recorder: Recorder, document: Document) -> float:
    return document.began - recorder.started_at.timestamp() * 1000


def _metrics(
    recorder: Recorder, document: Document, visits: Sequence[Visit], began_ms: float
) -> Iterator[Metric]:
    for visit in visits:
        values = document.values() if visit is document.visits[0] else {}
        if visit.inp_ms is not None:
            values["inp_ms"] = visit.inp_ms
        step = recorder.step_at(began_ms + visit.at)
        for name, unit in PAGE_UNITS.items():
            if name in values:
                yield Metric(
                    name=name,
                    value=round(values[name], 4),
                    unit=unit,
                    step=step,
                    recorded_ms=max(began_ms + document.age, 0.0),
                    page=visit.path[:MAX_PATH],
                )
