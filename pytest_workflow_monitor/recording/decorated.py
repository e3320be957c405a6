"""Functions, coroutine functions and generators of which each run is a step."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.recording.context import process

if TYPE_CHECKING:
    from pytest_workflow_monitor.recording.api import step


def decorated(template: step, function: Any) -> Any:
    """Wrap a function by one of its own kind, so that pytest and asyncio still know what it is.

    Raises:
        TypeError: This is no function, or a fixture: the step belongs below ``pytest.fixture``.
    """
    if isinstance(function, staticmethod | classmethod):
        return type(function)(decorated(template, function.__func__))
    if _is_fixture(function):
        raise TypeError(
            f"@step({template.name!r}) stands above @pytest.fixture; put it between "
            "@pytest.fixture and the function."
        )
    if inspect.isclass(function) or not callable(function):
        raise TypeError(f"step({template.name!r}) can decorate a function, not {function!r}.")
    wrapper = _wrap_plain
    for is_kind, wrap_kind in (
        (inspect.iscoroutinefunction, _wrap_coroutine),
        (inspect.isgeneratorfunction, _wrap_generator),
        (inspect.isasyncgenfunction, _wrap_async_generator),
    ):
        if is_kind(function):
            wrapper = wrap_kind
    return functools.wraps(function)(wrapper(function, _maker(template, function)))


def _maker(template: step, function: Any) -> Any:
    """Return what makes the step of one call; its name is only filled in where it is recorded."""
    kind, name = type(template), template.name
    optional, slower_than = template.optional, template.slower_than
    signature = _signature(function) if "{" in name else None

    def fresh(args: Any, kwargs: Any) -> step:
        if signature is None or process.recorder is None:
            return kind(name, optional=optional, slower_than=slower_than)
        filled_in = _filled_in(name, signature, args, kwargs)
        return kind(filled_in, optional=optional, slower_than=slower_than)

    return fresh


def _wrap_plain(function: Any, fresh: Any) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with fresh(args, kwargs):
            return function(*args, **kwargs)

    return wrapper


def _wrap_coroutine(function: Any, fresh: Any) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        async with fresh(args, kwargs):
            return await function(*args, **kwargs)

    return wrapper


def _wrap_generator(function: Any, fresh: Any) -> Any:
    """Make a step of each part between two yields.

    What happens while a generator waits is not its own: for a fixture the whole test, or, with a
    wider scope, many.
    """

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        generator = function(*args, **kwargs)
        resume = functools.partial(next, generator)
        while True:
            is_over = True
            with fresh(args, kwargs):
                try:
                    value = resume()
                except StopIteration as stop:
                    return stop.value
                is_over = False
            if is_over:  # an optional step has swallowed what ended it
                return None
            try:
                sent = yield value
            except GeneratorExit:
                generator.close()
                raise
            except BaseException as error:  # noqa: BLE001 - the generator is to have it
                resume = functools.partial(generator.throw, error)
            else:
                resume = functools.partial(generator.send, sent)

    return wrapper


def _wrap_async_generator(function: Any, fresh: Any) -> Any:
    """Do as :func:`_wrap_generator`."""

    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        generator = function(*args, **kwargs)
        resume = functools.partial(anext, generator)
        while True:
            is_over = True
            async with fresh(args, kwargs):
                try:
                    value = await resume()
                except StopAsyncIteration:
                    return
                is_over = False
            if is_over:
                return
            try:
                sent = yield value
            except GeneratorExit:
                await generator.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - the generator is to have it
                resume = functools.partial(generator.athrow, error)
            else:
                resume = functools.partial(generator.asend, sent)

    return wrapper


def _is_fixture(function: Any) -> bool:
    return (
        type(function).__name__ == "FixtureFunctionDefinition"
        or getattr(function, "_pytestfixturefunction", None) is not None  # before pytest 8.4
    )


def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _filled_in(name: str, signature: inspect.Signature, args: Any, kwargs: Any) -> str:
    try:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return name.format(**bound.arguments)
    except Exception:  # noqa: BLE001 - a name must never break the call it names
        return name
