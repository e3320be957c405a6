"""``workflow-monitor health``: whether what the monitoring itself needs is there."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, opened
from pytest_workflow_monitor.cli.options import as_json_option
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.settings.health_rules import HealthStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.health_rules import HealthCheck

COLUMNS = ("Check", "Found", "Expected", ">Time")
MARKS = {
    HealthStatus.HEALTHY: ("✓", display.STYLES[Status.PASSED]),
    HealthStatus.DEGRADED: ("!", display.STYLES[Status.DEGRADED]),
    HealthStatus.UNHEALTHY: ("✗", display.STYLES[Status.FAILED]),
}


@click.command()
@click.option(
    "--store/--no-store",
    "is_stored",
    default=True,
    show_default=True,
    help="Record what was found in the database.",
)
@as_json_option
def health(*, is_stored: bool, as_json: bool) -> None:
    """Check what the monitoring itself needs.

    That is the database, schedules, disk, clock, browser and network. The settings health_checks
    and network_reference add checks. The exit code is 0, 1 or 2 for healthy, degraded and
    unhealthy.
    """
    found = _checked(effective_settings(), is_stored=is_stored)
    worst = max((it.status for it in found), key=lambda it: it.severity)
    if as_json:
        print_json({"status": worst, "checks": found})
    else:
        _print(found)
    sys.exit(worst.severity)


def _checked(settings: Settings, *, is_stored: bool) -> tuple[HealthCheck, ...]:
    """Check with the database where it can be used, else say why it cannot."""
    from pytest_workflow_monitor.health import check, run_checks

    try:
        with opened(settings) as store:
            if store is not None and is_stored:
                return run_checks(store, settings, store.clock())
            return check(settings, store, store.clock() if store else datetime.now(UTC))
    except StoreError as error:
        return check(settings, None, datetime.now(UTC), problem=str(error))


def _print(found: Sequence[HealthCheck]) -> None:
    from rich.padding import Padding

    from pytest_workflow_monitor.health import remedy

    console().print(display.listing("", COLUMNS, [_row(it) for it in found]))
    for it in found:
        if it.status is not HealthStatus.HEALTHY:
            console().print()
            console().print(_marked(it).append(f": {display.printable(it.detail)}"))
            console().print(Padding(display.line(f"→ {remedy(it.check_name)}"), (0, 0, 0, 4)))


def _row(check: HealthCheck) -> list[Text | str]:
    took = check.response_time_ms
    return [
        _marked(check),
        check.actual_status,
        check.expected_status,
        wording.duration(took) if took is not None else "",
    ]


def _marked(check: HealthCheck) -> Text:
    mark, style = MARKS[check.status]
    return display.line("").append(f"{mark} {display.printable(check.check_name)}", style)
