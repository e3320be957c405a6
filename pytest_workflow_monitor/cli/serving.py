"""``workflow-monitor schedule run``, ``worker`` and ``tick``: the processes that run workflows."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.cli.access import effective_settings
from pytest_workflow_monitor.cli.exits import Exit
from pytest_workflow_monitor.cli.options import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_workflow_monitor.schedule.service import Options
    from pytest_workflow_monitor.settings import Settings

CONCURRENCY = 3


def _seconds(_: click.Context, __: click.Parameter, text: str) -> float:
    return duration(text)


def serving(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that the processes have in common."""
    for option in (
        click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="How lines are logged to standard error.",
        ),
        click.option(
            "--stop-within",
            "stop_within_seconds",
            default="60s",
            show_default=True,
            callback=_seconds,
            metavar="DURATION",
            help="How long runs may go on after SIGTERM; then they are handed back.",
        ),
        click.option(
            "--concurrency",
            type=click.IntRange(0, 100),
            default=CONCURRENCY,
            show_default=True,
            metavar="N",
            help="How many runs at once; 0 for none.",
        ),
        click.option(
            "--queue",
            "queues",
            multiple=True,
            metavar="NAME",
            help="Run workflows of this queue; repeatable. By default those of the queue default "
            "and of the one named like the location.",
        ),
    ):
        command = option(command)
    return command


heartbeat_file_option = click.option(
    "--heartbeat-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="A file that is touched while the process lives, for a container's health check.",
)


@click.command("run")
@serving
@heartbeat_file_option
def schedule_run(
    *,
    queues: Sequence[str],
    concurrency: int,
    stop_within_seconds: float,
    log_format: str,
    heartbeat_file: Path | None,
) -> None:
    """Run workflows when they are due, until stopped.

    Any number of these may run against one database, on any number of machines.
    """
    from pytest_workflow_monitor.schedule.service import Options

    options = Options(
        schedules=True,
        queues=tuple(queues),
        concurrency=concurrency,
        stop_within_seconds=stop_within_seconds,
        heartbeat_file=heartbeat_file,
    )
    _serve(options, log_format)


@click.command()
@serving
@heartbeat_file_option
def worker(
    *,
    queues: Sequence[str],
    concurrency: int,
    stop_within_seconds: float,
    log_format: str,
    heartbeat_file: Path | None,
) -> None:
    """Run what schedulers find due, until stopped.

    It needs the same database and the same tests as they.
    """
    from pytest_workflow_monitor.schedule.service import Options

    options = Options(
        schedules=False,
        queues=tuple(queues),
        concurrency=concurrency,
        stop_within_seconds=stop_within_seconds,
        heartbeat_file=heartbeat_file,
    )
    _serve(options, log_format)


@click.command()
@serving
def tick(
    *, queues: Sequence[str], concurrency: int, stop_within_seconds: float, log_format: str
) -> None:
    """Run what is due now, and end: for a crontab.

    A tick that begins while another one still runs does no harm.
    """
    from pytest_workflow_monitor.schedule.service import Options, Service

    options = Options(
        queues=tuple(queues), concurrency=concurrency, stop_within_seconds=stop_within_seconds
    )
    if not asyncio.run(Service(_logging(log_format), options).tick()):
        sys.exit(Exit.NOT_ALL_WELL)


def _serve(options: Options, log_format: str) -> None:
    from pytest_workflow_monitor.schedule.service import Service

    sys.exit(asyncio.run(Service(_logging(log_format), options).run()))


def _logging(log_format: str) -> Settings:
    """Return the settings, and log as they and the command line say.

    What the processes do is told unless the settings ask for less.
    """
    from pytest_workflow_monitor.schedule import logs

    settings = effective_settings()
    level = settings.log_level if "log_level" in settings.sources else "info"
    logs.configure(level, log_format)
    return settings
