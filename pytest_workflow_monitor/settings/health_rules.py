"""The words of the runner's own health: what a check found, and the checks that settings add.

Readers raise ValueError or TypeError with one clause that says what is wrong and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.settings.parsing import pause, table, tables, text

WEB = ("http", "https")
_STATUS = re.compile(r"[1-5](\d\d|xx)")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLAIN = re.compile(r"[!-~]+")
_HIGHEST_PORT = 65535


class HealthStatus(StrEnum):
    """How well something does that the monitoring itself needs."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"

    @property
    def severity(self) -> int:
        """0, 1 or 2: the exit code of ``workflow-monitor health``."""
        return tuple(HealthStatus).index(self)


class HealthCheck(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What one check found, on one machine at one time.

    ``expected_status`` and ``actual_status`` say in a few words what should be and what is, such
    as ``2xx`` and ``503``; ``detail`` says what is wrong, and is empty while nothing is.
    """

    project: str
    environment: str
    location: str
    host: str
    check_name: str
    status: HealthStatus
    expected_status: str
    actual_status: str
    checked_at: datetime
    response_time_ms: float | None = None
    detail: str = ""


class HttpCheck(Record, frozen=True, kw_only=True):
    """A request that has to be answered as expected.

    Attributes:
        name: What it is called.
        url: What is asked for.
        expected_status: Statuses such as ``200``, or classes of them such as ``2xx``.
        timeout_seconds: How long it may take in all.
        headers: What is sent along.
        headers_env: Headers whose values are in environment variables, which it names.
        body_pattern: A regular expression that has to be found in the body; empty for none.
    """

    name: str
    url: str
    expected_status: tuple[str, ...] = ("2xx",)
    timeout_seconds: float = 10.0
    headers: dict[str, str] = {}
    headers_env: dict[str, str] = {}
    body_pattern: str = ""

    def expects(self, status: int) -> bool:
        """Tell whether a status is one of those that are expected."""
        return any(it in {str(status), f"{status // 100}xx"} for it in self.expected_status)


def read_health_checks(value: Any) -> tuple[HttpCheck, ...]:
    """Read the tables ``health_checks``."""
    found: list[HttpCheck] = []
    for number, item in enumerate(tables(value), 1):
        given = table(item, _HTTP_CHECK, f"check {number}", needed=("name", "url"))
        if "timeout" in given:
            given["timeout_seconds"] = given.pop("timeout")
        found.append(HttpCheck(**given))
    called = [it.name for it in found]
    twice = sorted({it for it in called if called.count(it) > 1})
    if twice:
        raise ValueError(f"several checks are called {twice[0]!r}")
    return tuple(found)


def check_reference(reference: str) -> None:
    """Refuse what is neither a web address nor ``host:port``.

    Raises:
        ValueError: It is neither.
    """
    if not is_web_address(reference) and not _is_host_and_port(reference):
        raise ValueError("expected addresses such as https://example.org or 1.1.1.1:53")


def is_web_address(address: str) -> bool:
    """Tell whether something is an ``http`` or ``https`` address."""
    try:
        parts = urlsplit(address)
        return parts.scheme in WEB and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_host_and_port(address: str) -> bool:
    host, _, port = address.rpartition(":")
    return (
        bool(re.fullmatch(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]", host))
        and port.isdecimal()
        and 0 < int(port) <= _HIGHEST_PORT
    )


def _name(value: Any) -> str:
    if not text(value).strip():
        raise ValueError("expected a name")
    return text(value).strip()


def _url(value: Any) -> str:
    if not is_web_address(text(value)) or not _PLAIN.fullmatch(value):
        raise ValueError("expected an address that begins with http:// or https://")
    if urlsplit(value).username is not None:
        raise ValueError("a name and a password belong in headers_env, not in the address")
    return text(value)


def _statuses(value: Any) -> tuple[str, ...]:
    given = value if isinstance(value, list | tuple) else [value]
    found = tuple(str(it).lower() for it in given if not isinstance(it, bool))
    if not found or len(found) < len(given) or not all(map(_STATUS.fullmatch, found)):
        raise ValueError('expected a status such as 200 or "2xx", or a list of them')
    return found


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError("expected a table of names and texts")
    for name, content in value.items():
        if not _HEADER.fullmatch(str(name)) or set("\r\n") & set(text(content)):
            raise ValueError(f"{name!r} cannot be a header")
    return dict(value)


def _variables(value: Any) -> dict[str, str]:
    found = _headers(value)
    if not all(found.values()):
        raise ValueError("expected the name of an environment variable for each header")
    return found


def _pattern(value: Any) -> str:
    try:
        re.compile(text(value))
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    return text(value)


_HTTP_CHECK: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "url": _url,
    "expected_status": _statuses,
    "timeout": pause,
    "headers": _headers,
    "headers_env": _variables,
    "body_pattern": _pattern,
}

READERS: dict[str, Callable[[Any], Any]] = {"health_checks": read_health_checks}
"""What reads the setting that is a list of tables."""
