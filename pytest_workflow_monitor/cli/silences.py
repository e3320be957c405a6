"""``workflow-monitor silences``: keep messages back for a while."""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.alerting.matching import alert_facts, matches
from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed, opened
from pytest_workflow_monitor.cli.exits import Exit, NothingThereError
from pytest_workflow_monitor.cli.options import (
    InOrder,
    actor,
    as_json_option,
    by_option,
    duration,
    id_number,
)
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.settings.alert_rules import Match, read_match

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.words.alerts import Silence

NONE_HOLDS = "No silence holds."
SHORTCUTS = ("workflow", "environment", "priority", "tag", "owner")
INSTANT = "expected a day or an instant such as 2025-11-30 or 2025-11-30T14:20"


def instant(text: str) -> datetime:
    """Read a day or instant in ISO 8601, local by default.

    Raises:
        click.BadParameter: It is neither.
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r}: {INSTANT}.") from None


def asked(text: str) -> list[tuple[str, str]]:
    """Read ``field=pattern,pattern`` as pairs.

    Raises:
        click.BadParameter: It is written otherwise, or there is no such field.
    """
    field, _, given = text.partition("=")
    named = [it.strip() for it in given.split(",") if it.strip()]
    if not named:
        raise click.BadParameter(
            f"{text!r}: expected a field and patterns, as in tag=smoke,shop-*."
        )
    try:
        read_match({field.strip(): named})
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}.") from None
    return [(field.strip(), it) for it in named]


@click.group(cls=InOrder)
def silences() -> None:
    """Keep messages about some alerts back for a while."""


def _shortcuts(command: click.decorators.FC) -> click.decorators.FC:
    for name in reversed(SHORTCUTS):
        command = click.option(
            f"--{name}",
            name,
            multiple=True,
            metavar="PATTERN",
            help=f"The same as --match {name}=…",
        )(command)
    return command


@silences.command()
@click.option(
    "--match",
    "given",
    multiple=True,
    type=asked,
    metavar="FIELD=PATTERN,…",
    help="Which alerts: one of the patterns has to fit, and of every field; repeatable.",
)
@_shortcuts
@click.option("--for", "lasting", type=duration, metavar="DURATION", help="How long: 2h, 3d.")
@click.option(
    "--until", type=instant, metavar="WHEN", help="Until a day or instant, local by default."
)
@click.option("--reason", required=True, help="Why, for the others.")
@by_option
@as_json_option
def add(
    *,
    given: Sequence[list[tuple[str, str]]],
    lasting: float | None,
    until: datetime | None,
    reason: str,
    by: str | None,
    as_json: bool,
    **shortcuts: Sequence[str],
) -> None:
    """Tell nobody of the alerts that match.

    What happens is recorded all the same. An alert that is still open when the silence ends is told
    then.
    """
    from pytest_workflow_monitor.store.text import storable_text

    pairs = [(name, it) for name, patterns in shortcuts.items() for it in patterns]
    empty = [name for name, it in pairs if not it.strip()]
    if empty:
        raise click.UsageError(f"--{empty[0]} is empty; say which alerts are meant.")
    match = _match([*chain.from_iterable(given), *pairs])
    if (lasting is None) == (until is None):
        raise click.UsageError("Say how long, either with --for 2h or with --until.")
    if not reason.strip():
        raise click.UsageError("--reason is empty; say why nobody is to be told.")
    who, settings = actor(by), effective_settings()
    with needed(settings) as store:
        now = store.clock()
        ends_at = until or _later(now, lasting or 0)
        if ends_at <= now:
            raise click.UsageError(f"{display.full_when(ends_at)} is past.")
        silence_id = store.add_silence(
            settings.project,
            match,
            starts_at=now,
            ends_at=ends_at,
            author=storable_text(who),
            reason=storable_text(reason.strip()),
        )
        alerts = store.alerts(project=settings.project, open_only=True)
    quiet = [it.alert_id for it in alerts if matches(match, alert_facts(it))]
    if as_json:
        print_json({"silence_id": silence_id, "ends_at": ends_at, "match": match, "alerts": quiet})
        return
    click.echo(f"Silence {silence_id} until {display.full_when(ends_at)}.")
    display.say(f"It matches {wording.plural(len(quiet), 'open alert')} now.")


@silences.command("list")
@click.option("--all", "include_all", is_flag=True, help="Also those that have ended.")
@as_json_option
def list_silences(*, include_all: bool, as_json: bool) -> None:
    """List the silences that hold, the newest first."""
    settings = effective_settings()
    found: Sequence[Silence] = ()
    with opened(settings) as store:
        if store is not None:
            found = store.silences(settings.project, None if include_all else store.clock())
    if as_json:
        print_json([asdict(it) for it in found])
    elif found:
        _print_table(found, settings.project)
    else:
        display.say(NONE_HOLDS)


@silences.command()
@click.argument("ids", nargs=-1, type=id_number, required=True, metavar="ID...")
@by_option
@as_json_option
def end(*, ids: Sequence[int], by: str | None, as_json: bool) -> None:
    """End silences early; what waited for that is told."""
    from pytest_workflow_monitor.keeping.alerts import end_silence
    from pytest_workflow_monitor.store.text import storable_text

    who, settings = actor(by), effective_settings()
    with needed(settings) as store:
        known = {it.silence_id for it in store.silences(settings.project)}
        missing = sorted(set(ids) - known)
        if missing:
            numbers = " or ".join(map(str, missing))
            raise NothingThereError(f"There is no silence {numbers} of {settings.project}.")
        now = store.clock()
        ended = [
            it
            for it in sorted(set(ids))
            if end_silence(store, settings.project, it, actor=storable_text(who), now=now)
        ]
    left = sorted(set(ids) - set(ended))
    if as_json:
        print_json({"ended": ended, "left_alone": left})
    else:
        if ended:
            click.echo(f"Ended {wording.plural(len(ended), 'silence')}.")
        if left:
            display.say(f"Had ended before: {', '.join(map(str, left))}.")
    if left:
        sys.exit(Exit.NOT_ALL_WELL)


def _later(now: datetime, lasting: float) -> datetime:
    try:
        return now + timedelta(seconds=lasting)
    except OverflowError:
        raise click.UsageError("--for is too long for the calendar.") from None


def _match(given: Iterable[tuple[str, str]]) -> Match:
    """Gather the patterns by field.

    Raises:
        click.UsageError: There are none.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for field, pattern in given:
        found[field].append(pattern)
    if not found:
        raise click.UsageError(
            "Say what is to be silent, such as --workflow login or --match environment=production."
        )
    return {field: tuple(dict.fromkeys(patterns)) for field, patterns in found.items()}


def _print_table(found: Sequence[Silence], project: str) -> None:
    now = datetime.now(UTC)
    rows = [
        [
            str(it.silence_id),
            " ".join(f"{field}={','.join(patterns)}" for field, patterns in it.match.items()),
            display.when(it.ends_at, now),
            f"{it.author}, ended by {it.ended_by}" if it.ended_by else it.author,
            it.reason,
        ]
        for it in found
    ]
    title = f"{wording.plural(len(found), 'silence')} of {project} ({display.times()})"
    console().print(display.listing(title, [">ID", "Alerts", "=Until", "By", "Reason"], rows))
