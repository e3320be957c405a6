"""Slack, through an incoming webhook or as a bot."""

from __future__ import annotations

import json
import logging
import re
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt
from pytest_workflow_monitor.notify.channels import slack_form
from pytest_workflow_monitor.notify.options import address, read_options, secret, secret_address
from pytest_workflow_monitor.notify.pictures import file_name, picture_bytes
from pytest_workflow_monitor.notify.texts import clean
from pytest_workflow_monitor.notify.transport import malformed, refused, within, without
from pytest_workflow_monitor.notify.wording import story
from pytest_workflow_monitor.words.alerts import NotificationKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web import SlackResponse

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule

API_URL = "https://slack.com/api/"
WHOM = "Slack"
HTTP_OK = 200
TEMPORARY = frozenset(
    {
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
    }
)
"""Errors of the API after which the same call may succeed."""

GONE = frozenset({"cant_update_message", "edit_window_closed", "message_not_found"})
"""Errors of an update after which the alert's message has to be written anew."""

TO_THE_CHANNEL_TOO = frozenset({NotificationKind.REMINDER, NotificationKind.ESCALATION})
"""What does not only go into the thread, because the thread was not enough."""

WRONG_SHAPE = (AttributeError, KeyError, TypeError, ValueError)
"""What the library raises for answers that are JSON, but not such as the API gives."""

_ERROR_CODE = re.compile(r"[a-z][a-z0-9_]*")
_GROUPS = {"here": "<!here>", "channel": "<!channel>", "everyone": "<!everyone>"}

_silent = logging.getLogger("pytest_workflow_monitor.slack")
_silent.setLevel(logging.CRITICAL + 1)
"""The library would log addresses and bodies, which hold secrets."""


class _File(NamedTuple):
    """A file with its name and what stands above it."""

    data: bytes
    name: str
    title: str


class SlackOptions(Options, frozen=True, kw_only=True):
    """The keys of a Slack channel.

    Attributes:
        webhook_url_env: The variable with the address of an incoming webhook.
        token_env: The variable with a bot's token; comes before the webhook.
        channel: Where the bot writes: an id such as ``C0123456789``, or a name.
        mention: Who is called: ``here``, ``channel``, ``everyone``, or the id of a user or group.
        api_url: The API's address, for workspaces with another one.
    """

    webhook_url_env: str = ""
    token_env: str = ""
    channel: str = ""
    mention: str | tuple[str, ...] = ()
    api_url: str = API_URL


