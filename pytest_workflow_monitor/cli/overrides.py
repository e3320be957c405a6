"""``workflow-monitor schedule disable | enable``: an operator's word over that of the code."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings
from pytest_workflow_monitor.cli.exits import Exit, NothingThereError
from pytest_workflow_monitor.cli.options import actor, as_json_option, by_option
from pytest_workflow_monitor.cli.output import print_json
from pytest_workflow_monitor.cli.selection import goes_by, unknown
from pytest_workflow_monitor.cli.silences import instant
from pytest_workflow_monitor.words.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.slots import Schedule


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--until",
    required=True,
    metavar="WHEN",
    help="A duration such as 2h, or a day or instant, local by default.",
)
@click.option("--why", required=True, help="Why, for the others.")
@by_option
@as_json_option
def disable(*, ids: Sequence[str], until: str, why: str, by: str | None, as_json: bool) -> None:
    """Let schedules rest for a while, in this environment.

    ID is a workflow's id or a glob. Slots until then are not run, and not caught up with
    afterwards. A run that has begun goes on.
    """
    from pytest_workflow_monitor.store import open_store
    from pytest_workflow_monitor.store.text import storable_text

    if not why.strip():
        raise click.UsageError("--why is empty; say why the schedule rests.")
    who, settings = actor(by), effective_settings()
    with open_store(settings) as store:
        now = store.clock()
        ends_at = _end(until, now)
        found = _named(store, settings, ids, now)
        changed = store.disable_schedules(
            settings.project,
            settings.environment,
            [it.workflow_id for it in found],
            until=ends_at,
            actor=storable_text(who),
            reason=storable_text(why.strip()),
        )
    if as_json:
        print_json({"disabled": sorted(changed), "until": ends_at})
    else:
        click.echo(f"Disabled until {display.full_when(ends_at)}: {', '.join(sorted(changed))}.")


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@as_json_option
def enable(*, ids: Sequence[str], as_json: bool) -> None:
    """Let schedules run again before their rest is over.

    They run from their next slot on. ID is a workflow's id or a glob; what the code disables stays
    so.
    """
    from pytest_workflow_monitor.store import open_store

    settings = effective_settings()
    with open_store(settings) as store:
        now = store.clock()
        names = [it.workflow_id for it in _named(store, settings, ids, now)]
        changed = store.enable_schedules(settings.project, settings.environment, names, now)
    left = sorted(set(names) - changed)
    if as_json:
        print_json({"enabled": sorted(changed), "left_alone": left})
    else:
        if changed:
            click.echo(f"Enabled: {', '.join(sorted(changed))}.")
        if left:
            display.say(f"Did not rest: {', '.join(left)}.")
    if left:
        sys.exit(Exit.NOT_ALL_WELL)


def _named(store: Store, settings: Settings, ids: Sequence[str], now: datetime) -> list[Schedule]:
    """Find schedules by their workflows; what the database does not know may be in the code.

    Raises:
        NothingThereError: An id has no schedule.
    """
    from pytest_workflow_monitor.schedule.catalogue import sync_catalogue

    known = store.schedules(settings.project, settings.environment)
    if _missing(known, ids):
        sync_catalogue(store, settings, now)
        known = store.schedules(settings.project, settings.environment)
    missing = _missing(known, ids)
    if missing:
        said = unknown(missing, [it.workflow_id for it in known])
        raise NothingThereError(f"{said} Among the schedules of {settings.environment}, that is.")
    return [it for it in known if any(goes_by(it.workflow_id, name) for name in ids)]


def _missing(known: Sequence[Schedule], ids: Sequence[str]) -> list[str]:
    return [name for name in ids if not any(goes_by(it.workflow_id, name) for it in known)]


def _end(text: str, now: datetime) -> datetime:
    try:
        ends_at = now + timedelta(seconds=seconds(text))
    except OverflowError:
        raise click.BadParameter(f"{text!r} is too long.", param_hint="--until") from None
    except ValueError:
        try:
            ends_at = instant(text)
        except click.BadParameter as error:
            error.param_hint = "--until"
            raise
    if ends_at <= now:
        raise click.UsageError(f"{display.full_when(ends_at)} is past.")
    return ends_at
