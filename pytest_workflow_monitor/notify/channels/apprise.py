"""Everything else, through an address of Apprise: https://github.com/caronc/apprise (an extra)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt
from pytest_workflow_monitor.notify.options import read_options, secret
from pytest_workflow_monitor.notify.pictures import picture_bytes
from pytest_workflow_monitor.notify.texts import without_mentions
from pytest_workflow_monitor.notify.transport import within
from pytest_workflow_monitor.notify.wording import Story, Tone, story, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule

MISSING = "Apprise is not installed; pip install 'pytest-workflow-monitor[apprise]'"
_CONTROL = re.compile(r"<(?=[@!#])")
TYPES = {
    Tone.FAILED: "failure",
    Tone.DEGRADED: "warning",
    Tone.PASSED: "success",
    Tone.NEUTRAL: "info",
}


class AppriseOptions(Options, frozen=True, kw_only=True):
    """The keys of an Apprise channel.

    Attributes:
        url_env: The variable with the address, or several, separated by spaces.
    """

    url_env: str = "APPRISE_URL"


class AppriseChannel(Channel):
    """Sends text to any service that Apprise knows."""

    type = "apprise"
    options = AppriseOptions

    def __init__(self, rule: ChannelRule, environ: Mapping[str, str]) -> None:
        given = read_options(AppriseOptions, rule)
        self._seconds = given.timeout_seconds
        try:
            import apprise
        except ImportError:
            raise ValueError(MISSING) from None
        self._apprise: Any = apprise.Apprise()
        for number, url in enumerate(secret(environ, given.url_env).split(), 1):
            if not self._apprise.add(url):
                raise ValueError(
                    f"address {number} in the environment variable {given.url_env} "
                    "is none that Apprise knows"
                )

    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Deliver one message; see :meth:`Channel.send`."""
        told = story(message)
        taken = within(self._seconds, "Apprise", lambda: self._notify(told))
        if not taken:
            # Apprise does not tell why, nor which of several addresses refused.
            raise TransportError("Apprise could not deliver the message.")
        return Receipt(said="taken by Apprise")

    def preview(self, message: Message) -> str:
        """Return title and text."""
        told = story(message)
        return f"{_title(told)}\n\n{_body(told)}"

    def _notify(self, told: Story) -> bool:
        return bool(
            self._apprise.notify(
                title=_title(told),
                body=_body(told),
                notify_type=TYPES[told.tone],
                body_format="text",
                attach=told.picture.path if told.picture and picture_bytes(told.picture) else None,
            )
        )


def _title(told: Story) -> str:
    return _plain(told.headline)


def _body(told: Story) -> str:
    """Return the text; its first line is the title already."""
    return _plain(text(told).partition("\n\n")[2])


def _plain(said: str) -> str:
    """Keep the services behind Apprise from taking text for a mention: ``@here``, ``<!here>``."""
    return _CONTROL.sub("<\u200b", without_mentions(said))