class SlackChannel(Channel):
    """Writes to Slack.

    A bot keeps one message per incident up to date, and tells what happens in its thread. A
    webhook can only write new messages.
    """

    type = "slack"
    options = SlackOptions

    def __init__(self, rule: ChannelRule, environ: Mapping[str, str]) -> None:
        given = read_options(SlackOptions, rule)
        self._seconds = given.timeout_seconds
        self._api_url = address("api_url", given.api_url)
        named = (given.mention,) if isinstance(given.mention, str) else given.mention
        self._mentions = tuple(map(_mention, named))
        self._token = self._webhook_url = self._channel = ""
        if given.token_env or (not given.webhook_url_env and environ.get("SLACK_BOT_TOKEN")):
            self._token = secret(environ, given.token_env or "SLACK_BOT_TOKEN")
            self._channel = given.channel or environ.get("SLACK_CHANNEL", "").strip()
            if not self._channel:
                raise ValueError("a bot needs a channel: set channel or SLACK_CHANNEL")
        else:
            name = given.webhook_url_env or "SLACK_WEBHOOK_URL"
            self._webhook_url = secret_address(environ, name)

    @property
    def carries_files(self) -> bool:
        """Whether it can send a file along with a message: a bot can, a webhook cannot."""
        return bool(self._token)

    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Deliver one message; see :meth:`Channel.send`."""
        if self._webhook_url:
            return within(self._seconds, WHOM, lambda: self._post_to_webhook(message))
        started = monotonic()
        receipt = within(self._seconds, WHOM, lambda: self._tell(message, reference))
        file = None if reference or "ts" not in receipt.reference else _file(message)
        if file is None:
            return receipt
        left = max(self._seconds - (monotonic() - started), 0.0)
        return self._with_file(file, receipt, left)

    def preview(self, message: Message) -> str:
        """Return the blocks as JSON; Slack's Block Kit Builder shows them."""
        return json.dumps(self._parts(message), indent=2, ensure_ascii=False)

    def _parts(self, message: Message) -> list[dict[str, Any]]:
        return slack_form.parts(story(message), self._called(message))

    def _called(self, message: Message) -> tuple[str, ...]:
        return self._mentions if message.mention else ()

    def _post_to_webhook(self, message: Message) -> Receipt:
        from slack_sdk.webhook import WebhookClient

        client = WebhookClient(
            self._webhook_url,
            timeout=self._seconds,  # type: ignore[arg-type] # fractions of seconds work too
            logger=_silent,
            retry_handlers=[],
        )
        for part in self._parts(message):
            answer = client.send(**part, unfurl_links=False, unfurl_media=False)
            said = without(answer.body, self._webhook_url)
            if answer.status_code != HTTP_OK:
                raise refused(WHOM, answer.status_code, answer.headers, said)
            if said.strip() != "ok":
                raise malformed(WHOM)
        return Receipt(said="ok")

    def _tell(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Write an incident's message, or bring it up to date and tell its thread why."""
        from slack_sdk.errors import SlackApiError

        try:
            if "ts" in reference and "channel" in reference:
                return self._update(message, reference)
            return self._begin(message)
        except SlackApiError as error:
            if _code(error) in GONE and reference:
                return self._tell(message, {})
            raise self._transport_error(error) from error

    def _begin(self, message: Message) -> Receipt:
        client, parts = self._client(), self._parts(message)
        first = _asked(client.chat_postMessage, self._arguments(message, parts[0], 0))
        found = {key: str(first.get(key) or "") for key in ("channel", "ts")}
        if not all(found.values()):
            raise malformed(WHOM)
        for number, part in enumerate(parts[1:], 1):
            place = {"channel": found["channel"], "thread_ts": found["ts"]}
            _asked(client.chat_postMessage, self._arguments(message, part, number) | place)
        return Receipt(reference=found, said=f"message {found['ts']} in {found['channel']}")

    def _update(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        client, channel, ts = self._client(), reference["channel"], reference["ts"]
        told = story(message)
        part = slack_form.parts(told, ())[0]
        place = {"channel": channel, "ts": ts}
        _asked(client.chat_update, {**place, **part, "metadata": _metadata(message)})
        event = self._arguments(message, slack_form.event(told, self._called(message)), 0)
        event |= {"channel": channel, "thread_ts": ts}
        if message.kind in TO_THE_CHANNEL_TOO:
            event["reply_broadcast"] = True
        _asked(client.chat_postMessage, event)
        return Receipt(reference=dict(reference), said=f"message {ts} in {channel} updated")

    def _with_file(self, file: _File, receipt: Receipt, seconds: float) -> Receipt:
        """Put a file into the thread of a message; if that fails, the message stays."""
        from slack_sdk.errors import SlackClientError

        client = self._client()
        try:
            within(
                seconds,
                WHOM,
                lambda: client.files_upload_v2(
                    content=file.data,
                    filename=file.name,
                    title=file.title,
                    channel=receipt.reference["channel"],
                    thread_ts=receipt.reference["ts"],
                ),
            )
        except (SlackClientError, TransportError, *WRONG_SHAPE) as error:
            why = _code(error) or type(error).__name__
            return Receipt(
                reference=receipt.reference, said=f"{receipt.said}; without its file: {why}"
            )
        return receipt

    def _client(self) -> WebClient:
        from slack_sdk import WebClient

        return WebClient(
            self._token,
            base_url=self._api_url,
            timeout=self._seconds,  # type: ignore[arg-type] # fractions of seconds work too
            logger=_silent,
            retry_handlers=[],
        )

    def _arguments(self, message: Message, part: dict[str, Any], number: int) -> dict[str, Any]:
        """Add what makes Slack drop a message that it took before, and show no previews."""
        return {
            **part,
            "channel": self._channel,
            "client_msg_id": str(uuid5(NAMESPACE_URL, f"{clean(message.key, 255)}/{number}")),
            "metadata": _metadata(message),
            "unfurl_links": False,
            "unfurl_media": False,
        }

    def _transport_error(self, error: SlackApiError) -> TransportError:
        response, code = error.response, _code(error)
        if response.status_code != HTTP_OK:
            return refused(WHOM, response.status_code, response.headers, code)
        if not code:
            return malformed(WHOM)
        return TransportError(f"{WHOM} answered {code}.", permanent=code not in TEMPORARY)


def _file(message: Message) -> _File | None:
    """Return what is put into a message's thread: the report as a file, or the screenshot."""
    attached, picture = message.attachment, story(message).picture
    if attached is not None:
        return _File(attached.data, attached.name, attached.name)
    data = picture_bytes(picture) if picture else None
    if data is None or picture is None:
        return None
    return _File(data, file_name(picture), clean(picture.name, 100))


def _metadata(message: Message) -> dict[str, Any]:
    told = {"key": clean(message.key, 255), "thread_key": clean(message.thread_key, 255)}
    return {
        "event_type": "workflow_monitor_message",
        "event_payload": {**told, "kind": message.kind.value},
    }


def _asked(call: Callable[..., SlackResponse], arguments: dict[str, Any]) -> dict[str, Any]:
    """Call the API, and return its answer if it has the form of one."""
    try:
        answer: object = call(**arguments).data
    except WRONG_SHAPE:
        raise malformed(WHOM) from None
    if not isinstance(answer, dict):
        raise malformed(WHOM)
    return answer


def _code(error: Exception) -> str:
    """Return the error code of an answer of the API, "" if it is not one of the API's."""
    answer = getattr(getattr(error, "response", None), "data", None)
    code = str(answer.get("error") or "") if isinstance(answer, dict) else ""
    return code if _ERROR_CODE.fullmatch(code) else ""


def _mention(name: str) -> str:
    if name in _GROUPS:
        return _GROUPS[name]
    if re.fullmatch(r"[UW][A-Z0-9]{2,}", name):
        return f"<@{name}>"
    if re.fullmatch(r"S[A-Z0-9]{2,}", name):
        return f"<!subteam^{name}>"
    raise ValueError(
        f"mention: {name!r} is neither here, channel, everyone nor the id of a user or group"
    )
