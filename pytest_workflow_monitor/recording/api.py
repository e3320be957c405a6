"""What a test calls: steps, metrics, attachments, degradations and labels.

Outside a recorded workflow each of these does what plain code would do, and nothing else.
"""

from __future__ import annotations

from math import inf, isfinite
from time import perf_counter_ns
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from pytest_workflow_monitor.recording.context import as_text, current_step, process
from pytest_workflow_monitor.recording.verdicts import first_line, text_of, verdict
from pytest_workflow_monitor.words.durations import seconds

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from types import TracebackType

    from pytest_workflow_monitor.recording.details import OpenStep

MAX_REASON = 10_000
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class step:  # noqa: N801 - reads as a word of the test's language
    """Name a part of a workflow: ``with step("Open the login page"):``.

    Steps nest. They work as context manager, as asynchronous context manager, and as decorator of
    functions, coroutine functions and generators (of which each part between two yields is a
    step); a decorator's name may hold the function's arguments,
    ``@step("Add {product} to the cart")``. In a fixture they count as set-up or tear-down. When an
    exception leaves a step, the step and those around it have failed.

    Args:
        name: What a person would call this part; at most 500 characters are kept.
        optional: A failure is swallowed and makes the execution degraded instead of failed.
        slower_than: Seconds, or a text such as ``"2s"``, beyond which a passed step is degraded.

    Raises:
        ValueError: ``slower_than`` is not a duration.
        TypeError: ``slower_than`` is neither number nor text, or the name is missing.
    """

    __slots__ = ("_open", "name", "optional", "slower_than")

    def __init__(
        self, name: str, *, optional: bool = False, slower_than: float | str | None = None
    ) -> None:
        self.name = name if type(name) is str else _spelled(name)
        self.optional = optional
        self.slower_than = None if slower_than is None else seconds(slower_than)
        self._open: OpenStep | None = None

    def __enter__(self) -> Self:
        opened = self._start()
        if opened is not None and opened.recorder.equipment.contexts:
            from pytest_workflow_monitor.recording.browser.steps import enter

            try:
                enter(opened)
            except BaseException as error:
                self._finish(self._taken(), error)
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        opened = self._taken()
        try:
            if opened is not None and opened.recorder.equipment.contexts:
                from pytest_workflow_monitor.recording.browser.steps import leave

                leave(opened, error)
        finally:
            swallow = self._finish(opened, error)
        return swallow

    async def __aenter__(self) -> Self:
        opened = self._start()
        if opened is not None and opened.recorder.equipment.contexts:
            from pytest_workflow_monitor.recording.browser.steps import enter_async

            try:
                await enter_async(opened)
            except BaseException as error:
                self._finish(self._taken(), error)
                raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        opened = self._taken()
        try:
            if opened is not None and opened.recorder.equipment.contexts:
                from pytest_workflow_monitor.recording.browser.steps import leave_async

                await leave_async(opened, error)
        finally:
            swallow = self._finish(opened, error)
        return swallow

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function so that each call is a step."""
        from pytest_workflow_monitor.recording.decorated import decorated

        made: Callable[P, R] = decorated(self, function)
        return made

    def _start(self) -> OpenStep | None:
        recorder = process.recorder
        if recorder is None:
            self._open = None
            return None
        opened = recorder.start_step(
            self.name, optional=self.optional, slower_than=self.slower_than
        )
        opened.shadowed = self._open
        self._open = opened
        current_step.set(opened)
        return opened

    def _taken(self) -> OpenStep | None:
        """Take the step that is to end off those that this object has open.

        More than one are open where an object is entered again, by recursion or by another task
        or thread; then it is this context's.
        """
        opened = self._open
        if opened is None or opened.shadowed is None:
            self._open = None
            return opened
        before, wanted = None, current_step.get()
        candidate: OpenStep | None = opened
        while candidate is not None and candidate is not wanted:
            before, candidate = candidate, candidate.shadowed
        if candidate is None or before is None:
            self._open = opened.shadowed
            return opened
        before.shadowed = candidate.shadowed
        return candidate

    def _finish(self, opened: OpenStep | None, error: BaseException | None) -> bool:
        if opened is not None and current_step.get() is opened:
            current_step.set(opened.outer)  # else it ends out of turn, and what is open stays so
        if error is None:
            if opened is not None:
                opened.recorder.end_step(opened, "passed")
            return False
        status = verdict(error)
        swallow = self.optional and status == "failed"
        if opened is None:
            return swallow
        message = text_of(error)
        opened.recorder.end_step(opened, "degraded" if swallow else status, message)
        if swallow:
            opened.recorder.degrade(f"optional step {self.name!r} failed: {first_line(message)}")
        return swallow


class _Timer:
    """Measures a part of a workflow; one object may be entered again, also while it is open."""

    __slots__ = ("_started_ns", "name", "threshold")

    def __init__(self, name: str, threshold: float | None) -> None:
        self.name = name
        self.threshold = threshold
        self._started_ns: list[int] = []

    def __enter__(self) -> Self:
        self._started_ns.append(perf_counter_ns())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        took_ms = (perf_counter_ns() - self._started_ns.pop()) / 1e6
        if error is None:
            metric(self.name, took_ms, "ms", threshold=self.threshold)


class _Metric:
    """The function :data:`metric`, and its timer."""

    __slots__ = ()

    def __call__(
        self, name: str, value: float, unit: str = "", *, threshold: float | None = None
    ) -> None:
        """Record a number that the workflow measured.

        Args:
            name: What was measured, such as ``"cart_total_ms"``.
            value: The number; one that is not finite is not kept, and degrades.
            unit: Its unit, such as ``"ms"``.
            threshold: The largest value that is still good; beyond it the execution is degraded.

        Raises:
            TypeError: ``value`` or ``threshold`` is not a number.
            ValueError: ``value`` or ``threshold`` is a text that is not a number.
        """
        number = float(value)
        limit = None if threshold is None or threshold == inf else float(threshold)
        recorder = process.recorder
        if recorder is None:
            return
        name, unit = as_text(name), as_text(unit)
        if not isfinite(number) or not (limit is None or isfinite(limit)):
            what = f"{number}" if limit is None else f"{number}, with a threshold of {limit}"
            recorder.degrade(f"metric {name} is {what}; only finite numbers can be kept")
            return
        from pytest_workflow_monitor.model import Metric

        within = None if limit is None else number <= limit
        recorder.details.metrics.append(
            Metric(
                name=name,
                value=number,
                unit=unit,
                threshold_value=limit,
                is_within_threshold=within,
                step=recorder.step_index(),
                recorded_ms=recorder.elapsed_ms(),
            )
        )
        if within is False:
            suffix = f" {unit}" if unit else ""
            recorder.degrade(
                f"{name} is {number:g}{suffix}, beyond its threshold of {limit:g}{suffix}"
            )

    def timer(self, name: str, *, threshold: float | None = None) -> _Timer:
        """Record how many milliseconds a block takes: ``with metric.timer("search_ms"):``.

        A block that an exception leaves records nothing: how long a failure took says nothing about
        how long the work takes.

        Args:
            name: What was measured.
            threshold: The longest duration in milliseconds that is still good.
        """
        return _Timer(name, threshold)


metric = _Metric()


def attach(
    content: str | os.PathLike[str] | bytes | bytearray | memoryview,
    name: str | None = None,
    content_type: str | None = None,
) -> None:
    """Keep a file, or bytes, as evidence beside the execution.

    A file that cannot be read or kept does not fail the test; the report says why it is missing.

    Args:
        content: The path of a file, or the content itself as bytes.
        name: How reports call it; by default the file's name.
        content_type: Its media type; by default guessed from the name.
    """
    recorder = process.recorder
    if recorder is not None:
        from pytest_workflow_monitor.recording.artifacts import keep

        recorder.details.artifacts.append(keep(recorder, content, name, content_type))


def degrade(reason: str) -> None:
    """Say that the workflow works, but not as it should: a pass becomes ``degraded``."""
    if process.recorder is not None:
        process.recorder.degrade(as_text(reason, MAX_REASON))


def label(name: str, value: object) -> None:
    """Put a label on the execution, to group and filter by; the last value of a name stays.

    At most 500 characters of name and value are kept.
    """
    if process.recorder is not None:
        process.recorder.details.labels[as_text(name)] = as_text(value)


def mask(value: T) -> T:
    """Keep a value out of everything that is recorded, from here on, and return it.

    It can be written where the value is used: ``page.fill("#card", mask(card_number))``. Values of
    fewer than four characters are not masked: they stand everywhere by chance.

    Args:
        value: A text, or what has one, such as a number.
    """
    from pytest_workflow_monitor.recording.secrecy import keep_secret

    keep_secret(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))
    return value


def _spelled(name: object) -> str:
    """Make a name of what is none, but not of the function under a ``@step`` without its name."""
    if callable(name):
        raise TypeError('a step needs a name: write @step("Open the login page")')
    return as_text(name)
