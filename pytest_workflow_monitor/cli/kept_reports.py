"""``workflow-monitor reports``: the reports over periods that are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed, opened
from pytest_workflow_monitor.cli.exits import NothingThereError
from pytest_workflow_monitor.cli.options import (
    STANDARD_OUTPUT,
    InOrder,
    as_json_option,
    id_number,
    limit_option,
)
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.cli.report_output import (
    ENDINGS,
    form_of,
    output_options,
    rendered,
    write,
)
from pytest_workflow_monitor.settings.report_rules import SECTIONS
from pytest_workflow_monitor.words.period_report import Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from pytest_workflow_monitor.store.reports import KeptReport

NONE_KEPT = "No report is kept yet: a scheduler makes them, or `workflow-monitor report --send`."
MARKS = {Tone.GOOD: "✓", Tone.DOUBTFUL: "!", Tone.BAD: "✗", Tone.NEUTRAL: "–"}
STYLES = {Tone.GOOD: "green", Tone.DOUBTFUL: "yellow", Tone.BAD: "red", Tone.NEUTRAL: "dim"}


@click.group(cls=InOrder, invoke_without_command=True)
@click.option("--name", metavar="NAME", help="Only those of this name.")
@click.option("--environment", metavar="NAME", help="Only about this environment.")
@limit_option
@as_json_option
@click.pass_context
def reports(
    context: click.Context,
    *,
    name: str | None,
    environment: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the reports that are kept, write one again."""
    if context.invoked_subcommand is not None:
        return
    settings = effective_settings()
    found: tuple[KeptReport, ...] = ()
    with opened(settings) as store:
        if store is not None:
            found = store.kept_reports(settings.project, limit, name=name, environment=environment)
    if as_json:
        print_json([asdict(it) for it in found])
    elif found:
        _print_reports(found, settings.project)
    else:
        display.say(NONE_KEPT)


@reports.command()
@click.argument("report_id", type=id_number, metavar="ID")
@click.option(
    "--section",
    type=click.Choice(SECTIONS),
    metavar="NAME",
    help="Of CSV the tables of this section; by default of the workflows.",
)
@output_options("workflow-report-ID.html")
@as_json_option
def show(
    *, report_id: int, section: str | None, output: Path | None, form: str | None, as_json: bool
) -> None:
    """Write a kept report again, as it was when it was made."""
    from pytest_workflow_monitor.report.period.document import read_document

    settings = effective_settings()
    with needed(settings) as store:
        document = store.report_document(settings.project, report_id)
    if document is None:
        raise NothingThereError(f"{settings.project} keeps no report {report_id}.")
    form = "json" if as_json else form_of(form, output)
    made = read_document(document)
    default = STANDARD_OUTPUT if as_json else Path(f"workflow-report-{report_id}{ENDINGS[form]}")
    write(output or default, rendered(made, form, (section,) if section else ()), made.verdict)


def _print_reports(found: Sequence[KeptReport], project: str) -> None:
    now, is_wide = datetime.now(UTC), display.is_wide()
    table = display.listing(
        f"{wording.plural(len(found), 'report')} of {project} ({display.times()})",
        [
            ">ID",
            "Report",
            "Environment",
            "=From",
            *(["=To"] if is_wide else []),
            "Verdict",
            "=Sent",
        ],
        [
            [
                str(it.report_id),
                it.report_name,
                it.environment,
                display.when(it.period_start, now),
                *([display.when(it.period_end, now)] if is_wide else []),
                _verdict(it),
                display.when(it.notified_at, now),
            ]
            for it in found
        ],
    )
    console().print(table)


def _verdict(report: KeptReport) -> Text:
    said = display.line("").append(f"{MARKS[report.tone]} ", STYLES[report.tone])
    return said.append(display.printable(report.verdict))
