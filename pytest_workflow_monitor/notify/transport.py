"""What goes wrong between a channel and its service, in one vocabulary: :class:`TransportError`."""

from __future__ import annotations

import math
import re
import socket
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, TypeVar

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.notify.texts import clean
from pytest_workflow_monitor.support import patience
from pytest_workflow_monitor.support.patience import LateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LONGEST_PAUSE = 86_400.0
"""Seconds; whoever asks to wait longer is asked again after a day."""

SAID_LENGTH = 200
TEMPORARY = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
"""The refusals below 500 after which the same message may be welcome."""

_LONG_PART = re.compile(r"[^/\s]{16,}")

T = TypeVar("T")


def within(seconds: float, whom: str, call: Callable[[], T]) -> T:
    """Call something that talks to a service, and wait so long at most, whatever it waits for.

    Args:
        seconds: How long it may take in all.
        whom: The service, for messages.
        call: What to call.

    Raises:
        TransportError: It took too long, or there was no talking to the service.
    """
    try:
        return patience.within(seconds, f"message to {whom}", call)
    except LateError:
        raise TransportError(f"{whom} did not answer within {seconds:g} s.") from None
    except (OSError, HTTPException, UnicodeError) as error:
        raise unreachable(error, whom) from None  # its text may hold the address, a secret


def unreachable(error: BaseException, whom: str) -> TransportError:
    """Say why a service could not be talked to; libraries wrap the reason, and may name secrets."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                said = f"the certificate of {whom} is not trusted: {cause.verify_message}"
            case ssl.SSLError():
                said = f"no secure connection to {whom}: {cause.reason or 'it broke off'}"
            case TimeoutError():
                said = f"{whom} did not answer in time"
            case ConnectionRefusedError():
                said = f"{whom} refuses connections"
            case socket.gaierror():
                said = f"the name of {whom} is not known"
            case ConnectionError():
                said = f"{whom} broke the connection off"
            case HTTPException() | UnicodeError():
                return malformed(whom)
            case _:
                continue
        return TransportError(f"{said[0].upper()}{said[1:]}.")
    return TransportError(f"{whom} cannot be reached ({type(error).__name__}).")


def malformed(whom: str) -> TransportError:
    """Say that an answer could not be understood: nobody knows whether the message was taken."""
    return TransportError(f"{whom} answered, but not in a way that can be understood.")


def refused(
    whom: str,
    status: int,
    headers: Mapping[str, str],
    said: str = "",
    *,
    retry_after: object = None,
) -> TransportError:
    """Say that a service refused a message, and whether another try makes sense.

    Args:
        whom: The service.
        status: The HTTP status of its answer.
        headers: The answer's headers.
        said: What it said, without secrets.
        retry_after: Seconds to wait that the body names, before what the header does.
    """
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    header = lowered.get("retry-after")
    pause = pause_seconds(header if retry_after is None else retry_after)
    is_temporary = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in TEMPORARY
    text = clean(said, SAID_LENGTH)
    return TransportError(
        f"{whom} answered {status}{': ' if text else ''}{text}".rstrip(".") + ".",
        permanent=not is_temporary,
        retry_after=pause if is_temporary else None,
    )


def pause_seconds(value: object) -> float | None:
    """Read ``Retry-After``: seconds, also with decimals, or a date of HTTP; None for neither."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        seconds = _seconds_until(str(value))
    return min(max(seconds, 0.0), LONGEST_PAUSE) if math.isfinite(seconds) else None


def without(text: str, *secrets: str) -> str:
    """Take secrets out of what a service said: some repeat the address they were called at."""
    parts = {part for secret in secrets for part in (secret, *_LONG_PART.findall(secret)) if part}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "[masked]")
    return text


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return math.nan
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from the innermost reason outwards."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if isinstance(found, BaseException) and found not in seen:
            seen.append(found)
            waiting += [found.__cause__, found.__context__, getattr(found, "reason", None)]
            waiting += found.args
    return reversed(seen)
