"""Discord, through a webhook of a channel."""

from __future__ import annotations

import json
import logging
import re
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt
from pytest_workflow_monitor.notify.channels import discord_form
from pytest_workflow_monitor.notify.options import read_options, secret_address
from pytest_workflow_monitor.notify.pictures import file_name, picture_bytes
from pytest_workflow_monitor.notify.transport import (
    malformed,
    pause_seconds,
    refused,
    within,
    without,
)
from pytest_workflow_monitor.notify.wording import story
from pytest_workflow_monitor.words.alerts import NotificationKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import Response

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule

WHOM = "Discord"
UNKNOWN_MESSAGE = 10008
"""Discord's code for a message that somebody has deleted."""

Content = dict[str, Any]

logging.getLogger("discord_webhook").addHandler(logging.NullHandler())
# Else its complaints go to the error output where nobody configured logging.


class DiscordOptions(Options, frozen=True, kw_only=True):
    """The keys of a Discord channel.

    Attributes:
        webhook_url_env: The variable with the webhook's address.
        thread_id: The thread of the channel to write to.
        mention: Who is called: ``here``, ``everyone``, ``role:123…`` or ``user:123…``.
        username: The name the messages carry.
    """

    webhook_url_env: str = "DISCORD_WEBHOOK_URL"
    thread_id: str = ""
    mention: str | tuple[str, ...] = ()
    username: str = "Workflow monitor"


class DiscordChannel(Channel):
    """Writes embeds; an incident's first message is kept up to date, and news are told besides."""

    type = "discord"
    options = DiscordOptions

    def __init__(self, rule: ChannelRule, environ: Mapping[str, str]) -> None:
        given = read_options(DiscordOptions, rule)
        url = secret_address(environ, given.webhook_url_env)
        parts = urlsplit(url)
        self._seconds = given.timeout_seconds
        self._url = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
        self._thread_id = given.thread_id or parse_qs(parts.query).get("thread_id", [""])[0]
        self._username = given.username
        named = (given.mention,) if isinstance(given.mention, str) else given.mention
        self._mentions = tuple(map(_mention, named))

    @property
    def carries_files(self) -> bool:
        """Whether it can send a file along with a message: it can."""
        return True

    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Deliver one message; see :meth:`Channel.send`."""
        return within(self._seconds, WHOM, lambda: self._tell(message, reference))

    def preview(self, message: Message) -> str:
        """Return the messages' bodies as JSON."""
        return json.dumps(self._contents(message), indent=2, ensure_ascii=False)

    def _contents(self, message: Message, image: str = "") -> list[Content]:
        embeds = discord_form.embeds(story(message), message.at, image)
        mentions = self._mentions if message.mention else ()
        contents = [_content(embed) for embed in embeds]
        contents[0] = _content(embeds[0], mentions)
        return contents

    def _tell(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Write an incident's message, or edit it and tell what happened."""
        if "message_id" not in reference:
            return self._begin(message)
        kept = [{"id": reference["attachment_id"]}] if "attachment_id" in reference else []
        content = self._contents(message, reference.get("attachment_name", ""))[0]
        edited = self._webhook({**content, "content": "", "attachments": kept})
        edited.id = reference["message_id"]
        answer = edited.edit()
        if answer.status_code == 404 and _said(answer).get("code") == UNKNOWN_MESSAGE:  # noqa: PLR2004 - HTTP
            return self._begin(message)
        self._checked(answer)
        if message.kind is not NotificationKind.ACKNOWLEDGED:
            mentions = self._mentions if message.mention else ()
            embed = discord_form.event(story(message), message.at)
            self._posted(_content(embed, mentions))
        return Receipt(reference=dict(reference), said=f"message {edited.id} edited")

    def _begin(self, message: Message) -> Receipt:
        picture = story(message).picture
        data = picture_bytes(picture) if picture else None
        name = file_name(picture) if picture and data else ""
        contents = self._contents(message, name)
        attached = message.attachment
        if attached is not None:
            first = self._posted(contents[0], attached.name, attached.data)
        else:
            first = self._posted(contents[0], name, data)
        for content in contents[1:]:
            self._posted(content)
        found = {"message_id": str(first["id"])}
        attached = first.get("attachments")
        if name and isinstance(attached, list) and attached and isinstance(attached[0], dict):
            found |= {"attachment_id": str(attached[0].get("id", "0")), "attachment_name": name}
        return Receipt(reference=found, said=f"message {first['id']}")

    def _posted(self, content: Content, name: str = "", data: bytes | None = None) -> Content:
        webhook = self._webhook(content)
        if data:
            webhook.add_file(file=data, filename=name)
        answer = webhook.api_post_request()
        self._checked(answer)
        said = _said(answer)
        if not said.get("id"):
            raise malformed(WHOM)
        if answer.headers.get("X-RateLimit-Remaining") == "0":
            # The next request would be refused; whoever waits for us has a limit.
            sleep(pause_seconds(answer.headers.get("X-RateLimit-Reset-After")) or 0.0)
        return said

    def _webhook(self, content: Content) -> Any:
        from discord_webhook import DiscordWebhook

        return DiscordWebhook(
            self._url,
            timeout=self._seconds,
            thread_id=self._thread_id or None,
            username=self._username,
            rate_limit_retry=False,
            files={},
            **content,
        )

    def _checked(self, answer: Response) -> None:
        if not answer.ok:
            said = _said(answer)
            text = str(said.get("message", "")) or answer.text
            raise refused(
                WHOM,
                answer.status_code,
                answer.headers,
                without(text, self._url),
                retry_after=said.get("retry_after"),
            )


def _content(embed: discord_form.Embed, mentions: tuple[str, ...] = ()) -> Content:
    """Return what makes a message: nobody is called but who was configured."""
    allowed = {
        "parse": ["everyone"] if {"@here", "@everyone"} & set(mentions) else [],
        "roles": [it[3:-1] for it in mentions if it.startswith("<@&")],
        "users": [it[2:-1] for it in mentions if re.fullmatch(r"<@\d+>", it)],
    }
    return {"content": " ".join(mentions), "embeds": [embed], "allowed_mentions": allowed}


def _said(answer: Response) -> dict[str, Any]:
    try:
        said: object = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _mention(name: str) -> str:
    kind, _, number = name.partition(":")
    if name in {"here", "everyone"}:
        return f"@{name}"
    if kind in {"role", "user"} and re.fullmatch(r"\d{5,25}", number):
        return f"<@&{number}>" if kind == "role" else f"<@{number}>"
    raise ValueError(f"mention: {name!r} is neither here, everyone, role:<id> nor user:<id>")
