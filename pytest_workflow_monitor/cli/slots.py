"""``workflow-monitor schedule slots | check | sync``: what became of what was planned."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, opened
from pytest_workflow_monitor.cli.executions import moment
from pytest_workflow_monitor.cli.exits import Exit, NothingThereError
from pytest_workflow_monitor.cli.options import as_json_option, limit_option
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.cli.selection import goes_by, patterns, unknown
from pytest_workflow_monitor.words.slots import SlotStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rich.text import Text

    from pytest_workflow_monitor.schedule.reconcile import Finding, Reconciled
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.slots import Slot

STATUS_STYLES = {
    SlotStatus.QUEUED: "blue",
    SlotStatus.RUNNING: "blue",
    SlotStatus.DONE: "green",
    SlotStatus.MISSED: "red",
    SlotStatus.SKIPPED: "yellow",
    SlotStatus.LOST: "bold red",
    SlotStatus.CANCELLED: "yellow",
    SlotStatus.NOT_RUN: "yellow",
}
SINCE = "A duration such as 2h back from now, or a day or instant, local by default."
NO_SLOTS = "No slot is recorded: a scheduler records them, `workflow-monitor schedule run`."
NO_SUCH_SLOTS = "No slot fits these options."
NONE_DUE = "No slot was due since then."
NO_SCHEDULES = "No schedule is known yet: `workflow-monitor schedule sync` reads them."


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--since", type=moment, metavar="WHEN", help=SINCE)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([it.value for it in SlotStatus]),
    help="Only what became of it; repeatable.",
)
@limit_option
@as_json_option
def slots(
    *,
    ids: Sequence[str],
    since: datetime | None,
    statuses: Sequence[str],
    limit: int,
    as_json: bool,
) -> None:
    """List what became of slots in this environment, the latest first.

    ID is a workflow's id or a glob; without one, those of all are listed.
    """
    settings = effective_settings()
    found: Sequence[Slot] = ()
    with opened(settings) as store:
        if store is not None:
            found = store.slots(
                settings.project,
                settings.environment,
                workflows=patterns(ids),
                since=since,
                statuses=[SlotStatus(it) for it in statuses] or None,
                limit=limit,
            )
            if not found:
                _require(ids, _scheduled(store, settings))
    if as_json:
        print_json([_slot_as_json(it) for it in found])
    elif found:
        title = f"Slots of {settings.project} in {settings.environment} ({display.times()})"
        rows = [_row(it) for it in found]
        columns = ("Workflow", "=Slot", "=Status", ">Late", "About")
        console().print(display.listing(title, columns, rows))
    else:
        display.say(NO_SUCH_SLOTS if ids or since or statuses else NO_SLOTS)


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--since", type=moment, metavar="WHEN", help=f"{SINCE} Without, the latest slots.")
@click.option(
    "--alert", is_flag=True, help="Open and resolve alerts about it, as a scheduler does."
)
@as_json_option
def check(*, ids: Sequence[str], since: datetime | None, alert: bool, as_json: bool) -> None:
    """Compare the schedules with what ran, whoever started it.

    Told are slots that were missed, late, early, run twice, overlapping, or suspiciously short;
    what was run by hand does not count. The exit code is 1 if there is any.
    """
    from pytest_workflow_monitor.schedule import checking

    settings = effective_settings()
    found: Sequence[Reconciled] = ()
    known: Sequence[str] = ()
    with opened(settings) as store:
        if store is not None:
            now = store.clock()
            all_found = checking.check(store, settings, now, since=since)
            if alert:
                checking.alert(store, settings, all_found, now)
            known = _scheduled(store, settings)
            _require(ids, known)
            found = [it for it in all_found if _is_asked(it, ids)]
    findings = [finding for it in found for finding in it.findings]
    expected = sum(it.expected for it in found)
    if as_json:
        print_json({"expected": expected, "findings": [_finding_as_json(it) for it in findings]})
    elif not found:
        display.say(NONE_DUE if known else NO_SCHEDULES)
    else:
        _print_findings(findings, settings.environment)
        display.say(f"{wording.plural(expected, 'slot')} of {_schedules(len(found))} looked at.")
    if findings:
        sys.exit(Exit.NOT_ALL_WELL)


@click.command()
@as_json_option
def sync(*, as_json: bool) -> None:
    """Bring the schedules in the database up to date with the markers.

    A scheduler does so by itself; this is for projects that crontab or CI runs.
    """
    from pytest_workflow_monitor.schedule.catalogue import sync_catalogue
    from pytest_workflow_monitor.store import open_store

    settings = effective_settings()
    with open_store(settings) as store:
        synced = sync_catalogue(store, settings, store.clock())
    if as_json:
        print_json(asdict(synced))
    else:
        click.echo(
            f"{_schedules(synced.schedules)} in {settings.environment}, "
            f"{len(synced.changed):,} changed, {len(synced.removed):,} removed."
        )
        if synced.problem:
            display.say(synced.problem)
    if synced.problem:
        sys.exit(Exit.NOT_ALL_WELL)


def _scheduled(store: Store, settings: Settings) -> list[str]:
    schedules = store.schedules(settings.project, settings.environment)
    return [it.workflow_id for it in schedules]


def _require(ids: Iterable[str], known: Sequence[str]) -> None:
    """Refuse ids that no schedule goes by.

    Raises:
        NothingThereError: There is one.
    """
    missing = [name for name in ids if not any(goes_by(it, name) for it in known)]
    if missing:
        raise NothingThereError(unknown(missing, known))


def _is_asked(found: Reconciled, ids: Sequence[str]) -> bool:
    return not ids or any(goes_by(found.schedule.workflow_id, name) for name in ids)


def _schedules(count: int) -> str:
    return wording.plural(count, "schedule")


def _slot_as_json(slot: Slot) -> dict[str, object]:
    return asdict(slot) | {"lateness_seconds": slot.lateness_seconds}


def _finding_as_json(finding: Finding) -> dict[str, object]:
    return asdict(finding) | {"run": asdict(finding.run) if finding.run else None}


def _row(slot: Slot) -> list[Text | str]:
    about = [slot.reason]
    if slot.covers > 1:
        about.append(f"stands for {wording.plural(slot.covers, 'slot')}")
    if slot.exit_code:
        about.append(f"exit code {slot.exit_code}")
    status = display.line("").append(
        slot.status.value.replace("_", " "), STATUS_STYLES[slot.status]
    )
    return [
        slot.workflow_id,
        display.full_when(slot.slot_at),
        status,
        wording.duration(slot.lateness_seconds * 1000),
        "; ".join(filter(None, about)),
    ]


def _print_findings(findings: Sequence[Finding], environment: str) -> None:
    if not findings:
        click.echo("Everything ran as the schedules ask.")
        return
    rows = [
        [it.workflow_id, display.full_when(it.slot_at), it.kind.value.replace("_", " "), it.said]
        for it in findings
    ]
    title = f"{wording.plural(len(findings), 'finding')} in {environment} ({display.times()})"
    console().print(display.listing(title, ("Workflow", "=Slot", "=Kind", "About"), rows))
