"""``workflow-monitor schedule``: when workflows run, in words and in instants."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings
from pytest_workflow_monitor.cli.exits import Exit, NothingThereError
from pytest_workflow_monitor.cli.listing import (
    HOW_TO_MARK,
    NEVER,
    UNKNOWN,
    Last,
    last_runs,
    two_lines,
)
from pytest_workflow_monitor.cli.options import InOrder, as_json_option, selecting, wanted
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.cli.selection import Wanted, select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from pytest_workflow_monitor.model import HistoryPoint, Workflow
    from pytest_workflow_monitor.settings import Settings

COLUMNS = ("Workflow", "Schedule", "=Next", "=Last run")
SHOWN_SLOTS = 3
MAX_COUNT = 10_000
HOW_TO_SCHEDULE = (
    'No workflow has a schedule: give a marker cron="*/15 * * * *" or every="15m" to make one.'
)
FROM = "expected a day or an instant such as 2026-03-29 or 2026-03-29T02:30:00Z"
ZONE = "expected an IANA time zone such as 'Europe/Berlin' or 'UTC'"
ONE_OF = "Give either the ID of a workflow or --cron."
NONE_LEFT = "It never runs again before the end of the calendar."


@click.group(cls=InOrder)
def schedule() -> None:
    """Tell when workflows run."""


@schedule.command("list")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@selecting
@as_json_option
def list_schedules(*, ids: Sequence[str], as_json: bool, **properties: Any) -> None:
    """List schedules: in words, when each runs next, how it ran last.

    ID is a workflow's id or a glob such as 'order-*'; without one, all are listed.
    """
    from pytest_workflow_monitor.cli.collection import collect, complain

    settings = effective_settings()
    collected = collect(settings)
    complain(collected.broken)
    chosen = {it.workflow_id: it for it in select(collected.workflows, wanted(ids, **properties))}
    scheduled = [it for it in chosen.values() if _has_schedule(it)]
    last = last_runs(settings, [it.workflow_id for it in scheduled])
    now = datetime.now(UTC)
    if as_json:
        print_json([_as_json(it, (last or {}).get(it.workflow_id), now) for it in scheduled])
    elif scheduled:
        _print_table(scheduled, last, settings, now)
        _tell_of_others(len(chosen) - len(scheduled))
    else:
        display.say(HOW_TO_SCHEDULE if chosen else HOW_TO_MARK)
    if collected.broken:
        sys.exit(Exit.NOT_ALL_WELL)


@schedule.command("next")
@click.argument("workflow_id", required=False, metavar="[ID]")
@click.option("--cron", metavar="EXPRESSION", help="Of this expression instead of a workflow.")
@click.option("--tz", "zone", metavar="ZONE", help="Its time zone, such as Europe/Berlin.")
@click.option(
    "--from",
    "start",
    metavar="INSTANT",
    help="After this instant instead of now; in the schedule's zone where it names none.",
)
@click.option(
    "--count",
    type=click.IntRange(1, MAX_COUNT),
    default=10,
    show_default=True,
    metavar="N",
    help="How many.",
)
@as_json_option
def next_times(
    *,
    workflow_id: str | None,
    cron: str | None,
    zone: str | None,
    start: str | None,
    count: int,
    as_json: bool,
) -> None:
    """Tell the next times of a workflow or a cron expression.

    ID is a workflow's id.
    """
    from pytest_workflow_monitor.cron.slots import said, slots

    if (workflow_id is None) == (cron is None):
        raise click.UsageError(ONE_OF)
    if zone is not None and cron is None:
        raise click.UsageError("--tz belongs to --cron; a workflow's zone is in its marker.")
    scheduled = _found(workflow_id) if workflow_id else _made_up(cron or "", zone or "UTC")
    after = _instant(start, scheduled.timezone) if start else datetime.now(UTC)
    found = list(islice(slots(scheduled, after), count))
    if as_json:
        print_json(found)
    elif found:
        title = f"{said(scheduled)} ({scheduled.timezone})"
        _print_times(title, found, ZoneInfo(scheduled.timezone))
    else:
        display.say(NONE_LEFT)


def _found(workflow_id: str) -> Workflow:
    """Find one workflow with a schedule in the code."""
    from pytest_workflow_monitor.cli.collection import collect

    workflows = collect(effective_settings()).workflows
    found = {it.workflow_id: it for it in select(workflows, Wanted(ids=(workflow_id,)))}
    if len(found) > 1:
        raise NothingThereError(f"{workflow_id!r} stands for several: {', '.join(found)}.")
    (workflow,) = found.values()
    if not _has_schedule(workflow):
        raise NothingThereError(f"The workflow {workflow.workflow_id!r} has no schedule.")
    return workflow


def _made_up(expression: str, zone: str) -> Workflow:
    """Make a workflow of nothing but a schedule."""
    from pytest_workflow_monitor.cron import check
    from pytest_workflow_monitor.model import Workflow

    try:
        check(expression)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--cron") from None
    try:
        name = ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter(f"{zone!r}: {ZONE}.", param_hint="--tz") from None
    return Workflow(workflow_id="", name="", nodeid="", file="", cron=expression, timezone=name)


def _instant(text: str, zone: str) -> datetime:
    try:
        given = datetime.fromisoformat(text)
        local = given if given.tzinfo else given.replace(tzinfo=ZoneInfo(zone))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r}: {FROM}.", param_hint="--from") from None


def _has_schedule(workflow: Workflow) -> bool:
    return workflow.cron is not None or workflow.every_seconds is not None


def _next(workflow: Workflow, now: datetime) -> list[datetime]:
    from pytest_workflow_monitor.cron.slots import slots

    return list(islice(slots(workflow, now), SHOWN_SLOTS)) if workflow.enabled else []


def _as_json(workflow: Workflow, last: HistoryPoint | None, now: datetime) -> dict[str, object]:
    from pytest_workflow_monitor.cron.slots import said

    return {
        "workflow_id": workflow.workflow_id,
        "cron": workflow.cron,
        "every_seconds": workflow.every_seconds,
        "timezone": workflow.timezone,
        "words": said(workflow),
        "enabled": workflow.enabled,
        "next_at": _next(workflow, now),
        "last": asdict(last) if last else None,
    }


def _print_table(
    scheduled: Sequence[Workflow], last: Last | None, settings: Settings, now: datetime
) -> None:
    known, otherwise = (last, NEVER) if last is not None else ({}, UNKNOWN)
    title = (
        f"{wording.plural(len(scheduled), 'schedule')} of {settings.project}, "
        f"last run in {settings.environment} ({display.times()})"
    )
    rows = [_row(it, known.get(it.workflow_id), now, otherwise) for it in scheduled]
    console().print(display.listing(title, COLUMNS, rows))


def _row(
    workflow: Workflow, last: HistoryPoint | None, now: datetime, otherwise: str
) -> list[Text | str]:
    from pytest_workflow_monitor.cron.slots import said

    first, *others = [display.when(it, now) for it in _next(workflow, now)] or ["disabled"]
    zone = f" in {workflow.timezone}" if workflow.timezone != "UTC" else ""
    return [
        workflow.workflow_id,
        two_lines(said(workflow), f"{workflow.cron}{zone}" if workflow.cron else ""),
        two_lines(first, ", ".join(others) if display.is_wide() else ""),
        two_lines(
            display.status(last.status, is_flaky=last.is_flaky), display.when(last.started_at, now)
        )
        if last
        else otherwise,
    ]


def _tell_of_others(count: int) -> None:
    if count:
        display.say(f"{wording.plural(count, 'workflow')} without a schedule: not listed.")


def _print_times(title: str, found: Sequence[datetime], zone: ZoneInfo) -> None:
    columns = ["=UTC"] if zone.key == "UTC" else [f"={zone.key}", "=UTC"]
    rows = [
        [f"{it.astimezone(zone):%a %d %b %Y %H:%M:%S %Z}", f"{it:%Y-%m-%d %H:%M:%S}"][
            -len(columns) :
        ]
        for it in found
    ]
    console().print(display.listing(title, columns, rows))
