"""``workflow-monitor status``: how things stand, in one word and with reasons."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings
from pytest_workflow_monitor.cli.options import as_json_option
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.model import Status

if TYPE_CHECKING:
    from rich.padding import Padding
    from rich.text import Text

    from pytest_workflow_monitor.standing import Section, Standing

MARKS = {
    "HEALTHY": ("✓", display.STYLES[Status.PASSED]),
    "DEGRADED": ("!", display.STYLES[Status.DEGRADED]),
    "UNHEALTHY": ("✗", display.STYLES[Status.FAILED]),
}


@click.command()
@as_json_option
def status(*, as_json: bool) -> None:
    """Tell how things stand: HEALTHY, DEGRADED or UNHEALTHY.

    The exit code is 0, 1 or 2 for those.
    """
    from pytest_workflow_monitor.standing import look, overall

    settings = effective_settings()
    sections = look(settings)
    worst = overall(sections)
    if as_json:
        print_json(
            {
                "status": worst.name,
                "at": datetime.now(UTC),
                "project": settings.project,
                "sections": {name: _as_json(it) for name, it in sections.items()},
            }
        )
    else:
        _print(settings.project, worst, sections)
    sys.exit(worst)


def _as_json(section: Section) -> dict[str, object]:
    return {
        "status": section.standing.name,
        "facts": section.facts,
        "reasons": [
            {"status": it.standing.name, "said": it.said, "remedy": it.remedy}
            for it in section.reasons
        ],
    }


def _print(project: str, worst: Standing, sections: dict[str, Section]) -> None:
    console().print(_mark(worst).append(f"  {display.printable(project)}", "bold"))
    for name, section in sections.items():
        console().print()
        console().print(_mark(section.standing, name))
        for reason in section.reasons:
            console().print(_indented(reason.said, 2))
            if reason.remedy:
                console().print(_indented(f"→ {reason.remedy}", 4))
        if section.facts:
            console().print(display.facts(section.facts.items()))


def _indented(text: str, columns: int) -> Padding:
    from rich.padding import Padding

    return Padding(display.line(text), (0, 0, 0, columns))


def _mark(standing: Standing, name: str = "") -> Text:
    mark, style = MARKS[standing.name]
    return display.line("").append(f"{mark} {name or standing.name}", style)
