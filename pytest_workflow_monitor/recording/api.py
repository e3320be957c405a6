"""What a test calls: steps, metrics, attachments, degradations and labels.

Outside a recorded workflow each of these does what plain code would do, and nothing else.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from pytest_workflow_monitor.durations import seconds
from pytest_workflow_monitor.recording.context import current_step, process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from pytest_workflow_monitor.recording.recorder import OpenStep

P = ParamSpec("P")
R = TypeVar("R")


class step:  # noqa: N801 - reads as a word of the test's language
    """Name a part of a workflow: ``with step("Open the login page"):``.

    Steps nest. They work as context manager, as asynchronous context manager, and as decorator of
    functions, coroutine functions and generators; a decorator's name may hold the function's
    arguments, ``@step("Add {product} to the cart")``. In a fixture they count as set-up or
    tear-down. When an exception leaves a step, the step and those around it have failed.

    Args:
        name: What a person would call this part; at most 500 characters are kept.
        optional: A failure is swallowed and makes the execution degraded instead of failed.
        slower_than: Seconds, or a text such as ``"2s"``, beyond which a passed step is degraded.

    Raises:
        ValueError: ``slower_than`` is not a duration.
    """

    __slots__ = ("_open", "name", "optional", "slower_than")

    def __init__(
        self, name: str, *, optional: bool = False, slower_than: float | str | None = None
    ) -> None:
        self.name = name
        self.optional = optional
        self.slower_than = None if slower_than is None else seconds(slower_than)
        self._open: OpenStep | None = None

    def __enter__(self) -> Self:
        opened = self._start()
        if opened is not None and opened.recorder.tracers:
            from pytest_workflow_monitor.recording.tracing import open_groups

            open_groups(opened)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        opened = self._open
        if opened is not None and opened.groups:
            from pytest_workflow_monitor.recording.tracing import close_groups

            close_groups(opened)
        return self._finish(error)

    async def __aenter__(self) -> Self:
        opened = self._start()
        if opened is not None and opened.recorder.tracers:
            from pytest_workflow_monitor.recording.tracing import open_groups_async

            await open_groups_async(opened)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        opened = self._open
        if opened is not None and opened.groups:
            from pytest_workflow_monitor.recording.tracing import close_groups_async

            await close_groups_async(opened)
        return self._finish(error)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function so that each call is a step."""
        return _decorated(self, function)

    def _start(self) -> OpenStep | None:
        recorder = process.recorder
        if recorder is None:
            self._open = None
            return None
        self._open = recorder.start_step(
            self.name, optional=self.optional, slower_than=self.slower_than
        )
        current_step.set(self._open)
        return self._open

    def _finish(self, error: BaseException | None) -> bool:
        swallow = self.optional and error is not None and _is_failure(error)
        opened, self._open = self._open, None
        if opened is None:
            return swallow
        current_step.set(opened.outer)
        if error is None:
            opened.recorder.end_step(opened, "passed")
        elif swallow:
            message = _message(error)
            opened.recorder.end_step(opened, "degraded", message)
            opened.recorder.degrade(f"optional step {self.name!r} failed: {_first_line(message)}")
        else:
            status = "failed" if _is_failure(error) else _verdict(error)
            opened.recorder.end_step(opened, status, _message(error))
        return swallow


def metric(name: str, value: float, unit: str = "", *, threshold: float | None = None) -> None:
    """Record a number that the workflow measured.

    Args:
        name: What was measured, such as ``"cart_total_ms"``.
        value: The number.
        unit: Its unit, such as ``"ms"``.
        threshold: The largest value that is still good; beyond it the execution is degraded.

    Raises:
        TypeError: ``value`` or ``threshold`` is not a number.
        ValueError: ``value`` or ``threshold`` is a text that is not a number.
    """
    number = float(value)
    limit = None if threshold is None else float(threshold)
    recorder = process.recorder
    if recorder is None:
        return
    from pytest_workflow_monitor.model import Metric

    within = None if limit is None else number <= limit
    recorder.metrics.append(
        Metric(
            name=str(name),
            value=number,
            unit=str(unit),
            threshold_value=limit,
            is_within_threshold=within,
            step=recorder.step_index(),
            recorded_ms=recorder.elapsed_ms(),
        )
    )
    if within is False:
        suffix = f" {unit}" if unit else ""
        recorder.degrade(f"{name} is {number:g}{suffix}, beyond its threshold of {limit:g}{suffix}")


def attach(
    content: str | Path | bytes, name: str | None = None, content_type: str | None = None
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

        recorder.artifacts.append(keep(recorder, content, name, content_type))


def degrade(reason: str) -> None:
    """Say that the workflow works, but not as it should: a pass becomes ``degraded``."""
    if process.recorder is not None:
        process.recorder.degrade(str(reason))


def label(name: str, value: object) -> None:
    """Put a label on the execution, to group and filter by; the last value of a name stays."""
    if process.recorder is not None:
        process.recorder.labels[str(name)] = str(value)


def _decorated(template: step, function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a function by one of its own kind, so that pytest and asyncio still know what it is."""
    signature = inspect.signature(function) if "{" in template.name else None

    def fresh(args: Any, kwargs: Any) -> step:
        name = template.name
        if signature is not None:
            name = _filled_in(name, signature, args, kwargs)
        return step(name, optional=template.optional, slower_than=template.slower_than)

    wrap: Any = _wrap_plain
    for is_kind, wrap_kind in (
        (inspect.iscoroutinefunction, _wrap_coroutine),
        (inspect.isgeneratorfunction, _wrap_generator),
        (inspect.isasyncgenfunction, _wrap_async_generator),
    ):
        if is_kind(function):
            wrap = wrap_kind
    wrapped: Callable[P, R] = functools.wraps(function)(wrap(function, fresh))
    return wrapped


def _wrap_plain(function: Any, fresh: Any) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with fresh(args, kwargs):
            return function(*args, **kwargs)

    return wrapper


def _wrap_coroutine(function: Any, fresh: Any) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        async with fresh(args, kwargs):
            return await function(*args, **kwargs)

    return wrapper


def _wrap_generator(function: Any, fresh: Any) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with fresh(args, kwargs):
            return (yield from function(*args, **kwargs))

    return wrapper


def _wrap_async_generator(function: Any, fresh: Any) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        async with fresh(args, kwargs):
            async for item in function(*args, **kwargs):
                yield item

    return wrapper


def _filled_in(name: str, signature: inspect.Signature, args: Any, kwargs: Any) -> str:
    try:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return name.format(**bound.arguments)
    except Exception:  # noqa: BLE001 - a name must never break the call it names
        return name


def _is_failure(error: BaseException) -> bool:
    """Tell a failure from a skip, an end of the session, an expected failure or a time limit."""
    if isinstance(error, Exception):
        return True
    pytest = sys.modules.get("pytest")
    if pytest is None or not isinstance(error, pytest.fail.Exception):
        return False
    return not isinstance(error, pytest.xfail.Exception) and not str(error).startswith("Timeout ")


def _verdict(error: BaseException) -> str:
    pytest = sys.modules.get("pytest")
    if pytest is not None and isinstance(error, pytest.skip.Exception | pytest.xfail.Exception):
        return "skipped"
    if pytest is not None and isinstance(error, pytest.fail.Exception):
        return "timed_out"
    return "interrupted"


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception whose text cannot be made still has a type
        text = ""
    return text or type(error).__name__


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]
