"""``workflow-monitor alerts``: what is wrong, and what people do about it."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed, opened
from pytest_workflow_monitor.cli.alert_page import KIND_WORDS, AlertPage, Story, status
from pytest_workflow_monitor.cli.backtesting import backtest
from pytest_workflow_monitor.cli.exits import Exit, NothingThereError
from pytest_workflow_monitor.cli.options import (
    InOrder,
    actor,
    as_json_option,
    by_option,
    id_number,
    limit_number,
)
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.cli.selection import patterns
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.words.alerts import Alert, AlertKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.text import Text

    from pytest_workflow_monitor.alerting.rules import Rules
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

    Action = Callable[..., frozenset[int]]

NONE_OPEN = "No alert is open."
NONE_FITS = "No alert fits these options."
QUIET = "dim"


@click.group(cls=InOrder)
def alerts() -> None:
    """See what is wrong, take it over, close it, try policies."""


@alerts.command("list")
@click.option("--all", "include_all", is_flag=True, help="Also those that are resolved.")
@click.option("--environment", metavar="NAME", help="Only in this environment; by default in all.")
@click.option(
    "--workflow",
    "workflows",
    multiple=True,
    metavar="ID",
    help="Only of this workflow, or of those that a glob fits; repeatable.",
)
@click.option(
    "--priority",
    "priorities",
    multiple=True,
    type=click.Choice([it.value for it in Priority]),
    help="Only of this priority; repeatable.",
)
@click.option(
    "--limit",
    type=limit_number,
    default=100,
    show_default=True,
    metavar="N",
    help="How many at most, the newest first.",
)
@as_json_option
def list_alerts(
    *,
    include_all: bool,
    environment: str | None,
    workflows: Sequence[str],
    priorities: Sequence[str],
    limit: int,
    as_json: bool,
) -> None:
    """List the alerts that are open, the newest first."""
    settings = effective_settings()
    found: Sequence[Alert] = ()
    with opened(settings) as store:
        if store is not None:
            found = store.alerts(
                project=settings.project,
                environment=environment,
                priorities=tuple(map(Priority, priorities)) or None,
                workflows=patterns(workflows),
                open_only=not include_all,
                limit=limit + 1,
            )
    shown = found[:limit]
    if as_json:
        print_json([asdict(it) for it in shown])
    elif shown:
        _print_table(shown, settings.project, include_all=include_all)
    else:
        display.say(
            NONE_FITS if include_all or environment or workflows or priorities else NONE_OPEN
        )
    if len(found) > limit:
        display.say("There are more; --limit shows them.")


@alerts.command()
@click.argument("alert_id", type=id_number, metavar="ID")
@as_json_option
def show(*, alert_id: int, as_json: bool) -> None:
    """Show one alert: its story, its messages, its cause."""
    settings = effective_settings()
    with needed(settings) as store:
        (alert,) = _chosen(store, settings, [alert_id], [])
        story = Story.read(store, alert)
    if as_json:
        print_json(story.as_json())
    else:
        AlertPage(story, datetime.now(UTC)).print_on(console())


def _acting(*, needs_reason: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the arguments by which people say which alerts they do something about, and why."""
    reason = (
        click.option("--reason", required=True, help="What there is to say.")
        if needs_reason
        else click.option("--reason", default="", help="Why, for the others.")
    )

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in (
            as_json_option,
            by_option,
            reason,
            click.option(
                "--incident",
                "incidents",
                multiple=True,
                type=id_number,
                metavar="NUMBER",
                help="All open alerts of an incident; repeatable.",
            ),
            click.argument("ids", nargs=-1, type=id_number, metavar="[ID]..."),
        ):
            command = option(command)
        return command

    return decorate


@alerts.command()
@_acting()
def ack(**given: Any) -> None:
    """Say that you look after alerts: no more reminders."""
    from pytest_workflow_monitor.keeping.alerts import acknowledge

    _act(acknowledge, "Acknowledged", "not active any more", **given)


@alerts.command()
@_acting()
def resolve(**given: Any) -> None:
    """Close alerts by hand: only later failures open new ones."""
    from pytest_workflow_monitor.keeping.alerts import resolve as close

    _act(close, "Resolved", "resolved before", **given)


@alerts.command()
@_acting(needs_reason=True)
def comment(**given: Any) -> None:
    """Add a remark to the story of alerts."""
    from pytest_workflow_monitor.keeping.alerts import comment as remark

    def add(store: Store, _: Rules, found: Sequence[Alert], **said: Any) -> frozenset[int]:
        remark(store, found, **said)
        return frozenset(it.alert_id for it in found)

    _act(add, "Commented on", "", **given)


