"""``workflow-monitor show`` and ``history``: what was recorded of workflows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed, resolved
from pytest_workflow_monitor.cli.exits import NothingThereError
from pytest_workflow_monitor.cli.options import as_json_option, limit_option
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.cli.selection import goes_by, nearest
from pytest_workflow_monitor.words.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.text import Text

    from pytest_workflow_monitor.model import Execution, SessionStarted
    from pytest_workflow_monitor.store import Store

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing was recorded before; periods may be as long again and still be in the calendar."""

SINCE = 'expected a duration such as "7d" or "12h", or a day such as 2025-11-30, from 1970 on'


def moment(text: str) -> datetime:
    """Read a moment: a duration back from now, or a day or instant in ISO 8601, local by default.

    Raises:
        click.BadParameter: It is neither.
    """
    try:
        if re.search(r"[a-y]\s*$", text.lower()):
            found = datetime.now(UTC) - timedelta(seconds=seconds(text))
        else:
            found = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        found = None
    if found is None or found < EARLIEST:
        raise click.BadParameter(f"{text!r}: {SINCE}.")
    return found


@click.command()
@click.argument("run_id")
@click.option("--full", is_flag=True, help="Also earlier attempts, tracebacks and output.")
@as_json_option
def show(*, run_id: str, full: bool, as_json: bool) -> None:
    """Show one execution: verdict, error, steps.

    Also its attempts, metrics, attachments and labels. RUN_ID is an execution's id or an
    unambiguous beginning of it.
    """
    settings = effective_settings()
    with needed(settings) as store:
        known = resolved("execution", run_id, store.find_run_ids)
        found = store.executions([known])
        execution = store.attach_history(found, settings.history_length)[0]
        session = store.session(execution.session_id)
    if as_json:
        print_json(execution)
        return
    from pytest_workflow_monitor.cli.execution_page import Page

    Page(execution, session, settings.state_path, is_full=full).print_on(console())


@click.command()
@click.argument("workflow_id", metavar="ID")
@click.option("--environment", metavar="NAME", help="Only in this environment; by default in all.")
@click.option("--project", metavar="NAME", help="Whose workflow it is; by default this project's.")
@click.option(
    "--since",
    type=moment,
    metavar="WHEN",
    help="Only from then on: a duration back, such as 7d, or a day.",
)
@limit_option
@as_json_option
def history(
    *,
    workflow_id: str,
    environment: str | None,
    project: str | None,
    since: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List how a workflow ran, the newest first.

    ID is a workflow's id, or a glob such as 'order-*' for several.
    """
    settings = effective_settings()
    project = project or settings.project
    with needed(settings) as store:
        found = [
            it
            for known in _ids(store, workflow_id, project)
            for it in store.history(
                known, project=project, environment=environment, limit=limit, since=since
            )
        ]
        found = sorted(found, key=lambda it: it.started_at, reverse=True)[:limit]
        sessions = _sessions(store, found)
    if as_json:
        print_json([_as_json(it, sessions.get(it.session_id)) for it in found])
    elif found:
        counted = wording.plural(len(found), "execution")
        title = f"{workflow_id} of {project}, {counted} ({display.times()})"
        _print_history(title, found, sessions)
    else:
        display.say(f"No execution of {workflow_id} fits these options.")


def _ids(store: Store, name: str, project: str) -> list[str]:
    """Find the workflows with executions that go by a name.

    Raises:
        NothingThereError: There are none.
    """
    if store.history(name, project=project, limit=1):
        return [name]
    known = sorted({it.workflow_id for it in store.job_metrics(project=project)})
    found = [it for it in known if goes_by(it, name)]
    if found:
        return found
    said = f"There is no execution of a workflow {name!r} of the project {project}"
    near = nearest(name, known)
    raise NothingThereError(f"{said}; did you mean {' or '.join(near)}?" if near else f"{said}.")


def _sessions(store: Store, executions: Iterable[Execution]) -> dict[str, SessionStarted]:
    """Read the sessions that executions belong to, which know the trigger and the commit."""
    return store.sessions_of(list(dict.fromkeys(it.session_id for it in executions)))


def _as_json(execution: Execution, session: SessionStarted | None) -> dict[str, object]:
    left_out = {"workflow", "attempts", "history"}
    own = {name: value for name, value in asdict(execution).items() if name not in left_out}
    return {
        "workflow_id": execution.workflow.workflow_id,
        **own,
        "trigger": session.trigger if session else "",
        "git_commit": session.git_commit if session else "",
        "git_branch": session.git_branch if session else "",
    }


def _print_history(
    title: str, executions: Sequence[Execution], sessions: dict[str, SessionStarted]
) -> None:
    is_wide = display.is_wide()
    has_environments = len({it.environment for it in executions}) > 1
    has_workflows = len({it.workflow.workflow_id for it in executions}) > 1
    has_commits = any(it.git_commit for it in sessions.values())
    now = datetime.now(UTC)
    columns = ["=Status", *(["Workflow"] if has_workflows else []), "=When", ">Took"]
    columns += [*(["Environment"] if has_environments else []), "Trigger"]
    columns += [*(["Commit"] if has_commits else []), "=Execution"]

    def row(it: Execution) -> Iterable[Text | str]:
        session = sessions.get(it.session_id)
        yield display.status(it.status, is_flaky=it.is_flaky)
        if has_workflows:
            yield it.workflow.workflow_id
        yield display.when(it.started_at, now)
        yield wording.duration(it.duration_ms)
        if has_environments:
            yield it.environment
        yield session.trigger.value if session else ""
        if has_commits:
            branch = display.short_branch(session.git_branch) if session and is_wide else ""
            yield display.commit(session.git_commit, branch) if session else ""
        yield it.run_id if is_wide else display.short_id(it.run_id)

    table = display.listing(title, columns, [list(row(it)) for it in executions])
    console().print(table)
