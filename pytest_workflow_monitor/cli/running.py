"""``workflow-monitor run``: a selection of workflows becomes a pytest command."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings
from pytest_workflow_monitor.cli.exits import NothingThereError
from pytest_workflow_monitor.cli.listing import HOW_TO_MARK
from pytest_workflow_monitor.cli.options import selecting, wanted
from pytest_workflow_monitor.cli.selection import select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.schedule.collector import Collection

EXAMPLES = """\b
Examples:
  workflow-monitor run order-placement -- --headed
  workflow-monitor run --priority critical --tag shop -- -n 4
"""
PASSED_ON = "pytest_workflow_monitor.passed_on"
NAMED_AT_MOST = 5
"""So many workflows are named when they are about to run; more are only counted."""


class PassingOn(click.Command):
    """A command that leaves everything after ``--`` to another program."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put aside what follows the first ``--``."""
        if "--" in args:
            position = args.index("--")
            args, ctx.meta[PASSED_ON] = args[:position], args[position + 1 :]
        return super().parse_args(ctx, args)


@click.command(cls=PassingOn, epilog=EXAMPLES)
@click.argument("ids", nargs=-1, metavar="[ID]... [-- PYTEST ARGUMENTS]")
@selecting
@click.pass_context
def run(ctx: click.Context, /, *, ids: Sequence[str], **properties: Any) -> None:
    """Run workflows with pytest, and record them.

    ID is a workflow's id or a glob such as 'order-*'; without one, all that have the properties
    run. What follows -- goes to pytest. Its exit code becomes that of this command.
    """
    from pytest_workflow_monitor.schedule.collecting import collect
    from pytest_workflow_monitor.support.pytest_command import as_arguments, pytest_command

    arguments: list[str] = ctx.meta.get(PASSED_ON, [])
    settings = effective_settings()
    collected = collect(settings, arguments)
    display.complain(collected.broken)
    asked = wanted(ids, **properties)
    found = select(collected.workflows, asked)
    if not found:
        raise NothingThereError(HOW_TO_MARK)
    selection = list(dict.fromkeys(it.nodeid for it in found))
    if collected.broken and not asked.is_by_id:
        selection += _reported_by_pytest(collected)
    options = [it for it in arguments if it not in collected.positional]
    display.say(_announcement(found))
    os.chdir(settings.root)
    _become([*pytest_command(settings), *as_arguments(selection, settings.state_path), *options])


def _reported_by_pytest(collected: Collection) -> list[str]:
    """Let pytest fail for files that may hold workflows that are asked for, and run the rest."""
    return [*(it.file for it in collected.broken), "--continue-on-collection-errors"]


def _announcement(found: Sequence[Workflow]) -> str:
    names = list(dict.fromkeys(it.workflow_id for it in found))
    counted = wording.plural(len(names), "workflow")
    return f"Running {counted}" + (f": {', '.join(names)}" if len(names) <= NAMED_AT_MOST else "")


def _become(command: list[str]) -> None:
    """Replace this process, so that signals, terminal and exit code are pytest's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)  # noqa: S606 - there is no shell to go through
