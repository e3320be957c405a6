"""Which types of channels there are, and how a configured channel comes to be.

A type is built in, an entry point of the group :data:`GROUP` whose name is the type, a class that
a hook named as ``package.module:Class``, or such a path itself.
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import SettingsError, TransportError
from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt
from pytest_workflow_monitor.notify.channels import BUILT_IN
from pytest_workflow_monitor.notify.options import read_options
from pytest_workflow_monitor.words.mistakes import nearest, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule

GROUP = "pytest_workflow_monitor.channels"


def check(rules: Iterable[ChannelRule], extra: Iterable[str] = ()) -> None:
    """Check types and keys of channels, without their secrets, which need not be here.

    Args:
        rules: The channels.
        extra: Classes that a hook named, as ``package.module:Class``.

    Raises:
        SettingsError: A type or a key is not known, or a value is not allowed.
    """
    own = _named(extra)
    for rule in rules:
        try:
            read_options(_class(rule.type, own).options, rule)
        except ValueError as error:
            raise _problem(rule, error) from None


def build(rule: ChannelRule, environ: Mapping[str, str], extra: Iterable[str] = ()) -> Channel:
    """Make a channel.

    Args:
        rule: What the settings say of it.
        environ: The environment variables, which hold its secrets.
        extra: Classes that a hook named, as ``package.module:Class``.

    Raises:
        SettingsError: A type or a key is not known, a value is not allowed, or a secret is missing.
    """
    try:
        return _class(rule.type, _named(extra))(rule, environ)
    except ValueError as error:
        raise _problem(rule, error) from None


def build_channels(
    settings: Settings, environ: Mapping[str, str], extra: Iterable[str] = ()
) -> dict[str, Channel]:
    """Make all channels of the settings, by name.

    One that lacks its secret on this machine, or a library, is made too, so that it delays no
    other; it says what it lacks whenever it is to send.

    Raises:
        SettingsError: A type or a key is not known, or a value is not allowed.
    """
    classes = tuple(extra)
    check(settings.channels, classes)
    made: dict[str, Channel] = {}
    for rule in settings.channels:
        try:
            made[rule.name] = build(rule, environ, classes)
        except SettingsError as error:
            made[rule.name] = Unready(str(error))
    return made


class Unready(Channel):
    """Stands for a channel that cannot be used as things are."""

    type = "unready"
    options = Options

    def __init__(self, why: str) -> None:
        self._why = why

    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Raise what is the matter; another machine, or a later try, may be able to send."""
        raise TransportError(self._why)

    def preview(self, message: Message) -> str:
        """Say what is the matter."""
        return self._why


def takes_summaries(rule: ChannelRule, extra: Iterable[str] = ()) -> bool:
    """Tell whether a channel gets the reports that name no recipients; see :class:`Channel`.

    One whose type is not known here does: a process that knows it will send.
    """
    try:
        return _class(rule.type, _named(extra)).takes_summaries
    except ValueError:
        return True


def known_types(extra: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names of all types of channels."""
    return tuple(sorted({*BUILT_IN, *_entry_points(), *_named(extra)}))


def _class(name: str, own: Mapping[str, type[Channel]]) -> type[Channel]:
    """Return the class of a type; what is built in comes first, then what a hook named."""
    if name in own and name not in BUILT_IN:
        return own[name]
    path = name if ":" in name else BUILT_IN.get(name) or _entry_points().get(name)
    if path is None:
        known = {*BUILT_IN, *_entry_points(), *own}
        raise ValueError(f"unknown type {name!r}; {nearest(name, sorted(known))}")
    return _loaded(path)


def _named(extra: Iterable[str]) -> dict[str, type[Channel]]:
    try:
        return {found.type: found for found in map(_loaded, extra)}
    except ValueError as error:
        raise SettingsError(
            sentence(f"A hook named a channel that cannot be used: {error}")
        ) from None


def _entry_points() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=GROUP)}


def _loaded(path: str) -> type[Channel]:
    module, _, name = path.partition(":")
    try:
        found: object = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{path!r} cannot be imported: {error}") from None
    if not (isinstance(found, type) and issubclass(found, Channel) and hasattr(found, "options")):
        raise ValueError(f"{path!r} is no channel: it has to derive from notify.channel.Channel")
    return found


def _problem(rule: ChannelRule, error: ValueError) -> SettingsError:
    return SettingsError(sentence(f"Channel {rule.name!r}: {error}"))
