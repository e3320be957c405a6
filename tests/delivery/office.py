"""A project with channels that post to loopback, and the deliveries of its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.alerting.rules import rules_of
from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt
from pytest_workflow_monitor.notify.delivery import Delivered, deliver, next_due_at
from pytest_workflow_monitor.notify.registry import build
from pytest_workflow_monitor.settings.alert_rules import ChannelRule, Route
from tests.keeping.alerts.site import Site
from tests.notify.servers import Reply
from tests.samples import PROJECT, at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.alerts import Notification
    from tests.notify.servers import HttpServer

ALL = (Route(),)
WENT_WRONG = Reply(status=500)


def webhook(name: str = "team", **limits: int) -> ChannelRule:
    """Return the rule of a channel that posts to the address in ``<NAME>_URL``."""
    options = {"url_env": f"{name.upper()}_URL", "timeout_seconds": 2.0}
    return ChannelRule(name=name, type="webhook", options=options, **limits)


class Office(Site):
    """A site whose messages are delivered when one says so.

    Attributes:
        settings: Its settings.
        channels: Its channels by name.
    """

    def __init__(
        self, store: Store, settings: Settings, channels: Mapping[str, Channel] | None
    ) -> None:
        super().__init__(store, rules_of(settings))
        self.settings = settings
        self.channels = channels

    def deliver(self, minute: float) -> Delivered:
        """Deliver what is due at a minute."""
        return deliver(self.store, self.settings, now=at(minute * 60), channels=self.channels)

    def deliver_all(self, minute: float) -> Delivered:
        """Deliver until nothing is due at a minute."""
        done = self.deliver(minute)
        while (due := self.next_due_at()) is not None and due <= at(minute * 60):
            done += self.deliver(minute)
        return done

    def next_due_at(self) -> datetime | None:
        """Tell when something will be due."""
        return next_due_at(self.store, self.settings)

    def rows(self) -> tuple[Notification, ...]:
        """Return all messages, oldest first."""
        found = self.store.connection.execute(
            "SELECT notification_id::text AS id FROM workflow_monitor.notification_logs"
        ).fetchall()
        return self.store.notifications([row["id"] for row in found])

    def row(self) -> Notification:
        """Return the only message."""
        (only,) = self.rows()
        return only

    def trail(self) -> list[tuple[str, str]]:
        """Return what happened to all alerts, in order: kind and reason."""
        ids = [it.alert_id for it in self.alerts(open_only=False)]
        return [(it.kind.value, it.reason) for it in self.store.alert_events(ids)]


def office(
    store: Store,
    settings_for: Callable[..., Settings],
    servers: Mapping[str, HttpServer],
    *rules: ChannelRule,
    **changes: Any,
) -> Office:
    """Return a project whose channels post to servers of the same names."""
    chosen = rules or tuple(webhook(name) for name in servers)
    fields: dict[str, Any] = {"project": PROJECT, "routes": ALL, "channels": chosen} | changes
    settings = settings_for(store.url, **fields)
    environ = {f"{name.upper()}_URL": f"{server.url}/hook" for name, server in servers.items()}
    return Office(store, settings, {rule.name: build(rule, environ) for rule in chosen})


def titles(hook: HttpServer) -> list[str]:
    """Return what was said, in order."""
    return [request.json["title"] for request in hook.requests]


def keys(hook: HttpServer) -> list[str]:
    """Return the idempotency keys of what was said, in order."""
    return [request.headers["idempotency-key"] for request in hook.requests]


class Notebook(Channel):
    """A channel that writes down what it is given, and does what a function says.

    Attributes:
        seen: Messages with the references that came with them.
    """

    type = "notebook"
    options = Options

    def __init__(
        self,
        rule: ChannelRule | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        act: Callable[[Message], None] = lambda _: None,
    ) -> None:
        self.rule = rule
        self.environ = environ
        self.seen: list[tuple[Message, dict[str, str]]] = []
        self._act = act

    @property
    def titles(self) -> list[str]:
        """What was said, in order."""
        return [message.title for message, _ in self.seen]

    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Write it down."""
        self.seen.append((message, dict(reference)))
        self._act(message)
        return Receipt(reference={"page": str(len(self.seen))}, said="noted")

    def preview(self, message: Message) -> str:
        """Return the title."""
        return message.title
