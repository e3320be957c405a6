"""The command itself: its subcommands, and what becomes of errors."""

from __future__ import annotations

import errno
import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

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

if TYPE_CHECKING:
    from collections.abc import Iterator

EPILOG = "\b\nExit codes:\n" + "\n".join(
    f"{code.value:>5}  {meaning}" for code, meaning in MEANINGS.items()
)


class Commands(InOrder):
    """The subcommands; errors end as one sentence."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the arguments; what only prints, such as `--help`, happens here already."""
        with _errors_told():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand."""
        with _errors_told():
            result = super().invoke(ctx)
            if sys.stdout is not None:  # it is where it was closed before we began
                sys.stdout.flush()
            return result


@contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except WorkflowMonitorError as error:
        _fail(str(error), code_of(error))
    except (KeyboardInterrupt, click.Abort):
        click.echo(err=True)
        raise click.exceptions.Exit(Exit.INTERRUPTED) from None
    except UnicodeEncodeError as error:
        _fail(f"{error.object!a} is not text in UTF-8.", Exit.MISTAKE)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # click ends quietly: the reader, such as `head`, has seen enough
        _fail(_said(error), Exit.IN_THE_WAY)


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


def _fail(sentence: str, code: Exit) -> NoReturn:
    say(f"Error: {sentence}")
    raise click.exceptions.Exit(code)


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
