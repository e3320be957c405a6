"""``workflow-monitor sessions``: whole sessions as a list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, opened
from pytest_workflow_monitor.cli.exits import NothingToShowError
from pytest_workflow_monitor.cli.options import as_json_option, limit_option
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.model import Status

if TYPE_CHECKING:
    from rich.text import Text

    from pytest_workflow_monitor.store import SessionSummary


@click.command()
@click.option("--project", metavar="NAME", help="Of this project; by default of the one here.")
@click.option("--all-projects", is_flag=True, help="Of every project in the database.")
@limit_option
@as_json_option
def sessions(*, project: str | None, all_projects: bool, limit: int, as_json: bool) -> None:
    """List the latest sessions, the newest first."""
    settings = effective_settings()
    asked = None if all_projects else project or settings.project
    with opened(settings) as store:
        found = store.sessions(limit, project=asked) if store is not None else ()
    if as_json:
        print_json(found)
    elif found:
        _print_sessions(found, "all projects" if asked is None else asked)
    else:
        display.say(str(NothingToShowError()))


def _print_sessions(found: tuple[SessionSummary, ...], whose: str) -> None:
    is_wide = display.is_wide()
    now = datetime.now(UTC)
    several = len({it.project for it in found}) > 1
    table = display.listing(
        f"{wording.plural(len(found), 'session')} of {whose} ({display.times()})",
        [
            "=Verdict",
            "=When",
            *(["Project"] if several else []),
            "Environment",
            "Trigger",
            *(["Commit"] if is_wide else []),
            "=Session",
        ],
        [
            [
                _verdict(it),
                display.when(it.started_at, now),
                *([it.project] if several else []),
                it.environment,
                it.triggered_by.value,
                *([_commit(it)] if is_wide else []),
                it.session_id if is_wide else display.short_id(it.session_id),
            ]
            for it in found
        ],
    )
    console().print(table)


def _commit(session: SessionSummary) -> str:
    return display.commit(session.git_commit, display.short_branch(session.git_branch))


def _verdict(session: SessionSummary) -> Text:
    """Say how a session went: its worst status, and how many executions had it."""
    if session.ended_at is None:
        return display.status(Status.RUNNING)
    if session.is_interrupted:
        return display.status(Status.INTERRUPTED)
    total = session.executions_total
    for status, count, is_flaky in (
        (Status.FAILED, session.executions_failed, False),
        (Status.DEGRADED, session.executions_degraded, False),
        (Status.PASSED, session.executions_flaky, True),
        (Status.PASSED, session.executions_passed, False),
        (Status.SKIPPED, session.executions_skipped, False),
    ):
        if count:
            return display.status(status, is_flaky=is_flaky).append(f" {count} of {total}")
    return display.line("– No workflows", "dim")
