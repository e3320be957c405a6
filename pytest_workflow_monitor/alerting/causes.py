"""What failed executions may have in common, so that one cause is told once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_workflow_monitor.analysis.summary import failing_step, telling_attempt
from pytest_workflow_monitor.model import EventKind
from pytest_workflow_monitor.words.alert_causes import HOST, STEP

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Attempt, Error, Event, Execution

MAX_CAUSES = 5
_GATEWAY_ERRORS = frozenset({502, 503, 504})
_NO_ANSWER = re.compile(
    r"net::ERR_(?:CONNECTION|NAME|ADDRESS|INTERNET|TIMED|SSL|CERT|EMPTY)\w*|NS_ERROR_\w+"
    r"|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|[Cc]onnection refused"
    r"|[Nn]ame or service not known|Max retries exceeded|ConnectError|ConnectTimeout"
)
_URL = re.compile(r"(?:https?|wss?)://[^\s\"'<>)\]}]+")


def causes(execution: Execution) -> tuple[str, ...]:
    """Return the keys under which a failed execution is grouped with others.

    ``step|<path>|<fingerprint>`` for its failing step and error, and ``host|<name:port>`` for each
    host that did not answer: named in the error of a connection that failed, or asked in vain
    (no response, or 502, 503 and 504) by a request of the deciding attempt.
    """
    attempt = telling_attempt(execution)
    if attempt is None:
        return ()
    error = attempt.errors[0] if attempt.errors else None
    found = [f"{HOST}|{host}" for host in _silent_hosts(attempt)]
    if error is not None and error.fingerprint:
        found.append(f"{STEP}|{failing_step(execution)}|{error.fingerprint}")
    return tuple(dict.fromkeys(found))[:MAX_CAUSES]


def _silent_hosts(attempt: Attempt) -> list[str]:
    urls = [url for error in attempt.errors[:1] for url in _urls_without_answer(error)]
    urls += [event.url for event in attempt.events if _is_in_vain(event)]
    return [host for host in dict.fromkeys(map(_host, urls)) if host]


def _is_in_vain(event: Event) -> bool:
    if event.kind is not EventKind.REQUEST:
        return False
    return bool(_NO_ANSWER.search(event.failure)) or event.status_code in _GATEWAY_ERRORS


def _urls_without_answer(error: Error) -> list[str]:
    text = error.message
    return _URL.findall(text) if _NO_ANSWER.search(text) else []


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        return parts.netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""
