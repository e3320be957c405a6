"""``workflow-monitor notify``: deliver what waits, try channels, see what they would say."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, opened
from pytest_workflow_monitor.cli.exits import Exit, NothingThereError
from pytest_workflow_monitor.cli.options import InOrder, as_json_option
from pytest_workflow_monitor.cli.output import print_json
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_workflow_monitor.notify.channel import Channel
    from pytest_workflow_monitor.notify.delivery import Delivered
    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule
    from pytest_workflow_monitor.store import Store

NO_CHANNEL = (
    "No channel is configured: a table such as [tool.workflow_monitor.channels.team] names one."
)


class Tried(Record, frozen=True, kw_only=True):
    """What came back for one sample."""

    channel: str
    sample: str
    sent: bool
    said: str = ""


@click.group(cls=InOrder)
def notify() -> None:
    """Deliver what waits, try channels, preview messages."""


@notify.command()
@as_json_option
def send(*, as_json: bool) -> None:
    """Send what is due, remind, escalate; for crontab.

    Says nothing when there was nothing to do. Any number of processes may do this at once.
    """
    from pytest_workflow_monitor.notify.delivery import Delivered

    settings = effective_settings()
    done = Delivered()
    with opened(settings) as store:
        if store is not None:
            done = delivered(store, settings)
    for problem in dict.fromkeys(done.problems):
        display.say(problem)
    if as_json:
        print_json(asdict(done))
    elif done.moved:
        click.echo(f"{in_words(done)}.")
    if done.failed or done.given_up:
        sys.exit(Exit.NOT_ALL_WELL)


@notify.command()
@click.argument("channel", required=False)
@as_json_option
def test(*, channel: str | None, as_json: bool) -> None:
    """Send a sample of each kind, and say what came back.

    To all channels, or to the one that is named.
    """
    settings = effective_settings()
    tried: list[Tried] = []
    for name, built in _channels(settings, channel):
        threads: dict[str, Mapping[str, str]] = {}
        for sample, message in _samples(settings).items():
            tried.append(_tried(name, sample, built, message, threads))
            if not as_json:
                _print_tried(tried[-1])
    if as_json:
        print_json(tried)
    if not all(it.sent for it in tried):
        sys.exit(Exit.NOT_ALL_WELL)


@notify.command()
@click.argument("channel", required=False)
@click.option("--kind", metavar="KIND", help="Only this sample, such as failure or digest.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the page of an e-mail there; needs an e-mail channel and a kind.",
)
@as_json_option
def preview(*, channel: str | None, kind: str | None, html: Path | None, as_json: bool) -> None:
    """Show samples as a channel would send them, and send nothing."""
    settings = effective_settings()
    found = _chosen_samples(settings, kind)
    channels = list(_channels(settings, channel))
    if html is not None:
        _write_page(html, channels, found)
        return
    shown = [
        {"channel": name, "sample": sample, "content": built.preview(message)}
        for name, built in channels
        for sample, message in found.items()
    ]
    if as_json:
        print_json(shown)
        return
    for it in shown:
        display.say(f"{it['channel']}, {it['sample']}:")
        click.echo(f"{display.printable(it['content'])}\n")


def delivered(store: Store, settings: Settings) -> Delivered:
    """Remind, and send until nothing that is due goes out any more: some wait for others."""
    from pytest_workflow_monitor.alerting.rules import rules_of
    from pytest_workflow_monitor.keeping.alerts import tend
    from pytest_workflow_monitor.notify.delivery import deliver

    tend(store, rules_of(settings), settings.project, store.clock())
    done = once = deliver(store, settings)
    while once.moved:
        once = deliver(store, settings)
        done += once
    return done


def in_words(done: Delivered) -> str:
    """Say what was done: ``Sent 3 messages; 1 is tried again later``."""
    parts = [f"Sent {wording.plural(done.sent, 'message')}"]
    for count, what in (
        (done.failed, "to be tried again"),
        (done.given_up, "given up"),
        (done.held, "held for a digest"),
        (done.put_off, "put off"),
        (done.suppressed, "not needed any more"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    return "; ".join(parts)


def _channels(settings: Settings, name: str | None) -> Iterator[tuple[str, Channel]]:
    """Make the channel that is named, or all.

    Raises:
        NothingThereError: There is none, or none of that name.
    """
    from pytest_workflow_monitor.notify.registry import build_channels

    rules: Sequence[ChannelRule] = settings.channels
    if not rules:
        raise NothingThereError(NO_CHANNEL)
    known = [it.name for it in rules]
    if name is not None and name not in known:
        raise NothingThereError(f"There is no channel {name!r}; known are {', '.join(known)}.")
    built = build_channels(settings, os.environ, settings.channel_classes)
    return ((it, built[it]) for it in known if name in {None, it})


def _samples(settings: Settings) -> dict[str, Message]:
    from pytest_workflow_monitor.notify.samples import samples

    return samples(settings.project, settings.environment, datetime.now(UTC), key=str(uuid4()))


def _chosen_samples(settings: Settings, kind: str | None) -> dict[str, Message]:
    found = _samples(settings)
    if kind is None:
        return found
    if kind not in found:
        raise click.UsageError(f"There is no sample {kind!r}; there are {', '.join(found)}.")
    return {kind: found[kind]}


def _tried(
    name: str,
    sample: str,
    channel: Channel,
    message: Message,
    threads: dict[str, Mapping[str, str]],
) -> Tried:
    """Send one sample, in its thread; whatever a channel raises is what came back."""
    try:
        receipt = channel.send(message, threads.get(message.thread_key, {}))
        threads[message.thread_key] = receipt.reference
    except Exception as error:  # noqa: BLE001 - channels may be anybody's
        return Tried(channel=name, sample=sample, sent=False, said=str(error))
    return Tried(channel=name, sample=sample, sent=True, said=receipt.said)


def _print_tried(tried: Tried) -> None:
    mark = "✓" if tried.sent else "✗"
    said = tried.said or "sent"
    click.echo(f"{mark} {tried.channel}, {tried.sample}: {display.printable(said)}")


def _write_page(
    path: Path, channels: Sequence[tuple[str, Channel]], found: dict[str, Message]
) -> None:
    """Write the HTML part of one mail to a file.

    Raises:
        click.UsageError: It is not clear which one, or the channel sends none.
    """
    from email import message_from_bytes, policy

    from pytest_workflow_monitor.report.files import write_atomically

    mails = [built for _, built in channels if built.type == "email"]
    if len(mails) != 1 or len(found) != 1:
        raise click.UsageError("--html needs the name of an e-mail channel, and --kind.")
    (message,) = found.values()
    mail = message_from_bytes(mails[0].preview(message).encode(), policy=policy.default)
    page = mail.get_body(("html",))
    content = page.get_content() if page is not None else ""
    write_atomically(path, str(content).encode("utf-8", "replace"))
    click.echo(str(path))
