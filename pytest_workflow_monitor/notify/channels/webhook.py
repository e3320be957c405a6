"""Any HTTP service: JSON with a schema, signed as Standard Webhooks ask for.

The signature follows https://www.standardwebhooks.com, so that libraries for it can verify it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt
from pytest_workflow_monitor.notify.http_sending import post
from pytest_workflow_monitor.notify.options import read_options, secret, secret_address
from pytest_workflow_monitor.notify.texts import clean, clean_code, web_link
from pytest_workflow_monitor.notify.wording import advice_text, story, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.notify.messages import Item, Message
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule

VERSION = 1
ALERTS = 1_000
VALUES = 100
VALUE_LENGTH = 1_000
TEXT_LENGTH = 10_000
SECRET_PREFIX = "whsec_"  # noqa: S105 - what stands before a secret, not one
RESERVED = frozenset(
    {"content-length", "content-type", "host", "idempotency-key"}
    | {"webhook-id", "webhook-timestamp", "webhook-signature"}
)


Instant = Annotated[datetime, Meta(tz=True)]


class AlertPayload(Struct, frozen=True, kw_only=True):
    """One alert; a value that is not known is empty.

    ``state`` is ``failing``, ``acknowledged`` or ``resolved``, ``kind`` what the problem is:
    ``failing``, ``degraded``, ``flapping``, ``masked``, ``missed`` or ``runner``.
    """

    alert_id: int
    kind: str
    state: str
    workflow_id: str
    name: str
    priority: str
    since: Instant
    lasted: str
    status: str
    how_often: str
    duration: str
    failing_step: str
    failed_steps: tuple[str, ...]
    steps_total: int
    error: tuple[str, ...]
    cause: str
    reason: str
    owner: str
    runbook: str
    evidence_url: str
    picture_url: str
    run_id: str
    explained: tuple[str, ...]


class Payload(Struct, frozen=True, kw_only=True):
    """What is posted.

    ``id`` is the same when a message is sent again, ``thread`` for all messages about one incident.
    ``kind`` is ``opened``, ``reminder``, ``escalation``, ``acknowledged``, ``resolved``,
    ``passed``, ``digest`` or ``summary``. ``tone`` is ``failed``, ``degraded``, ``passed`` or
    ``neutral``. ``counts`` tells how many alerts there are in each state, also of those that
    ``alerts`` leaves out. ``text`` says the whole message without markup.
    """

    schema: Literal["pytest-workflow-monitor/message"]
    version: Annotated[int, Meta(ge=1)]
    id: str
    thread: str
    kind: str
    tone: str
    word: str
    title: str
    text: str
    project: str
    environment: str
    at: Instant
    priority: str
    mention: bool
    is_good: bool
    is_test: bool
    actor: str
    note: str
    summary: tuple[str, ...]
    report_url: str
    counts: dict[str, int]
    alerts: tuple[AlertPayload, ...]


class WebhookOptions(Options, frozen=True, kw_only=True):
    """The keys of a webhook.

    Attributes:
        url_env: The variable with the address.
        secret_env: The variable with the secret that signs; without the variable nothing is signed.
        headers: More headers; their values stand in the settings, so no secrets.
    """

    url_env: str = "WEBHOOK_URL"
    secret_env: str = "WEBHOOK_SECRET"  # noqa: S105 - a variable's name
    headers: dict[str, str] = {}


class WebhookChannel(Channel):
    """Posts JSON."""

    type = "webhook"
    options = WebhookOptions

    def __init__(self, rule: ChannelRule, environ: Mapping[str, str]) -> None:
        given = read_options(WebhookOptions, rule)
        self._seconds = given.timeout_seconds
        self._url = secret_address(environ, given.url_env)
        self._headers = _checked_headers(given.headers)
        is_signed = "secret_env" in rule.options or environ.get(given.secret_env)
        self._key = _key(secret(environ, given.secret_env), given.secret_env) if is_signed else b""

    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Deliver one message; see :meth:`Channel.send`."""
        body = encoded(message)
        identifier = _identifier(message.key)
        headers = self._headers | {
            "Content-Type": "application/json",
            "Idempotency-Key": identifier,
            "Webhook-Id": identifier,
        }
        if self._key:
            timestamp = int(datetime.now(UTC).timestamp())
            headers["Webhook-Timestamp"] = str(timestamp)
            headers["Webhook-Signature"] = signature(self._key, identifier, timestamp, body)
        answer = post(
            self._url,
            body,
            headers,
            seconds=self._seconds,
            whom="The webhook",
            secret=self._url,
        )
        return Receipt(said=f"answered {answer.status}")

    def preview(self, message: Message) -> str:
        """Return the body."""
        return msgspec.json.format(encoded(message), indent=2).decode()


