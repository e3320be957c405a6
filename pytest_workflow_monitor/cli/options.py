"""Options, groups and questions that several commands have in common."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_workflow_monitor.cli.display import say
from pytest_workflow_monitor.cli.exits import Exit
from pytest_workflow_monitor.cli.selection import Wanted
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.words.alerts import SYSTEM
from pytest_workflow_monitor.words.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STANDARD_OUTPUT = Path("-")


class OutputPath(click.Path):
    """Where something is to be written; ``-`` is standard output.

    Args:
        may_be_folder: Whether a folder will do, too.
    """

    def __init__(self, *, may_be_folder: bool = False) -> None:
        super().__init__(dir_okay=may_be_folder, allow_dash=True, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Refuse a path without a name, which would be the current folder."""
        if not os.fspath(value):
            self.fail("it names no file.", param, ctx)
        return super().convert(value, param, ctx)


as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on standard output."
)
LARGEST_NUMBER = 2**63 - 1
"""The largest id that PostgreSQL hands out."""

id_number = click.IntRange(min=1, max=LARGEST_NUMBER)
"""The number of an alert, a silence, a report or a dead letter."""

limit_number = click.IntRange(min=1, max=1_000_000)
limit_option = click.option(
    "--limit",
    type=limit_number,
    default=20,
    show_default=True,
    metavar="N",
    help="How many at most, the newest first.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
by_option = click.option(
    "--by", metavar="NAME", help="Who does it; by default the name you are logged in with."
)


def actor(by: str | None) -> str:
    """Return who does something: the name that was given, else that of the login.

    Raises:
        click.UsageError: There is neither.
    """
    try:
        name = getpass.getuser() if by is None else by
    except (OSError, KeyError):  # no such user, as in many containers
        name = ""
    name = name.strip()
    if not name or name == SYSTEM:
        given = f"{name!r} is nobody's name" if name else "Nobody is logged in"
        raise click.UsageError(f"{given}; --by says who does it.")
    return name


def duration(text: str) -> float:
    """Read a duration above zero, such as ``2h``, as seconds.

    Raises:
        click.BadParameter: It is none.
    """
    try:
        found = seconds(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}.") from None
    if not found:
        raise click.BadParameter(f"{text!r}: expected a duration above zero.")
    return found


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
        click.echo(err=True)
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
