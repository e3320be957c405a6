"""``workflow-monitor deployments``: what was deployed when, for reports to lay changes beside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, existing, opened
from pytest_workflow_monitor.cli.executions import moment
from pytest_workflow_monitor.cli.exits import NothingToShowError
from pytest_workflow_monitor.cli.options import (
    InOrder,
    actor,
    as_json_option,
    by_option,
    limit_option,
)
from pytest_workflow_monitor.cli.output import console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.store.deployments import NotedDeployment

NONE_NOTED = "No deployment is noted; `workflow-monitor deployments add NAME` notes one."


@click.group(cls=InOrder)
def deployments() -> None:
    """Note what was deployed, list what was."""


@deployments.command()
@click.argument("name")
@click.option(
    "--environment",
    metavar="NAME",
    help="Where to; by default the setting's environment.",
)
@click.option("--commit", default="", metavar="SHA", help="Which commit of what was deployed.")
@click.option("--url", default="", metavar="URL", help="Where to read more about it.")
@click.option(
    "--at",
    type=moment,
    metavar="WHEN",
    help="When: a duration back, such as 20m, or an instant; by default now.",
)
@by_option
@as_json_option
def add(
    *,
    name: str,
    environment: str | None,
    commit: str,
    url: str,
    at: datetime | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Note that something was deployed.

    For the last line of a pipeline. NAME is what people call it, such as "shop 7.2". What slowed
    down or began to fail right after it is laid beside it.
    """
    from pytest_workflow_monitor.store import migrate
    from pytest_workflow_monitor.store.deployments import NewDeployment
    from pytest_workflow_monitor.store.text import storable_text

    if not name.strip():
        raise click.UsageError("NAME is empty; say what was deployed.")
    who, settings = actor(by), effective_settings()
    with existing(settings) as store:
        if store is None:
            raise NothingToShowError
        migrate.migrate(store)
        now = store.clock()
        if at is not None and at > now:
            raise click.UsageError(f"{display.full_when(at)} lies ahead; note it when it is done.")
        noted = NewDeployment(
            environment=storable_text(environment or settings.environment),
            deployed_at=at or now,
            name=storable_text(name.strip()),
            git_commit=storable_text(commit.strip()),
            url=storable_text(url.strip()),
            noted_by=storable_text(who),
        )
        deployment_id = store.add_deployment(settings.project, noted)
    if as_json:
        print_json({"deployment_id": deployment_id, **asdict(noted)})
        return
    when = display.full_when(noted.deployed_at)
    click.echo(f"Deployment {deployment_id}: {display.printable(noted.name)} to ", nl=False)
    click.echo(f"{display.printable(noted.environment)}, {when}.")


@deployments.command("list")
@click.option("--environment", metavar="NAME", help="Only to this one; by default to all.")
@limit_option
@as_json_option
def list_deployments(*, environment: str | None, limit: int, as_json: bool) -> None:
    """List the latest deployments."""
    settings = effective_settings()
    found: Sequence[NotedDeployment] = ()
    with opened(settings) as store:
        if store is not None:
            found = store.noted_deployments(settings.project, limit, environment=environment)
    if as_json:
        print_json([asdict(it) for it in found])
    elif found:
        _print_table(found, settings.project)
    else:
        display.say(NONE_NOTED)


def _print_table(found: Sequence[NotedDeployment], project: str) -> None:
    now, is_wide = datetime.now(UTC), display.is_wide()
    rows = [
        [
            str(it.deployment_id),
            display.when(it.deployed_at, now),
            it.environment,
            it.name,
            display.commit(it.git_commit),
            it.noted_by,
            *([it.url] if is_wide else []),
        ]
        for it in found
    ]
    columns = [
        ">ID",
        "=When",
        "Environment",
        "What",
        "=Commit",
        "By",
        *(["URL"] if is_wide else []),
    ]
    title = f"{wording.plural(len(found), 'deployment')} of {project} ({display.times()})"
    console().print(display.listing(title, columns, rows))