def signature(key: bytes, identifier: str, timestamp: int, body: bytes) -> str:
    """Sign a message: base64 of HMAC-SHA256 over id, time and body, joined by full stops."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def encoded(message: Message) -> bytes:
    """Return a message as JSON."""
    told = story(message)
    figures = (f"{it.label}: {it.value}" for it in message.figures)
    payload = Payload(
        schema="pytest-workflow-monitor/message",
        version=VERSION,
        id=_identifier(message.key),
        thread=_value(message.thread_key),
        kind=message.kind.value,
        tone=told.tone.value,
        word=told.word,
        title=told.title,
        text="\n".join(clean_code(line, VALUE_LENGTH) for line in text(told).split("\n")),
        project=_value(message.project),
        environment=_value(message.environment),
        at=message.at,
        priority=message.priority.value,
        mention=message.mention,
        is_good=message.is_good,
        is_test=message.is_test,
        actor=_value(message.actor),
        note=_value(message.note),
        summary=_values((*told.lines, *figures, *map(advice_text, told.points))),
        report_url=web_link(message.report_url),
        counts={_value(name): count for name, count in message.counts.items()},
        alerts=tuple(map(_alert, message.items[:ALERTS])),
    )
    return msgspec.json.encode(payload)


def _alert(item: Item) -> AlertPayload:
    return AlertPayload(
        alert_id=item.alert_id,
        kind=item.kind.value,
        state=_value(item.state),
        workflow_id=_value(item.workflow_id),
        name=_value(item.name),
        priority=item.priority.value,
        since=item.since,
        lasted=_value(item.lasted),
        status=_value(item.status_word),
        how_often=_value(item.how_often),
        duration=_value(item.duration),
        failing_step=_value(item.failing_step),
        failed_steps=_values(item.failed_steps),
        steps_total=item.steps_total,
        error=tuple(clean_code(line, VALUE_LENGTH) for line in item.error[:VALUES]),
        cause=_value(item.cause),
        reason=_value(item.reason),
        owner=_value(item.owner),
        runbook=_value(item.runbook),
        evidence_url=web_link(item.evidence_url),
        picture_url=web_link(item.picture.url) if item.picture else "",
        run_id=_value(item.run_id),
        explained=_values(item.explained),
    )


def _value(value: str) -> str:
    return clean(value, VALUE_LENGTH)


def _values(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_value, values[:VALUES]))


def _identifier(key: str) -> str:
    """Return a key that may stand in a header; the outbox's are UUIDs and stay as they are."""
    if re.fullmatch(r"[!-~]{1,255}", key):
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _key(given: str, variable: str) -> bytes:
    if not given.startswith(SECRET_PREFIX):
        return given.encode()
    try:
        return base64.b64decode(given.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        raise ValueError(
            f"the environment variable {variable} begins with {SECRET_PREFIX}, "
            "but what follows is not base64"
        ) from None


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[ -~]*", value):
            raise ValueError(f"headers: {name!r} has characters that headers do not allow")
        if name.lower() in RESERVED:
            raise ValueError(f"headers: {name} is set by the channel itself")
    return headers
