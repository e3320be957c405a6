"""``workflow-monitor list``: the workflows that are in the code, and how each ran last."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, opened
from pytest_workflow_monitor.cli.exits import Exit
from pytest_workflow_monitor.cli.options import as_json_option, selecting, wanted
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.cli.selection import select
from pytest_workflow_monitor.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from pytest_workflow_monitor.model import HistoryPoint, Workflow
    from pytest_workflow_monitor.settings import Settings

NEVER, UNKNOWN = "never", "unknown"
HOW_TO_MARK = "There are no workflows yet: mark a test with @pytest.mark.workflow to make one."

COLUMNS = ("Workflow", "=Priority", "Schedule", "Last run")
WIDE_COLUMNS = (
    "Workflow",
    "=Priority",
    "Schedule",
    "Owner",
    "Tags",
    "=Last run",
    "=When",
    ">Took",
)

Last = dict[str, "HistoryPoint"]
"""The latest execution that ended, by workflow."""


@click.command("list")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@selecting
@as_json_option
def list_workflows(*, ids: Sequence[str], as_json: bool, **properties: Any) -> None:
    """List the workflows in the code, and how each ran last.

    ID is a workflow's id or a glob such as 'order-*'; without one, all are listed.
    """
    from pytest_workflow_monitor.schedule.collecting import collect

    settings = effective_settings()
    collected = collect(settings)
    display.complain(collected.broken)
    chosen = select(collected.workflows, wanted(ids, **properties))
    found = {it.workflow_id: it for it in chosen}
    last = last_runs(settings, list(found))
    if as_json:
        known = last or {}
        print_json([_as_json(it, known.get(name)) for name, it in found.items()])
    elif found:
        _print_table(list(found.values()), last, settings)
    else:
        display.say(HOW_TO_MARK)
    if collected.broken:
        sys.exit(Exit.NOT_ALL_WELL)


def last_runs(settings: Settings, workflow_ids: Sequence[str]) -> Last | None:
    """Ask the database; one that cannot be used only costs a notice, and None says so."""
    try:
        with opened(settings) as store:
            if store is None or not workflow_ids:
                return {}
            histories = store.histories(
                settings.project, settings.environment, workflow_ids, datetime.now(UTC), 1
            )
    except StoreError as error:
        display.say(f"Without the last runs: {error}")
        return None
    return {name: points[-1] for name, points in histories.items() if points}


def _as_json(workflow: Workflow, last: HistoryPoint | None) -> dict[str, object]:
    return asdict(workflow) | {"last": asdict(last) if last else None}


def _print_table(workflows: Sequence[Workflow], last: Last | None, settings: Settings) -> None:
    columns, row = (WIDE_COLUMNS, _wide_row) if display.is_wide() else (COLUMNS, _row)
    known, otherwise = (last, NEVER) if last is not None else ({}, UNKNOWN)
    now = datetime.now(UTC)
    title = (
        f"{wording.plural(len(workflows), 'workflow')} of {settings.project}, "
        f"last run in {settings.environment} ({display.times()})"
    )
    rows = [row(it, known.get(it.workflow_id), now, otherwise) for it in workflows]
    console().print(display.listing(title, columns, rows))


def _wide_row(
    workflow: Workflow, last: HistoryPoint | None, now: datetime, otherwise: str
) -> list[Text | str]:
    return [
        workflow.workflow_id,
        display.priority(workflow.priority),
        " ".join(_schedule(workflow)),
        workflow.owner,
        ", ".join(workflow.tags),
        _status(last) if last else otherwise,
        display.when(last.started_at, now) if last else "",
        wording.duration(last.duration_ms) if last else "",
    ]


def _row(
    workflow: Workflow, last: HistoryPoint | None, now: datetime, otherwise: str
) -> list[Text | str]:
    """Say the same in fewer columns: what matters less goes into a second line."""
    cron, zone = _schedule(workflow)
    when = f"  {display.when(last.started_at, now)}" if last else ""
    return [
        two_lines(workflow.workflow_id, " · ".join(filter(None, (workflow.owner, *workflow.tags)))),
        display.priority(workflow.priority),
        two_lines(cron, zone),
        two_lines(_status(last).append(when), wording.duration(last.duration_ms))
        if last
        else otherwise,
    ]


def two_lines(first: Text | str, second: str) -> Text:
    """Return a cell that says what matters less below what matters more."""
    text = display.line(first) if isinstance(first, str) else first
    return text.append(f"\n{display.printable(second)}", "dim") if second else text


def _status(last: HistoryPoint) -> Text:
    return display.status(last.status, is_flaky=last.is_flaky)


def _schedule(workflow: Workflow) -> tuple[str, str]:
    """Say when a workflow runs, and in which time zone where that is not UTC."""
    if not workflow.enabled:
        return "disabled", ""
    if workflow.cron is not None:
        return workflow.cron, "" if workflow.timezone == "UTC" else workflow.timezone
    if workflow.every_seconds is not None:
        from pytest_workflow_monitor.cron.wording import interval

        return interval(workflow.every_seconds), ""
    return wording.UNKNOWN, ""
