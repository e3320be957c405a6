"""``workflow-monitor baselines``: what is normal for workflows, their steps and their metrics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, opened
from pytest_workflow_monitor.cli.exits import NothingThereError
from pytest_workflow_monitor.cli.options import as_json_option
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.cli.selection import goes_by, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.store.learning import StoredBaseline

NOTHING_LEARNED = (
    "Nothing is known yet: what is normal is learned from executions that passed and took "
    "10 ms or more."
)
WHOLE = "(all of it)"
SEASONS = {"day": "by hour", "week": "by hour and weekday"}


@click.command()
@click.argument("workflow_id", metavar="[ID]", default="")
@click.option("--environment", metavar="NAME", help="Only in this environment; by default in all.")
@as_json_option
def baselines(*, workflow_id: str, environment: str | None, as_json: bool) -> None:
    """Show what is normal for durations and metrics.

    Of all workflows, or of one: as a whole, by step and by metric. ID is a workflow's id, or a glob
    such as 'order-*' for several.
    """
    settings = effective_settings()
    found: Sequence[StoredBaseline] = ()
    with opened(settings) as store:
        if store is not None:
            found = store.baselines(settings.project, environment=environment)
    if workflow_id:
        found = _of(found, workflow_id)
    if as_json:
        print_json([asdict(it) for it in found])
    elif found:
        _print_table(found, settings.project)
    else:
        display.say(NOTHING_LEARNED)


def _of(found: Sequence[StoredBaseline], name: str) -> Sequence[StoredBaseline]:
    """Choose those of the workflows that go by a name.

    Raises:
        NothingThereError: There are none.
    """
    chosen = [it for it in found if goes_by(it.workflow_id, name)]
    if not chosen:
        near = nearest(name, sorted({it.workflow_id for it in found}))
        hint = f"; did you mean {' or '.join(near)}?" if near else "."
        raise NothingThereError(f"Nothing is known of a workflow {name!r}{hint}")
    return chosen


def _print_table(found: Sequence[StoredBaseline], project: str) -> None:
    now, is_wide = datetime.now(UTC), display.is_wide()
    has_places = len({(it.environment, it.location) for it in found}) > 1
    columns = [
        "Workflow",
        *(["Where"] if has_places else []),
        "Of",
        ">Median",
        ">± spread",
        ">p95",
        ">From",
        *(["Differs", "=Last"] if is_wide else []),
    ]
    rows = [
        [
            it.workflow_id,
            *([_where(it)] if has_places else []),
            it.name or WHOLE,
            *(wording.quantity(value, it.unit) for value in (it.median, it.spread, it.p95)),
            f"{it.sample_size:,}",
            *(
                [SEASONS.get(it.season or "", ""), display.when(it.last_run_at, now)]
                if is_wide
                else []
            ),
        ]
        for it in found
    ]
    counted = wording.plural(len(found), "baseline")
    title = f"{counted} of {project}" + (f" ({display.times()})" if is_wide else "")
    console().print(display.listing(title, columns, rows))


def _where(baseline: StoredBaseline) -> str:
    return ", ".join(filter(None, (baseline.environment, baseline.location)))
