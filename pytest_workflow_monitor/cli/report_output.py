"""Where commands write reports, and in which format: options and what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.options import STANDARD_OUTPUT, OutputPath

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_workflow_monitor.words.period_report import PeriodReport

SUFFIXES = {
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
}
ENDINGS = {"html": ".html", "json": ".json", "markdown": ".md", "csv": ".csv"}


def output_options(default: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options ``--output`` and ``--format``; the default is named in their help."""

    def added(command: Callable[..., None]) -> Callable[..., None]:
        form = click.option(
            "--format",
            "form",
            type=click.Choice(list(ENDINGS)),
            help="By default what the name of the output ends in, else html.",
        )
        output = click.option(
            "--output",
            type=OutputPath(),
            help=f"Where to write it, - for standard output; by default {default}.",
        )
        return output(form(command))

    return added


def form_of(form: str | None, output: Path | None) -> str:
    """Return the format that is asked for, or that the name of the output ends in."""
    return form or SUFFIXES.get(output.suffix.lower() if output else "", "html")


def rendered(made: PeriodReport, form: str, sections: Sequence[str] = ()) -> bytes:
    """Render a report over a period; of CSV the section that is asked for, if it is one.

    Raises:
        ReportError: There is no such table, or a secret is in it that could not be masked.
    """
    from pytest_workflow_monitor.report.period import RENDERERS, render_csv

    if form == "csv" and len(sections) == 1:
        return render_csv(made, sections[0])
    return RENDERERS[form](made)


def write(path: Path, content: bytes, said: str) -> None:
    """Write a report where it is asked for, and say which it is.

    Raises:
        ReportError: The file cannot be written.
    """
    from pytest_workflow_monitor.report.files import write_atomically

    if path == STANDARD_OUTPUT:
        click.echo(content, nl=False)
        return
    write_atomically(path, content)
    display.say(said)
    click.echo(str(path))
