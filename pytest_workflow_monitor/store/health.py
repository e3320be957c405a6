"""Statements about the runner's own health: what checks found, and what they ask the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.settings.health_rules import HealthCheck
from pytest_workflow_monitor.store.database import Database
from pytest_workflow_monitor.store.text import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT = timedelta(days=14)
"""How long results are kept."""

_json = msgspec.json.Encoder().encode


class ServerState(Record, frozen=True, kw_only=True):
    """How much room the server has for more connections, and the time it has."""

    free_connections: int
    max_connections: int
    now: datetime


class Lag(Record, frozen=True, kw_only=True):
    """How late the schedules of an environment are.

    ``late`` names those whose slot is beyond its grace already, the longest waiting first.
    """

    schedules: int = 0
    oldest_due_at: datetime | None = None
    late: tuple[str, ...] = ()


class Waiting(Record, frozen=True, kw_only=True):
    """How many slots wait for a worker or run, and since when the oldest waits."""

    queued: int = 0
    running: int = 0
    oldest_queued_at: datetime | None = None


class Overridden(Record, frozen=True, kw_only=True):
    """A schedule that an operator has stopped for a while."""

    workflow_id: str
    environment: str
    disabled_until: datetime
    disabled_by: str
    disabled_reason: str


class Unrun(Record, frozen=True, kw_only=True):
    """Slots of one workflow that did not run, and why the last of them did not."""

    workflow_id: str
    environment: str
    status: str
    slots: int
    last_slot_at: datetime
    reason: str


class Process(Record, frozen=True, kw_only=True):
    """A scheduler or a worker that has not said goodbye, as it last told of itself."""

    scheduler_id: str
    environment: str
    kind: str
    host: str
    queues: tuple[str, ...]
    concurrency: int
    started_at: datetime
    heartbeat_at: datetime
    catalogue_problem: str


class Health(Database):
    """Statements about health."""

    def server_state(self) -> ServerState:
        """Ask the server for its time and its connections."""
        return msgspec.convert(self.fetch("server_state")[0], ServerState)

    def count_connections(self) -> int:
        """Count the other connections to this database."""
        found: int = self.fetch("count_connections")[0]["connections"]
        return found

    def schedule_lag(self, project: str, environment: str | None, now: datetime) -> Lag:
        """Tell how late the schedules of an environment, or of all, are."""
        row = self.fetch("schedule_lag", project=project, environment=environment, now=now)[0]
        return msgspec.convert(row, Lag)

    def waiting_slots(self, project: str, environment: str | None) -> Waiting:
        """Count the slots that wait for a worker, and those that run."""
        row = self.fetch("waiting_slots", project=project, environment=environment)[0]
        return msgspec.convert(row, Waiting)

    def used_a_browser(self, project: str, environment: str, since: datetime) -> bool:
        """Tell whether a workflow has had a browser since a moment, or has asked for one."""
        row = self.fetch_one(
            "used_a_browser", project=project, environment=environment, since=since
        )
        return row is not None

    def add_health_checks(self, found: Sequence[HealthCheck], now: datetime) -> None:
        """Record what checks found, and forget what is older than :data:`KEPT`."""
        rows = [storable(it) for it in found]
        with self.transaction():
            self.run("add_health_checks", rows=_json(rows).decode())
            for project, environment in {(it.project, it.environment) for it in found}:
                self.run(
                    "forget_health_checks",
                    project=project,
                    environment=environment,
                    before=now - KEPT,
                )

    def latest_health_checks(self, project: str, since: datetime) -> tuple[HealthCheck, ...]:
        """Return what each check found last in each environment on each machine."""
        rows = self.fetch("latest_health_checks", project=project, since=since)
        return msgspec.convert(rows, tuple[HealthCheck, ...])

    def overridden_schedules(self, project: str, now: datetime) -> tuple[Overridden, ...]:
        """List the schedules that an operator has stopped."""
        rows = self.fetch("overridden_schedules", project=project, now=now)
        return msgspec.convert(rows, tuple[Overridden, ...])

    def unrun_slots(self, project: str, since: datetime) -> tuple[Unrun, ...]:
        """List the workflows with slots that did not run since a moment, the latest first."""
        rows = self.fetch("unrun_slots", project=project, since=since)
        return msgspec.convert(rows, tuple[Unrun, ...])

    def processes(self, project: str, since: datetime) -> tuple[Process, ...]:
        """List schedulers and workers that gave a sign since a moment and did not stop."""
        rows = self.fetch("scheduler_processes", project=project, since=since)
        return msgspec.convert(rows, tuple[Process, ...])
