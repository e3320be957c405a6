"""``workflow-monitor schedule``: when workflows run, in words and in instants."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, opened
from pytest_workflow_monitor.cli.exits import Exit, NothingThereError
from pytest_workflow_monitor.cli.listing import (
    HOW_TO_MARK,
    NEVER,
    UNKNOWN,
    last_runs,
    two_lines,
)
from pytest_workflow_monitor.cli.options import InOrder, as_json_option, selecting, wanted
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.cli.overrides import disable, enable
from pytest_workflow_monitor.cli.selection import Wanted, select
from pytest_workflow_monitor.cli.slots import check, slots, sync
from pytest_workflow_monitor.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from pytest_workflow_monitor.model import HistoryPoint, Workflow
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.words.slots import Schedule

COLUMNS = ("Workflow", "Schedule", "=Next", "=Last run")
SHOWN_SLOTS = 3
STORED = (
    "queue",
    "overlap",
    "grace_seconds",
    "limit_seconds",
    "next_run_at",
    "last_run_at",
    "last_status",
    "run_count",
    "success_count",
    "failure_count",
    "missed_count",
)
"""What a scheduler keeps of a schedule."""

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
    """Tell when workflows run, and what became of it."""


@schedule.command("list")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@selecting
@as_json_option
def list_schedules(*, ids: Sequence[str], as_json: bool, **properties: Any) -> None:
    """List schedules: in words, when each runs next, how it ran last.

    ID is a workflow's id or a glob such as 'order-*'; without one, all are listed.
    """
    from pytest_workflow_monitor.schedule.collecting import collect

    settings = effective_settings()
    collected = collect(settings)
    display.complain(collected.broken)
    chosen = {it.workflow_id: it for it in select(collected.workflows, wanted(ids, **properties))}
    scheduled = [it for it in chosen.values() if _has_schedule(it)]
    last = last_runs(settings, [it.workflow_id for it in scheduled])
    known = _known(settings) if last is not None else {}
    now = datetime.now(UTC)
    rows = [
        _Row(it, known.get(it.workflow_id), (last or {}).get(it.workflow_id), now)
        for it in scheduled
    ]
    if as_json:
        print_json([it.as_json() for it in rows])
    elif scheduled:
        _print_table(rows, settings, NEVER if last is not None else UNKNOWN)
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
    from pytest_workflow_monitor.cron.slots import said
    from pytest_workflow_monitor.cron.slots import slots as times_of

    if (workflow_id is None) == (cron is None):
        raise click.UsageError(ONE_OF)
    if zone is not None and cron is None:
        raise click.UsageError("--tz belongs to --cron; a workflow's zone is in its marker.")
    scheduled = (
        _made_up(cron or "", "UTC" if zone is None else zone)
        if workflow_id is None
        else _found(workflow_id)
    )
    after = _instant(start, scheduled.timezone) if start is not None else datetime.now(UTC)
    found = list(islice(times_of(scheduled, after), count))
    if as_json:
        print_json(found)
    elif found:
        title = f"{said(scheduled)} ({scheduled.timezone})"
        _print_times(title, found, ZoneInfo(scheduled.timezone))
    else:
        display.say(NONE_LEFT)


def _found(workflow_id: str) -> Workflow:
    """Find one workflow with a schedule in the code."""
    from pytest_workflow_monitor.schedule.collecting import collect

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


class _Row(NamedTuple):
    """A schedule in the code, what the database knows of it, and the last execution."""

    workflow: Workflow
    known: Schedule | None
    last: HistoryPoint | None
    now: datetime

    @property
    def rests_until(self) -> datetime | None:
        """Until when an operator lets it rest; None if it does not."""
        until = self.known.disabled_until if self.known else None
        return until if until is not None and until > self.now else None

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        from pytest_workflow_monitor.cron.slots import said

        workflow, known = self.workflow, self.known
        return {
            "workflow_id": workflow.workflow_id,
            "cron": workflow.cron,
            "every_seconds": workflow.every_seconds,
            "timezone": workflow.timezone,
            "words": said(workflow),
            "enabled": workflow.enabled,
            "next_at": _next(workflow, self.rests_until or self.now),
            "last": asdict(self.last) if self.last else None,
            "override": {
                "until": self.rests_until,
                "by": known.disabled_by,
                "reason": known.disabled_reason,
            }
            if known and self.rests_until
            else None,
            "stored": {name: getattr(known, name) for name in STORED} if known else None,
        }

    def cells(self, otherwise: str) -> list[Text | str]:
        """Return it for people."""
        from pytest_workflow_monitor.cron.slots import said

        workflow, last = self.workflow, self.last
        zone = f" in {workflow.timezone}" if workflow.timezone != "UTC" else ""
        ran = (
            two_lines(
                display.status(last.status, is_flaky=last.is_flaky),
                display.when(last.started_at, self.now),
            )
            if last
            else otherwise
        )
        return [
            workflow.workflow_id,
            two_lines(said(workflow), f"{workflow.cron}{zone}" if workflow.cron else ""),
            self._next_cell(),
            ran,
        ]

    def _next_cell(self) -> Text:
        until = self.rests_until
        if until is not None and self.known is not None and self.workflow.enabled:
            why = f"{self.known.disabled_by}: {self.known.disabled_reason}"
            return two_lines(f"rests until {display.when(until, self.now)}", why)
        times = [display.when(it, self.now) for it in _next(self.workflow, self.now)]
        first, *others = times or ["disabled"]
        return two_lines(first, ", ".join(others) if display.is_wide() else "")


def _known(settings: Settings) -> dict[str, Schedule]:
    """Ask the database about schedules; that it cannot be asked was told before."""
    try:
        with opened(settings) as store:
            if store is None:
                return {}
            found = store.schedules(settings.project, settings.environment)
    except StoreError:
        return {}
    return {it.workflow_id: it for it in found}


def _next(workflow: Workflow, now: datetime) -> list[datetime]:
    from pytest_workflow_monitor.cron.slots import slots as times_of

    return list(islice(times_of(workflow, now), SHOWN_SLOTS)) if workflow.enabled else []


def _print_table(rows: Sequence[_Row], settings: Settings, otherwise: str) -> None:
    title = (
        f"{wording.plural(len(rows), 'schedule')} of {settings.project}, "
        f"last run in {settings.environment} ({display.times()})"
    )
    cells = [it.cells(otherwise) for it in rows]
    console().print(display.listing(title, COLUMNS, cells))


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


for command in (slots, check, disable, enable, sync):
    schedule.add_command(command)