alerts.add_command(backtest)


def _act(
    action: Action,
    done: str,
    otherwise: str,
    *,
    ids: Sequence[int],
    incidents: Sequence[int],
    reason: str,
    by: str | None,
    as_json: bool,
) -> None:
    """Do something to alerts, and say to which it was done."""
    from pytest_workflow_monitor.alerting.rules import rules_of
    from pytest_workflow_monitor.cli.notifying import delivered
    from pytest_workflow_monitor.store.text import storable_text

    who, settings = actor(by), effective_settings()
    with needed(settings) as store:
        found = _chosen(store, settings, ids, incidents)
        changed = action(
            store,
            rules_of(settings),
            found,
            actor=storable_text(who),
            reason=storable_text(reason),
            now=store.clock(),
        )
        if changed and settings.channels:
            for problem in dict.fromkeys(delivered(store, settings).problems):
                display.say(problem)
    left = [it.alert_id for it in found if it.alert_id not in changed]
    if as_json:
        print_json({"changed": sorted(changed), "left_alone": left})
    else:
        if changed:
            click.echo(f"{done} {wording.plural(len(changed), 'alert')}.")
        if left:
            display.say(f"Left alone, because {otherwise}: {', '.join(map(str, left))}.")
    if left:
        sys.exit(Exit.NOT_ALL_WELL)


def _chosen(
    store: Store, settings: Settings, ids: Sequence[int], incidents: Sequence[int]
) -> tuple[Alert, ...]:
    """Find the alerts that are meant, those of an incident as far as they are open.

    Raises:
        NothingThereError: One of them is not there.
        click.UsageError: None is named.
    """
    if not ids and not incidents:
        raise click.UsageError("Name at least one alert by its id, or an --incident.")
    project = settings.project
    named = store.alerts(project=project, alert_ids=ids)
    grouped = store.alerts(project=project, incident_ids=incidents, open_only=True)
    missing = sorted(set(ids) - {it.alert_id for it in named})
    if missing:
        raise NothingThereError(f"There is no alert {_or(missing)} of {project}.")
    without = sorted(set(incidents) - {it.incident_id for it in grouped})
    if without:
        raise NothingThereError(f"There is no open alert of incident {_or(without)} of {project}.")
    found = {it.alert_id: it for it in (*named, *grouped)}
    return tuple(found[number] for number in sorted(found))


def _or(numbers: Sequence[int]) -> str:
    return " or ".join(map(str, numbers))


def _print_table(found: Sequence[Alert], project: str, *, include_all: bool) -> None:
    now = datetime.now(UTC)
    is_wide = display.is_wide()
    several = len({it.environment for it in found}) > 1
    where = "" if several else f" in {found[0].environment}"
    what = wording.plural(len(found), "alert" if include_all else "open alert")
    columns = [">ID", "=State", "=Priority", "Workflow", "=Since", ">Failed"]
    columns += [*(["Environment"] if several else []), *(["Owner", ">Incident"] if is_wide else [])]
    rows: list[list[Text | str]] = [
        [
            str(it.alert_id),
            status(it),
            display.priority(it.priority),
            _workflow(it),
            display.when(it.since, now),
            f"{it.failures}×",
            *([it.environment] if several else []),
            *([it.owner, str(it.incident_id)] if is_wide else []),
        ]
        for it in found
    ]
    title = f"{what} of {project}{where} ({display.times()})"
    console().print(display.listing(title, columns, rows))
    incidents = Counter(it.incident_id for it in found if it.is_open)
    for number, count in sorted(incidents.items()):
        if count > 1:
            display.say(f"Incident {number}: {count} alerts with one cause.")


def _workflow(alert: Alert) -> Text:
    """Say what is wrong with a workflow, in a second line where."""
    text = display.line(alert.workflow_id)
    if alert.kind is not AlertKind.FAILING:
        text.append(f"  {KIND_WORDS[alert.kind]}", "yellow")
    about = [alert.failing_step or alert.reason]
    if alert.inhibited_by is not None:
        about.append(f"explained by {alert.inhibited_by}")
    elif alert.quiet:
        about.append(f"nobody was told: {alert.quiet}")
    if alert.acknowledged_by and alert.is_open:
        about.append(f"{alert.acknowledged_by} looks after it")
    said = display.printable(" · ".join(filter(None, about)))
    return text.append(f"\n{said}", QUIET) if said else text
