"""``workflow-monitor export``: the schedules of the markers for other schedulers."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings
from pytest_workflow_monitor.cli.exits import Exit
from pytest_workflow_monitor.cli.options import STANDARD_OUTPUT, OutputPath, selecting, wanted
from pytest_workflow_monitor.cli.schedule import HOW_TO_SCHEDULE
from pytest_workflow_monitor.cli.selection import select
from pytest_workflow_monitor.settings.parsing import zone as read_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.schedule.export import Export
    from pytest_workflow_monitor.settings import Settings

PROGRAM = "workflow-monitor"
ON_A_MACHINE = frozenset({"crontab", "systemd"})
LOCALTIME = Path("/etc/localtime")
ALSO_UTC = frozenset({"Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Zulu"})


@click.command()
@click.argument(
    "format_name",
    metavar="FORMAT",
    type=click.Choice(["crontab", "systemd", "kubernetes", "github-actions", "gitlab-ci"]),
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--output",
    type=OutputPath(may_be_folder=True),
    default="-",
    metavar="PATH",
    help="The folder to write to, or a file for a single one; by default standard output.",
)
@click.option("--command", metavar="COMMAND", help="What starts this program there.")
@click.option("--folder", metavar="PATH", help="Where it runs there; by default the project's.")
@click.option("--user", default="", metavar="NAME", help="Who runs it (crontab, systemd).")
@click.option(
    "--env-file",
    default="",
    metavar="PATH",
    help="A file with variables such as DATABASE_URL (crontab, systemd).",
)
@click.option("--tz", "zone", metavar="ZONE", help="The zone of the machine's clock (crontab).")
@click.option(
    "--image", default="", metavar="NAME", help="The container image (kubernetes, gitlab-ci)."
)
@click.option("--namespace", default="", metavar="NAME", help="Where they belong (kubernetes).")
@click.option("--secret", metavar="NAME", help="What has DATABASE_URL (kubernetes).")
@click.option("--install", metavar="COMMAND", help="What installs packages (CI).")
@selecting
def export(
    *,
    format_name: str,
    ids: Sequence[str],
    output: Path,
    priorities: Sequence[str],
    tags: Sequence[str],
    owners: Sequence[str],
    **given: Any,
) -> None:
    """Write the schedules down for other schedulers.

    FORMAT is crontab, systemd, kubernetes, github-actions or gitlab-ci. Workflows with the same
    schedule run together. What cannot be written at exactly its times is left out, and told why.
    ID is a workflow's id or a glob.
    """
    from pytest_workflow_monitor.schedule.collecting import collect
    from pytest_workflow_monitor.schedule.export import FORMATS, Request

    if format_name == "kubernetes" and not given["image"]:
        raise click.UsageError("--image says which container image Kubernetes is to run.")
    settings = effective_settings()
    collected = collect(settings)
    display.complain(collected.broken)
    asked = wanted(ids, priorities=priorities, tags=tags, owners=owners)
    workflows = _scheduled(select(collected.workflows, asked), settings)
    if not workflows:
        display.say(HOW_TO_SCHEDULE)
        sys.exit(Exit.NOT_ALL_WELL)
    request = Request(
        project=settings.project,
        environment=settings.environment,
        now=datetime.now(UTC),
        folder=given.pop("folder") or str(settings.root),
        command=given.pop("command") or _program(format_name),
        zone=_zone(given.pop("zone")),
        **{name: value for name, value in given.items() if value},
    )
    made = FORMATS[format_name](request, workflows)
    _write(made, output)
    for workflow_id, reason in made.refused.items():
        display.say(f"{workflow_id} is left out: {reason}.")
    if made.refused or collected.broken:
        sys.exit(Exit.NOT_ALL_WELL)


def _scheduled(workflows: Sequence[Workflow], settings: Settings) -> list[Workflow]:
    """Return the workflows that are to run in this environment by themselves."""
    found = {
        it.workflow_id: it
        for it in workflows
        if it.enabled
        and (it.cron is not None or it.every_seconds is not None)
        and (not it.environments or settings.environment in it.environments)
    }
    return list(found.values())


def _program(format_name: str) -> str:
    """Return this program's own path where it is to run here; cron and systemd know no other."""
    if format_name not in ON_A_MACHINE:
        return PROGRAM
    beside = Path(sys.executable).with_name(PROGRAM)
    return shlex.quote(str(beside) if beside.exists() else shutil.which(PROGRAM) or PROGRAM)


def _zone(given: str | None) -> str:
    """Return the zone that was given, else that of this machine's clock."""
    if given is not None:
        try:
            return read_zone(given)
        except ValueError as error:
            raise click.BadParameter(f"{given!r}: {error}.", param_hint="--tz") from None
    _, _, linked = os.path.realpath(LOCALTIME).partition("zoneinfo/")
    for name in (os.environ.get("TZ", "").lstrip(":"), linked):
        try:
            if name:
                return "UTC" if name in ALSO_UTC else read_zone(name)
        except ValueError:
            continue
    return "UTC"


def _write(made: Export, output: Path) -> None:
    """Write files where they were asked for, else all of them to standard output."""
    if output == STANDARD_OUTPUT:
        for name, content in made.files.items():
            if len(made.files) > 1:
                click.echo(f"# {name}")
            click.echo(content)
        return
    for name, content in made.files.items():
        is_folder = len(made.files) > 1 or output.is_dir()
        path = output / name if is_folder else output
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        display.say(f"Written: {path}")
