"""Requests of tests without a browser, for those who ask: httpx, requests and Playwright's client.

Nothing is patched. What is recorded is a line in the request log of the attempt, with address,
status and time, and a number for the API measurements; never headers or bodies. Outside a recorded
workflow all of this does nothing.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pytest_workflow_monitor.recording.context import process

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["async_event_hooks", "event_hooks", "recorded", "response_hook"]

T = TypeVar("T")
_STARTED = "workflow_monitor_started"
_METHODS = frozenset({"delete", "fetch", "get", "head", "patch", "post", "put"})


def event_hooks() -> dict[str, list[Callable[..., Any]]]:
    """Return the event hooks for a client of httpx: ``httpx.Client(event_hooks=event_hooks())``.

    The time is that until the answer's headers are there. httpx has no hook for a request that gets
    no answer, so that such a one is not recorded.
    """
    return {"request": [_httpx_started], "response": [_httpx_answered]}


def async_event_hooks() -> dict[str, list[Callable[..., Any]]]:
    """Return the same for an ``httpx.AsyncClient``."""

    async def started(request: Any) -> None:
        _httpx_started(request)

    async def answered(response: Any) -> None:
        _httpx_answered(response)

    return {"request": [started], "response": [answered]}


def response_hook(response: Any, *_: Any, **__: Any) -> None:
    """Record an answer; a hook of requests: ``session.hooks["response"].append(response_hook)``.

    The time is that until the answer's headers are there. requests has no hook for a request that
    gets no answer, so that such a one is not recorded.
    """
    duration_ms = response.elapsed.total_seconds() * 1000
    _record(
        response.request.method,
        response.url,
        duration_ms=duration_ms,
        status=response.status_code,
        headers=response.headers,
    )


def recorded(context: T) -> T:
    """Wrap an ``APIRequestContext`` of Playwright, of either API, so that its calls are recorded.

    For example ``recorded(page.request)`` or ``recorded(playwright.request.new_context())``. What
    is returned can do all that the context can. A call without an answer is recorded too.
    """
    return cast(T, _Recorded(context))


class _Recorded:
    """Stands for an API request context and times its calls."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._context, name)
        if name not in _METHODS:
            return found
        is_async = "async_api" in type(self._context).__module__
        return (_timed_async if is_async else _timed)(name, found)


def _timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def timed(url: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        method = _method(name, options)
        started_ns = perf_counter_ns()
        try:
            response = call(url, **options)
        except Exception as error:
            _failed(method, url, started_ns, error)
            raise
        _playwright_answered(method, response, started_ns)
        return response

    return timed


def _timed_async(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    async def timed(url: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        method = _method(name, options)
        started_ns = perf_counter_ns()
        try:
            response = await call(url, **options)
        except Exception as error:
            _failed(method, url, started_ns, error)
            raise
        _playwright_answered(method, response, started_ns)
        return response

    return timed


def _method(name: str, options: dict[str, Any]) -> str:
    return str(options.get("method") or "GET") if name == "fetch" else name.upper()


def _playwright_answered(method: str, response: Any, started_ns: int) -> None:
    _record(
        method,
        response.url,
        duration_ms=_ms_since(started_ns),
        status=response.status,
        headers=response.headers,
    )


def _failed(method: str, url: Any, started_ns: int, error: Exception) -> None:
    from pytest_workflow_monitor.recording.verdicts import first_line, text_of

    address = url if isinstance(url, str) else getattr(url, "url", "")
    _record(method, address, duration_ms=_ms_since(started_ns), failure=first_line(text_of(error)))


def _httpx_started(request: Any) -> None:
    request.extensions[_STARTED] = perf_counter_ns()


def _httpx_answered(response: Any) -> None:
    started_ns = response.request.extensions.get(_STARTED)
    if started_ns is not None:
        _record(
            response.request.method,
            str(response.request.url),
            duration_ms=_ms_since(started_ns),
            status=response.status_code,
            headers=response.headers,
        )


def _ms_since(started_ns: int) -> float:
    return (perf_counter_ns() - started_ns) / 1e6


def _record(
    method: str,
    url: str,
    *,
    duration_ms: float,
    status: int | None = None,
    headers: Any = (),
    failure: str = "",
) -> None:
    recorder = process.recorder
    if recorder is None:
        return
    from pytest_workflow_monitor.model import Event, EventKind
    from pytest_workflow_monitor.recording.addresses import safe_url, with_safe_urls
    from pytest_workflow_monitor.recording.answers import has_failed, level_of, size_of

    recorder.details.requests.append((duration_ms, has_failed(status)))
    is_slow = duration_ms >= recorder.equipment.slow_request_ms
    recorder.note(
        Event(
            kind=EventKind.REQUEST,
            at_ms=max(recorder.elapsed_ms() - duration_ms, 0.0),
            level=level_of(status, is_slow=is_slow),
            url=safe_url(url),
            method=method,
            status_code=status,
            duration_ms=duration_ms,
            size_bytes=size_of(dict(headers)),
            failure=with_safe_urls(failure),
            step=recorder.step_index(),
        )
    )
