"""``workflow-monitor dead-letters``: records that the database refused."""

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
from pytest_workflow_monitor.cli.options import InOrder, agree, as_json_option, yes_option
from pytest_workflow_monitor.cli.output import console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.store import DeadLetter, Store

NOTHING_TO_RETRY = "Nothing to do: no dead letter waits."
NONE_WAIT = "No dead letters wait: the database refused nothing."


class About(NamedTuple):
    """What a dead letter is about: the attempt's workflow and execution, where it can be read."""

    workflow_id: str = ""
    run_id: str = ""
    attempt: int | None = None


@click.group("dead-letters", cls=InOrder)
def dead_letters() -> None:
    """List, retry or drop records that the database refused."""


@dead_letters.command("list")
@click.option("--all", "include_all", is_flag=True, help="Also those stored or dropped since.")
@as_json_option
def list_letters(*, include_all: bool, as_json: bool) -> None:
    """List the records that the database refused, with its reasons."""
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
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@as_json_option
def retry(*, ids: Sequence[int], as_json: bool) -> None:
    """Try to store records again: those named, else all that wait."""
    from pytest_workflow_monitor.alerting.rules import rules_of
    from pytest_workflow_monitor.ingest import retry_dead_letters

    settings = effective_settings()
    with needed(settings) as store:
        _check_known(store, ids)
        done = retry_dead_letters(store, list(ids) or None, rules_of(settings))
    if as_json:
        print_json({"stored": done.attempts, "refused": done.dead_lettered})
    elif not done.attempts and not done.dead_lettered:
        display.say(NOTHING_TO_RETRY)
    else:
        refused = f"; {done.dead_lettered:,} still refused" if done.dead_lettered else ""
        click.echo(f"Stored {wording.plural(done.attempts, 'attempt')}{refused}.")
    if done.dead_lettered:
        sys.exit(Exit.NOT_ALL_WELL)


@dead_letters.command()
@click.argument("ids", nargs=-1, type=int, required=True, metavar="ID...")
@yes_option
@as_json_option
def drop(*, ids: Sequence[int], yes: bool, as_json: bool) -> None:
    """Give records up; they stay in the table, but wait no more."""
    with needed(effective_settings()) as store:
        _check_known(store, ids)
        if not yes:
            records = wording.plural(len(set(ids)), "record")
            agree(f"Give up {records}? What is in them will not be stored.")
        dropped = store.drop_letters(ids)
    if as_json:
        print_json({"dropped": dropped})
    else:
        click.echo(f"Dropped {wording.plural(dropped, 'dead letter')}.")


def about(letter: DeadLetter) -> About:
    """Read what a letter is about."""
    try:
        data = msgspec.json.decode(letter.event_data.encode())
        return About(data["workflow"]["workflow_id"], data["run_id"], data["number"])
    except (msgspec.MsgspecError, UnicodeError, KeyError, TypeError):
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
            about(it).workflow_id or wording.UNKNOWN,
            it.reason,
            it.status.lower(),
            str(it.attempts),
            display.when(it.last_attempt_at, now),
        ]
        for it in found
    ]
    columns = [">ID", "Workflow", "Reason", "Status", ">Tries", "=Last try"]
    title = f"{wording.plural(len(found), 'dead letter')} ({display.times()})"
    console().print(display.listing(title, columns, rows))
