"""``workflow-monitor slo``: error budgets, what is left of them, and how quickly it goes."""

from __future__ import annotations

import sys
from datetime import UTC
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, opened
from pytest_workflow_monitor.cli.exits import Exit
from pytest_workflow_monitor.cli.options import as_json_option
from pytest_workflow_monitor.cli.output import console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from pytest_workflow_monitor.settings.slo_rules import ServiceLevel

NO_OBJECTIVES = (
    "No workflow that ran has an objective; `slo=99.9` in its marker gives it one, or the setting "
    "`slos`."
)
STYLES = {"burning": "bold red", "broken": "red", "kept": "green"}


@click.command()
@click.option("--environment", metavar="NAME", help="Only in this environment; by default in all.")
@as_json_option
def slo(*, environment: str | None, as_json: bool) -> None:
    """Show the error budgets of service levels.

    The exit code is 1 if one is spent or burns too quickly.
    """
    from pytest_workflow_monitor.keeping.slos import service_levels

    settings = effective_settings()
    found: Sequence[ServiceLevel] = ()
    with opened(settings) as store:
        if store is not None:
            store.sum_up(settings.project)
            asked = None if environment is None else (environment,)
            found = service_levels(store, settings, store.clock(), environments=asked)
    if as_json:
        print_json([{**asdict(it), "left": it.left, "state": it.state} for it in found])
    elif found:
        _print_table(found, settings.project)
    else:
        display.say(NO_OBJECTIVES)
    if any(it.state in {"broken", "burning"} for it in found):
        sys.exit(Exit.NOT_ALL_WELL)


def _print_table(found: Sequence[ServiceLevel], project: str) -> None:
    has_several = len({it.environment for it in found}) > 1
    columns = [
        "Workflow",
        *(["Environment"] if has_several else []),
        "Objective",
        ">Available",
        ">Went wrong",
        ">Left",
        ">1 h",
        ">6 h",
        "State",
    ]
    rows = [
        [it.workflow_id, *([it.environment] if has_several else []), *_figures(it)] for it in found
    ]
    counted = wording.plural(len(found), "service level")
    title = f"{counted} of {project}; 1 h and 6 h: times too quickly"
    console().print(display.listing(title, columns, rows))


def _figures(level: ServiceLevel) -> list[Text | str]:
    from pytest_workflow_monitor.analysis.period.levels import said_bad, said_objective, said_state
    from pytest_workflow_monitor.report.period.saying import said
    from pytest_workflow_monitor.words.period_report import Form

    return [
        said_objective(level) if display.is_wide() else _short(level),
        said(level.availability, Form.SHARE, UTC),
        said_bad(level),
        said(level.left if level.is_full else None, Form.SHARE, UTC),
        *(f"{burn.long_rate:.1f}" for burn in level.burns),
        display.line(said_state(level), STYLES.get(level.state, "")),
    ]


def _short(level: ServiceLevel) -> str:
    what = " of time" if level.by == "time" else ""
    first = ", at once" if level.attempt == "first" else ""
    return f"{level.target:g} %{what} in {wording.duration(level.window_seconds * 1000)}{first}"
