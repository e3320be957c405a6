"""What a channel is: a class with a name, its options, and a way to send one message."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias

from msgspec import Meta

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule

SEND_SECONDS = 10.0
"""How long a channel may take for one message."""

__all__ = ["SEND_SECONDS", "Channel", "Options", "Receipt", "TransportError"]


class Options(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of a channel type's own settings.

    A secret is named by the environment variable that holds it, in a key that ends in ``_env``.
    ``timeout_seconds`` is how long one message may take, :data:`SEND_SECONDS` at most.
    """

    timeout_seconds: Annotated[float, Meta(gt=0, le=SEND_SECONDS)] = SEND_SECONDS


OptionsClass: TypeAlias = type[Options]


class Receipt(Record, frozen=True, kw_only=True):
    """What became of a message that was taken.

    ``reference`` is what the channel needs to find its message again; ``said`` what the other side
    answered, for people.
    """

    reference: dict[str, str] = {}
    said: str = ""


class Channel(ABC):
    """A destination of messages.

    ``type`` is what the settings call it, ``options`` the record of the keys it understands.
    ``joins`` tells whether news of many incidents may come in one message; a service that keeps
    account of each incident has to hear of each. ``takes_summaries`` tells whether it gets the
    reports that name no recipients.

    Args:
        rule: Its name, type and options, as the settings have them.
        environ: The environment variables.

    Raises:
        ValueError: An option is unknown, missing or wrong; one clause says which and what is
            allowed.
    """

    type: ClassVar[str]
    options: ClassVar[OptionsClass]
    joins: ClassVar[bool] = True
    takes_summaries: ClassVar[bool] = True

    @abstractmethod
    def __init__(self, rule: ChannelRule, environ: Mapping[str, str]) -> None: ...

    @property
    def carries_files(self) -> bool:
        """Whether it can send a file along with a message."""
        return False

    @abstractmethod
    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Deliver one message, within :data:`SEND_SECONDS`.

        Args:
            message: What to say.
            reference: What earlier messages of the same thread left behind; empty for the first.

        Raises:
            TransportError: It was not taken, or nobody knows whether it was.
        """

    @abstractmethod
    def preview(self, message: Message) -> str:
        """Return the message in the channel's form, as text, without sending it."""
