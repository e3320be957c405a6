"""``workflow-monitor prune``: lets go of what is older than it is kept."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed
from pytest_workflow_monitor.cli.exits import Exit
from pytest_workflow_monitor.cli.options import as_json_option
from pytest_workflow_monitor.cli.output import console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.keeping.pruning import Pruned


@click.command(short_help="Delete what is older than it is kept.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and keep it.")
@as_json_option
def prune(*, dry_run: bool, as_json: bool) -> None:
    """Delete what is older than it is kept, and say how much of what that was.

    How long that is: execution_days, detail_days, log_days, slot_days and the rules of artifacts.
    Sums by the hour and day stay. Sessions may be stored meanwhile. The scheduler does this once a
    day.
    """
    from pytest_workflow_monitor.keeping import artifacts as artifact_keeping
    from pytest_workflow_monitor.keeping import pruning

    settings, now = effective_settings(), datetime.now(UTC)
    with needed(settings) as store:
        files = artifact_keeping.plan(store, settings, now=now)
        if dry_run:
            done, problems = pruning.plan(store, settings, now=now), []
        else:
            expired = artifact_keeping.prune(store, settings, files, now=now)
            problems = list(expired.problems)
            done = pruning.prune(store, settings, now=now)
    problems += [done.problem] if done.problem else []
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "before": {**done.before, "slots": done.slots_before},
                "artifacts": len(files.leaving),
                "rows": dict(done.rows),
                "problems": problems,
            }
        )
    else:
        _print(done, len(files.leaving), problems, dry_run=dry_run, now=now)
    if problems:
        sys.exit(Exit.NOT_ALL_WELL)


def _print(
    done: Pruned, artifacts: int, problems: Sequence[str], *, dry_run: bool, now: datetime
) -> None:
    rows = [[name, f"{count:,}"] for name, count in sorted(done.rows.items()) if count]
    if artifacts:
        rows.insert(0, ["files of artifacts", f"{artifacts:,}"])
    if rows:
        title = "What would go" if dry_run else "What went"
        console().print(display.listing(title, ["=Table", ">Rows"], rows))
    elif not problems:
        click.echo("Nothing would go." if dry_run else "Nothing went.")
    if not problems or rows:
        kept = [f"{name} from {display.when(at, now)}" for name, at in done.before.items()]
        click.echo(f"Kept: {', '.join(kept)} on ({display.times()}).")
    for problem in problems:
        display.say(problem)
