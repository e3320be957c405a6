"""``workflow-monitor artifacts``: files kept as evidence."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed
from pytest_workflow_monitor.cli.exits import Exit
from pytest_workflow_monitor.cli.options import InOrder, as_json_option
from pytest_workflow_monitor.cli.output import console, print_json

if TYPE_CHECKING:
    from pytest_workflow_monitor.keeping.artifacts import Plan, Pruned


@click.group(cls=InOrder)
def artifacts() -> None:
    """Copy files of evidence elsewhere, let old ones expire."""


@artifacts.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and why, and keep it.")
@as_json_option
def prune(*, dry_run: bool, as_json: bool) -> None:
    """Let old artifacts expire; passes and repeated failures first.

    The last good evidence of each workflow and the first of each kind of failure always stay. The
    background process of a session does this once a day.
    """
    from pytest_workflow_monitor.keeping import artifacts as artifact_keeping

    settings, now = effective_settings(), datetime.now(UTC)
    with needed(settings) as store:
        made = artifact_keeping.plan(store, settings, now=now)
        done = (
            artifact_keeping.Pruned()
            if dry_run
            else artifact_keeping.prune(store, settings, made, now=now)
        )
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "leaving": [asdict(each) for each in made.leaving],
                "files_before": made.files_before,
                "bytes_before": made.bytes_before,
                "bytes_leaving": made.bytes_leaving,
                "orphans": made.orphans,
                "problems": done.problems,
            }
        )
    elif dry_run:
        _print_plan(made, now)
    else:
        _print_done(done)
    if done.problems:
        sys.exit(Exit.NOT_ALL_WELL)


@artifacts.command()
@as_json_option
def upload(*, as_json: bool) -> None:
    """Copy the files that wait to the URL of the setting artifacts_url."""
    from pytest_workflow_monitor.keeping.artifacts import upload_waiting

    settings = effective_settings()
    if not settings.artifacts_url:
        raise click.UsageError("artifacts_url is not set; see `workflow-monitor config`.")
    with needed(settings) as store:
        done = upload_waiting(store, settings)
    if as_json:
        print_json({"files": done.files, "problem": done.problem})
    else:
        click.echo(f"Copied {wording.plural(done.files, 'file')} to {settings.artifacts_url}.")
        if done.problem:
            display.say(f"{done.problem} The other files wait.")
    if done.problem:
        sys.exit(Exit.NOT_ALL_WELL)


def _print_plan(made: Plan, now: datetime) -> None:
    kept = f"{wording.plural(made.files_before, 'file')}, {wording.size(made.bytes_before)}"
    if made.orphans:
        files = wording.plural(len(made.orphans), "file")
        click.echo(f"{files} that no artifact needs would go.")
    if not made.leaving:
        click.echo(f"No artifact would go: {kept} are kept.")
        return
    rows = [
        [
            each.workflow_id,
            each.artifact_name,
            wording.size(each.size_bytes),
            display.when(each.started_at, now),
            each.why,
        ]
        for each in made.leaving
    ]
    columns = ["Workflow", "Artifact", ">Size", "=Run", "Why"]
    title = f"{wording.plural(len(rows), 'artifact')} would go ({display.times()})"
    console().print(display.listing(title, columns, rows))
    click.echo(f"That frees {wording.size(made.bytes_leaving)} of {kept}.")


def _print_done(done: Pruned) -> None:
    gone = wording.plural(done.artifacts, "artifact")
    files = wording.plural(done.files, "file")
    click.echo(f"{gone} expired; removed {files}, {wording.size(done.size_bytes)}.")
    for problem in done.problems:
        display.say(problem)
