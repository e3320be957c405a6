"""Options, groups and questions that several commands have in common."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.cli.display import say
from pytest_workflow_monitor.cli.exits import Exit
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
    metavar="N",
    help="How many at most, the newest first.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


class InOrder(click.Group):
    """Subcommands in the order in which one needs them, which is that of the source."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the subcommands, in the order in which they were added."""
        return list(self.commands)


def agree(question: str) -> None:
    """Ask before something is lost; unless a person agrees, the command ends here."""
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.UsageError("Nobody can be asked here; --yes agrees.") from None
    if not agreed:
        say("Nothing was changed.")
        sys.exit(Exit.NOT_ALL_WELL)


def selecting(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose workflows by their properties."""
    for option in (
        click.option(
            "--owner",
            "owners",
            multiple=True,
            metavar="NAME",
            help="Only this owner's; repeatable.",
        ),
        click.option(
            "--tag", "tags", multiple=True, metavar="NAME", help="Only with this tag; repeatable."
        ),
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
