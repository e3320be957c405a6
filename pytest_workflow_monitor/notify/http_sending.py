"""The one place that posts to services that need no library of their own."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.notify.transport import refused, within, without

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_ANSWER = 65_536
USER_AGENT = "pytest-workflow-monitor"


class Answer(Record, frozen=True, kw_only=True):
    """What a service answered; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Keeps to the address that was configured: another one must not learn what is sent."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    whom: str,
    secret: str = "",
) -> Answer:
    """Post a body, and return the answer if the service took it.

    Args:
        url: Where to; ``http`` or ``https``.
        body: What to send.
        headers: Its headers, ``Content-Type`` among them.
        seconds: How long it may take in all.
        whom: The service, for messages.
        secret: What must not appear in them, such as an address with a token.

    Raises:
        TransportError: The service refused it, or did not answer.
    """
    answer = within(seconds, whom, lambda: _posted(url, body, headers, seconds))
    if 200 <= answer.status < 300:  # noqa: PLR2004 - what HTTP calls success
        return answer
    raise refused(whom, answer.status, answer.headers, without(answer.text, secret))


def is_web_address(url: str) -> bool:
    """Tell whether something can be posted to."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isprintable()


def _posted(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked with the options
        url, data=body, headers={"User-Agent": USER_AGENT, **headers}, method="POST"
    )
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=seconds) as response:
            return _answer(response.status, response)
    except HTTPError as error:
        with error:
            return _answer(error.code, error)


def _answer(status: int, response: Any) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=status, headers=headers, body=response.read(LONGEST_ANSWER))
