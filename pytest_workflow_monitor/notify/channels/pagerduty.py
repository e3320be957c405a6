"""PagerDuty, through its Events API v2: https://developer.pagerduty.com/docs/events-api-v2."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt
from pytest_workflow_monitor.notify.http_sending import post
from pytest_workflow_monitor.notify.options import address, read_options, secret
from pytest_workflow_monitor.notify.texts import clean, fitted, web_link
from pytest_workflow_monitor.notify.transport import malformed
from pytest_workflow_monitor.notify.wording import Story, story, text
from pytest_workflow_monitor.words.alerts import NotificationKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule

API_URL = "https://events.pagerduty.com"
WHOM = "PagerDuty"
SUMMARY_LENGTH = 1_024
KEY_LENGTH = 255
RESOLVED = "resolved"
TEXT_LENGTH = 30_000
"""The limit is 512 KB for an event; in the worst case a character takes 12 bytes of JSON."""

SEVERITIES = {
    Priority.CRITICAL: "critical",
    Priority.HIGH: "error",
    Priority.MEDIUM: "warning",
    Priority.LOW: "info",
}
ACTIONS = {
    NotificationKind.OPENED: "trigger",
    NotificationKind.REMINDER: "trigger",
    NotificationKind.ESCALATION: "trigger",
    NotificationKind.ACKNOWLEDGED: "acknowledge",
    NotificationKind.RESOLVED: "resolve",
}
"""Other kinds are about no incident; they become change events, for which nobody is called."""


class PagerDutyOptions(Options, frozen=True, kw_only=True):
    """The keys of a PagerDuty channel.

    Attributes:
        routing_key_env: The variable with the integration key of a service.
        api_url: The API's address: ``https://events.eu.pagerduty.com`` in the European region.
    """

    routing_key_env: str = "PAGERDUTY_ROUTING_KEY"
    api_url: str = API_URL


class PagerDutyChannel(Channel):
    """Opens, acknowledges and resolves PagerDuty's incidents, one for each of ours."""

    type = "pagerduty"
    options = PagerDutyOptions
    joins = False
    takes_summaries = False

    def __init__(self, rule: ChannelRule, environ: Mapping[str, str]) -> None:
        given = read_options(PagerDutyOptions, rule)
        self._seconds = given.timeout_seconds
        self._url = address("api_url", given.api_url).rstrip("/")
        self._routing_key = secret(environ, given.routing_key_env)

    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Deliver one message; see :meth:`Channel.send`."""
        path, event = _event(message)
        answer = post(
            f"{self._url}{path}",
            msgspec.json.encode({"routing_key": self._routing_key, **event}),
            {"Content-Type": "application/json"},
            seconds=self._seconds,
            whom=WHOM,
            secret=self._routing_key,
        )
        if answer.status != HTTPStatus.ACCEPTED:
            raise malformed(WHOM)
        key = event.get("dedup_key")
        return Receipt(reference={"dedup_key": key} if key else {}, said="accepted")

    def preview(self, message: Message) -> str:
        """Return the event without its routing key."""
        return json.dumps(_event(message)[1], indent=2, ensure_ascii=False)


def _event(message: Message) -> tuple[str, dict[str, Any]]:
    """Return the path and the body, without the routing key, of what tells a message."""
    told = story(message)
    links = [{"href": link.url, "text": link.label} for link in told.links]
    action = _action(message)
    if action is None:
        payload = {
            "summary": fitted(told.headline, SUMMARY_LENGTH),
            "source": _source(message),
            "timestamp": message.at.isoformat(),
            "custom_details": {"text": fitted(text(told), TEXT_LENGTH)},
        }
        return "/v2/change/enqueue", {"payload": payload, "links": links}
    event: dict[str, Any] = {"event_action": action, "dedup_key": _dedup_key(message.thread_key)}
    if action == "trigger":
        event |= {"payload": _payload(message, told), "links": links, "client": "Workflow monitor"}
        if told.links:
            event["client_url"] = told.links[0].url
        picture = web_link(told.picture.url) if told.picture else ""
        if picture.startswith("https://"):
            event["images"] = [{"src": picture, "alt": "The page when it failed"}]
    return "/v2/enqueue", event


def _action(message: Message) -> str | None:
    """Return what to do with PagerDuty's incident; it is over when none of its alerts is open."""
    counted = any(count for state, count in message.counts.items() if state != RESOLVED)
    is_open = counted or any(item.state != RESOLVED for item in message.items)
    if message.kind is NotificationKind.RESOLVED and is_open:
        return "trigger"
    return ACTIONS.get(message.kind)


def _payload(message: Message, told: Story) -> dict[str, Any]:
    first = message.items[0] if message.items else None
    details = {fact.label: fact.text for fact in told.facts}
    if told.lead:
        details["News"] = told.lead
    if told.error:
        details["Error"] = "\n".join(told.error)
    if told.entries:
        details["Workflows"] = fitted(text(told), TEXT_LENGTH)
    return {
        "summary": fitted(told.title, SUMMARY_LENGTH),
        "source": _source(message),
        "severity": SEVERITIES[message.priority],
        "timestamp": message.at.isoformat(),
        "component": clean(first.name, KEY_LENGTH) if first else "",
        "group": clean(message.project, KEY_LENGTH),
        "class": clean(first.cause, KEY_LENGTH) if first else "",
        "custom_details": details,
    }


def _source(message: Message) -> str:
    return clean(message.environment, KEY_LENGTH) or clean(message.project, KEY_LENGTH) or "tests"


def _dedup_key(thread_key: str) -> str:
    """Return the key of an incident; what the API would not take is hashed."""
    if 0 < len(thread_key) <= KEY_LENGTH and thread_key.isprintable() and thread_key.isascii():
        return thread_key
    return hashlib.sha256(thread_key.encode("utf-8", "surrogatepass")).hexdigest()
