"""``workflow-monitor dead-letters``: records that the database refused, undelivered messages."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed, opened
from pytest_workflow_monitor.cli.exits import Exit, NothingThereError
from pytest_workflow_monitor.cli.options import (
    InOrder,
    agree,
    as_json_option,
    id_number,
    yes_option,
)
from pytest_workflow_monitor.cli.output import console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.ingest import Ingested
    from pytest_workflow_monitor.notify.delivery import Delivered
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import DeadLetter, Store

NOTHING_TO_RETRY = "Nothing to do: no dead letter waits."
NONE_WAIT = "No dead letters wait: nothing was refused or left undelivered."


class About(NamedTuple):
    """What a dead letter is about, where it can be read.

    Of a record it is the attempt's workflow and execution, of a message its title.
    """

    workflow_id: str = ""
    run_id: str = ""
    attempt: int | None = None
    title: str = ""


@click.group("dead-letters", cls=InOrder)
def dead_letters() -> None:
    """List, retry or drop what nobody took: records, messages."""


@dead_letters.command("list")
@click.option(
    "--all", "include_all", is_flag=True, help="Also those stored, delivered or dropped since."
)
@as_json_option
def list_letters(*, include_all: bool, as_json: bool) -> None:
    """List refused records and undelivered messages.

    Each with the reason that the database or the channel gave.
    """
    from pytest_workflow_monitor.store import LetterStatus

    with opened(effective_settings()) as store:
        status = None if include_all else LetterStatus.PENDING
        found = store.letters(status=status) if store is not None else ()
    if as_json:
        print_json([asdict(it) | about(it)._asdict() for it in found])
    elif found:
        _print_table(found)
    else:
        display.say(NONE_WAIT)


@dead_letters.command()
@click.argument("ids", nargs=-1, type=id_number, metavar="[ID]...")
@as_json_option
def retry(*, ids: Sequence[int], as_json: bool) -> None:
    """Store or send again: those named, else all that wait."""
    settings = effective_settings()
    with needed(settings) as store:
        _check_known(store, ids)
        stored, sent = _retried(store, settings, ids)
    tried_again = sent.failed + sent.put_off + sent.held
    if as_json:
        print_json(
            {
                "stored": stored.attempts,
                "refused": stored.dead_lettered,
                "sent": sent.sent,
                "waiting": tried_again,
                "undelivered": sent.given_up,
                "suppressed": sent.suppressed,
            }
        )
    else:
        _say_retried(stored, sent)
    if stored.dead_lettered or sent.given_up or tried_again:
        sys.exit(Exit.NOT_ALL_WELL)


def _retried(store: Store, settings: Settings, ids: Sequence[int]) -> tuple[Ingested, Delivered]:
    """Store records and send messages again, each of those that are named or wait."""
    from pytest_workflow_monitor.alerting.rules import rules_of
    from pytest_workflow_monitor.ingest import retry_dead_letters
    from pytest_workflow_monitor.notify.delivery import Delivered, deliver
    from pytest_workflow_monitor.store import LetterStatus

    stored = retry_dead_letters(store, list(ids) or None, rules_of(settings))
    status = None if ids else LetterStatus.PENDING
    letters = store.letters(status=status, letter_ids=list(ids) or None)
    messages = [it.letter_id for it in letters if it.notification_id is not None]
    now = store.clock()
    if not store.retry_message_letters(messages, now):
        return stored, Delivered()
    return stored, deliver(store, settings, now=now)


def _say_retried(stored: Ingested, sent: Delivered) -> None:
    found = []
    if stored.attempts or stored.dead_lettered:
        refused = f"; {stored.dead_lettered:,} still refused" if stored.dead_lettered else ""
        found.append(f"Stored {wording.plural(stored.attempts, 'attempt')}{refused}.")
    if sent.moved:
        said = [
            f"{count:,} {word}"
            for count, word in (
                (sent.failed, "failed and tried again later"),
                (sent.put_off + sent.held, "held back for now"),
                (sent.given_up, "still undelivered"),
                (sent.suppressed, "out of date and not sent"),
            )
            if count
        ]
        found.append("; ".join([f"Sent {wording.plural(sent.sent, 'message')}", *said]) + ".")
    click.echo("\n".join(found)) if found else display.say(NOTHING_TO_RETRY)
    for problem in dict.fromkeys(sent.problems):
        display.say(problem)


@dead_letters.command()
@click.argument("ids", nargs=-1, type=id_number, required=True, metavar="ID...")
@yes_option
@as_json_option
def drop(*, ids: Sequence[int], yes: bool, as_json: bool) -> None:
    """Give up: what is dropped stays, but waits no more."""
    with needed(effective_settings()) as store:
        _check_known(store, ids)
        if not yes:
            letters = wording.plural(len(set(ids)), "dead letter")
            agree(f"Give up {letters}? What is in them will not be stored or sent.")
        dropped = store.drop_letters(ids)
    if as_json:
        print_json({"dropped": dropped})
    else:
        click.echo(f"Dropped {wording.plural(dropped, 'dead letter')}.")


def about(letter: DeadLetter) -> About:
    """Read what a letter is about."""
    try:
        data = msgspec.json.decode(letter.event_data.encode())
        if letter.notification_id is not None:
            return About(title=str(data.get("title") or data["kind"]))
        return About(data["workflow"]["workflow_id"], data["run_id"], data["number"])
    except (msgspec.MsgspecError, UnicodeError, KeyError, TypeError, AttributeError):
        return About()


def _check_known(store: Store, ids: Sequence[int]) -> None:
    known = {it.letter_id for it in store.letters(letter_ids=list(ids))} if ids else set()
    missing = [str(it) for it in ids if it not in known]
    if missing:
        raise NothingThereError(f"There is no dead letter {' or '.join(missing)}.")


def _print_table(found: Sequence[DeadLetter]) -> None:
    now = datetime.now(UTC)
    rows = [
        [
            str(it.letter_id),
            about(it).title or about(it).workflow_id or wording.UNKNOWN,
            it.reason,
            it.status.lower(),
            str(it.attempts),
            display.when(it.last_attempt_at, now),
        ]
        for it in found
    ]
    columns = [">ID", "About", "Reason", "Status", ">Tries", "=Last try"]
    title = f"{wording.plural(len(found), 'dead letter')} ({display.times()})"
    console().print(display.listing(title, columns, rows))
