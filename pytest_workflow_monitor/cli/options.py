"""Options and arguments that several commands have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.cli.selection import Wanted
from pytest_workflow_monitor.model import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on standard output."
)
limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many at most, the newest first.",
)


def selecting(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose workflows by their properties."""
    for option in (
        click.option("--owner", "owners", multiple=True, help="Only this owner's; repeatable."),
        click.option("--tag", "tags", multiple=True, help="Only with this tag; repeatable."),
        click.option(
            "--priority",
            "priorities",
            multiple=True,
            type=click.Choice([it.value for it in Priority]),
            help="Only of this priority; repeatable.",
        ),
    ):
        command = option(command)
    return command


def wanted(
    ids: Sequence[str], *, priorities: Sequence[str], tags: Sequence[str], owners: Sequence[str]
) -> Wanted:
    """Gather what the options of :func:`selecting` say."""
    return Wanted(
        ids=tuple(ids),
        priorities=tuple(map(Priority, priorities)),
        tags=tuple(tags),
        owners=tuple(owners),
    )
