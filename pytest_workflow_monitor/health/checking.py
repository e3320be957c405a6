"""Runs all checks, and records what they found."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.health.checks import APART, checks_of
from pytest_workflow_monitor.health.findings import Asked, Finding
from pytest_workflow_monitor.health.remedies import HTTP
from pytest_workflow_monitor.settings.health_rules import HealthCheck, HealthStatus

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.health.checks import Check
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

AT_ONCE = 8


def run_checks(store: Store, settings: Settings, now: datetime) -> tuple[HealthCheck, ...]:
    """Run all checks and record what they found; for the scheduler, every five minutes.

    Takes as long as the slowest of them, some seconds when something does not answer.

    Args:
        store: The open database, used by this thread only.
        settings: The effective settings.
        now: The time of the database.

    Raises:
        StoreError: The database cannot take the results.
    """
    found = check(settings, store, now)
    store.add_health_checks(found, now)
    return found


def check(
    settings: Settings, store: Store | None, now: datetime, *, problem: str = ""
) -> tuple[HealthCheck, ...]:
    """Run all checks.

    Args:
        settings: The effective settings.
        store: The open database; None when it cannot be used.
        now: The time of the database, else of this machine.
        problem: Why it cannot be used; empty if there is none yet.
    """
    asked = Asked(settings, store, now, problem)
    checks = checks_of(settings)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        apart = {
            name: pool.submit(_found, one, asked)
            for name, one in checks.items()
            if name in APART or name.startswith(HTTP)
        }
        here = {name: _found(one, asked) for name, one in checks.items() if name not in apart}
    found = {name: apart[name].result() if name in apart else here[name] for name in checks}
    return tuple(_row(asked, name, it) for name, it in found.items() if it is not None)


def _found(one: Check, asked: Asked) -> Finding | None:
    try:
        return one(asked)
    except (StoreError, OSError) as error:
        return Finding(status=HealthStatus.UNHEALTHY, actual="not checked", detail=str(error))


def _row(asked: Asked, name: str, found: Finding) -> HealthCheck:
    return HealthCheck(
        project=asked.settings.project,
        environment=asked.settings.environment,
        location=asked.settings.location,
        host=socket.gethostname(),
        check_name=name,
        status=found.status,
        expected_status=found.expected,
        actual_status=found.actual,
        response_time_ms=found.response_time_ms,
        detail=found.detail,
        checked_at=asked.now,
    )
