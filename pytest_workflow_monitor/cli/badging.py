"""``workflow-monitor badge``: how workflows stand, as a small picture."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed
from pytest_workflow_monitor.cli.exits import NothingThereError
from pytest_workflow_monitor.cli.options import STANDARD_OUTPUT, OutputPath, duration
from pytest_workflow_monitor.cli.selection import goes_by, nearest

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pytest_workflow_monitor.store import Store


@click.command()
@click.argument("workflow_id", metavar="[ID]", required=False)
@click.option(
    "--output",
    type=OutputPath(),
    default="-",
    metavar="FILE",
    help="The file to write; by default standard output.",
)
@click.option(
    "--environment", metavar="NAME", help="Where it ran; by default the setting's environment."
)
@click.option(
    "--window",
    type=duration,
    default="30d",
    show_default=True,
    metavar="DURATION",
    help="How far back executions are counted.",
)
@click.option(
    "--label", metavar="TEXT", help="What stands on the left; by default the ID or the project."
)
def badge(
    *,
    workflow_id: str | None,
    output: Path,
    environment: str | None,
    window: float,
    label: str | None,
) -> None:
    """Draw a status badge, of a workflow or of all.

    An SVG picture that says how workflows stand and how many of their executions succeeded. ID is
    a workflow's id.
    """
    from pytest_workflow_monitor.analysis.badges import badge as made
    from pytest_workflow_monitor.report.badge import render_badge, write_badge

    settings = effective_settings()
    with needed(settings) as store:
        if workflow_id is not None:
            _check(store, settings.project, workflow_id)
        store.sum_up(settings.project)
        since = _since(store.clock(), window)
        found = store.scores(settings.project, environment or settings.environment, since)
    scores = [it for it in found if workflow_id is None or goes_by(it.workflow_id, workflow_id)]
    drawn = made(label or workflow_id or settings.project, scores, window)
    if output == STANDARD_OUTPUT:
        click.echo(render_badge(drawn))
        return
    write_badge(drawn, output)
    display.say(f"Written: {output}")


def _since(now: datetime, window: float) -> datetime:
    try:
        return now - timedelta(seconds=window)
    except OverflowError:
        raise click.UsageError("--window is too long for the calendar.") from None


def _check(store: Store, project: str, workflow_id: str) -> None:
    """Refuse a workflow that never ran.

    Raises:
        NothingThereError: It never did.
    """
    known = sorted({it.workflow_id for it in store.job_metrics(project=project)})
    if any(goes_by(it, workflow_id) for it in known):
        return
    near = " or ".join(nearest(workflow_id, known))
    hint = f"; did you mean {near}?" if near else "."
    raise NothingThereError(f"The project {project} has no workflow {workflow_id!r}{hint}")
