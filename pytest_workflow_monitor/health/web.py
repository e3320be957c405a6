"""Asks web addresses: one request, by the proxy of the environment, no redirects, within a time."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.request
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.error import HTTPError, URLError

from pytest_workflow_monitor.errors import WorkflowMonitorError
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.support.patience import LateError, within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_BODY = 1_000_000
"""So much of a body is looked at."""

USER_AGENT = "pytest-workflow-monitor"

T = TypeVar("T")


class NoAnswerError(WorkflowMonitorError):
    """There was no answer."""


class Answer(Record, frozen=True, kw_only=True):
    """What was answered, and how long it took; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    took_ms: float


def get(url: str, headers: Mapping[str, str], *, seconds: float) -> Answer:
    """Ask for a web address; where it redirects to is not followed, so that headers stay with it.

    Raises:
        NoAnswerError: There was no answer; the sentence says why, and holds no address.
    """
    return _tried(seconds, lambda: _get(url, headers, seconds))


def connect(host: str, port: int, *, seconds: float) -> None:
    """Open a TCP connection and close it.

    Raises:
        NoAnswerError: There was no answer.
    """
    _tried(seconds, lambda: socket.create_connection((host, port), timeout=seconds).close())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Keeps to the address that was configured: another one must not learn what is sent."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _get(url: str, headers: Mapping[str, str], seconds: float) -> Answer:
    request = urllib.request.Request(  # noqa: S310 - the settings only take web addresses
        url, headers={"User-Agent": USER_AGENT, **headers}
    )
    opener = urllib.request.build_opener(_NoRedirects)
    began = perf_counter()
    try:
        answer = opener.open(request, timeout=seconds)
    except HTTPError as error:  # which is an answer, too
        answer = error
    with answer:
        body = answer.read(LONGEST_BODY)
        took = (perf_counter() - began) * 1000
        named = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(status=answer.status, headers=named, body=body, took_ms=took)


def _tried(seconds: float, call: Callable[[], T]) -> T:
    try:
        return within(seconds, "health check", call)
    except LateError:
        raise NoAnswerError(_late(seconds)) from None
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise NoAnswerError(_said(error, seconds)) from None


def _said(error: BaseException, seconds: float) -> str:
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        return _said(error.reason, seconds)
    if isinstance(error, TimeoutError):
        return _late(seconds)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection: {error.reason or 'it broke off'}"
    for kind, said in _REASONS.items():
        if isinstance(error, kind):
            return said
    return getattr(error, "strerror", None) or type(error).__name__


def _late(seconds: float) -> str:
    return f"no answer within {seconds:g} s"


_REASONS: dict[type[BaseException], str] = {
    ConnectionRefusedError: "it refuses connections",
    socket.gaierror: "its name is not known",
    ConnectionError: "it broke the connection off",
    http.client.HTTPException: "what it answers is no HTTP",
    UnicodeError: "its name is not known",
}
