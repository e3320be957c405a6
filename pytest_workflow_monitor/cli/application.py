"""The command itself: its subcommands, and what becomes of errors."""

from __future__ import annotations

import errno
import io
import sys
from typing import Any, NoReturn

import click

from pytest_workflow_monitor.cli.alerts import alerts
from pytest_workflow_monitor.cli.artifacts import artifacts
from pytest_workflow_monitor.cli.badging import badge
from pytest_workflow_monitor.cli.baselines import baselines
from pytest_workflow_monitor.cli.configuration import config
from pytest_workflow_monitor.cli.db import db
from pytest_workflow_monitor.cli.deployments import deployments
from pytest_workflow_monitor.cli.display import say
from pytest_workflow_monitor.cli.executions import history, show
from pytest_workflow_monitor.cli.exits import MEANINGS, Exit, code_of
from pytest_workflow_monitor.cli.exporting import export
from pytest_workflow_monitor.cli.healthiness import health
from pytest_workflow_monitor.cli.kept_reports import reports
from pytest_workflow_monitor.cli.letters import dead_letters
from pytest_workflow_monitor.cli.listing import list_workflows
from pytest_workflow_monitor.cli.notifying import notify
from pytest_workflow_monitor.cli.options import InOrder
from pytest_workflow_monitor.cli.pruning import prune
from pytest_workflow_monitor.cli.replaying import replay
from pytest_workflow_monitor.cli.reporting import report
from pytest_workflow_monitor.cli.running import run
from pytest_workflow_monitor.cli.schedule import schedule
from pytest_workflow_monitor.cli.service_levels import slo
from pytest_workflow_monitor.cli.serving import schedule_run, tick, worker
from pytest_workflow_monitor.cli.sessions import sessions
from pytest_workflow_monitor.cli.silences import silences
from pytest_workflow_monitor.cli.soaking import soak
from pytest_workflow_monitor.cli.standing import status
from pytest_workflow_monitor.errors import WorkflowMonitorError

EPILOG = "\b\nExit codes:\n" + "\n".join(
    f"{code.value:>5}  {meaning}" for code, meaning in MEANINGS.items()
)


class Commands(InOrder):
    """The subcommands; errors end as one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand."""
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:  # it is where it was closed before we began
                sys.stdout.flush()
        except WorkflowMonitorError as error:
            _fail(ctx, str(error), code_of(error))
        except (KeyboardInterrupt, click.Abort):
            click.echo(err=True)
            ctx.exit(Exit.INTERRUPTED)
        except UnicodeEncodeError as error:
            _fail(ctx, f"{error.object!a} is not text in UTF-8.", Exit.MISTAKE)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # click ends quietly: the reader, such as `head`, has seen enough
            _fail(ctx, _said(error), Exit.IN_THE_WAY)
        return result


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pytest-workflow-monitor", message="%(prog)s %(version)s")
def application() -> None:
    """Synthetic monitoring written as pytest tests and kept in your own PostgreSQL.

    Every command works on the project that the current folder belongs to. The command config
    tells which one that is, and what its settings are.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a mark still works


def _fail(ctx: click.Context, sentence: str, code: Exit) -> NoReturn:
    say(f"Error: {sentence}")
    ctx.exit(code)


def _said(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}." if error.filename else f"{reason}."


for command in (
    list_workflows,
    run,
    show,
    history,
    sessions,
    report,
    reports,
    status,
    slo,
    baselines,
    deployments,
    badge,
    health,
    alerts,
    silences,
    notify,
    schedule,
    worker,
    tick,
    soak,
    export,
    replay,
    dead_letters,
    artifacts,
    prune,
    db,
    config,
):
    application.add_command(command)
schedule.add_command(schedule_run)
