"""How long each class of data is kept, and letting go of what is older.

==========  ======================  =============================================================
class       setting                 what
==========  ======================  =============================================================
executions  ``execution_days``      executions with attempts and errors, sessions, resolved alerts
                                    with their incidents, silences, reports, deployments,
                                    baselines of series without a value since
details     ``detail_days``         steps, metrics, anomalies, and hourly sums of steps and metrics
logs        ``log_days``            output, events and pages of attempts, messages that are done
                                    with, settled dead letters, health checks
slots       ``slot_days``           what became of each slot
==========  ======================  =============================================================

Sums of executions by hour and day, and of steps and metrics by day, stay for ever. Files of
evidence follow rules of their own (:mod:`~pytest_workflow_monitor.keeping.artifacts`), and an
execution stays as long as one of its files does. Days are whole days in UTC.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from pytest_workflow_monitor.store.pruning import DataClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

BY_EXECUTIONS = (
    "alert_events",
    "alerts",
    "incidents",
    "silences",
    "deployments",
    "performance_baselines",
    "monitoring_reports",
    "test_sessions",
)
BY_LOGS = ("dead_letter_queue", "notification_logs", "system_health_checks")
SLOTS = "workflow_slots"
INTERVAL = timedelta(days=1)
SOMEBODY_ELSE = "Another process is pruning this project; nothing was done."


@dataclass
class Pruned:
    """What went.

    Attributes:
        before: What of each class began before this went.
        slots_before: The same of slots.
        rows: How many rows of each table.
        problem: Why nothing went, or not all; empty if all did.
        is_finished: Whether nothing is left to go.
    """

    before: dict[DataClass, datetime]
    slots_before: datetime
    rows: Counter[str] = field(default_factory=Counter)
    problem: str = ""
    is_finished: bool = False


def cutoffs(settings: Settings, now: datetime) -> dict[DataClass, datetime]:
    """Return before which day each class of data goes; details never stay after executions."""
    executions = _day(now, settings.execution_days)
    return {
        DataClass.EXECUTIONS: executions,
        DataClass.DETAILS: max(executions, _day(now, settings.detail_days)),
        DataClass.LOGS: max(executions, _day(now, settings.log_days)),
    }


def plan(store: Store, settings: Settings, *, now: datetime) -> Pruned:
    """Bring the sums up to date, count what would go, and leave it."""
    made = _empty(settings, now)
    store.sum_up(settings.project)
    made.rows = store.count_prunable(settings.project, made.before, made.slots_before)
    return made


def prune(
    store: Store, settings: Settings, *, now: datetime, seconds: float | None = None
) -> Pruned:
    """Let go of what is older than it is kept.

    Ingest goes on meanwhile. Whoever finds somebody else pruning leaves it to them.

    Args:
        store: The database.
        settings: Whose data, and how long it is kept.
        now: The time.
        seconds: How long it may take; what is left then goes the next time.

    Raises:
        StoreError: The database cannot be used; what is gone is gone, the rest goes next time.
    """
    done = _empty(settings, now)
    with store.pruning(settings.project) as is_ours:
        if not is_ours:
            done.problem = SOMEBODY_ELSE
            return done
        deadline = None if seconds is None else monotonic() + seconds
        _Work(store, settings.project, done, deadline).do(now)
    return done


def prune_daily(
    store: Store, settings: Settings, *, now: datetime, seconds: float
) -> Pruned | None:
    """Prune for a while, unless that came to its end less than a day ago; None when it did."""
    ends = [it.finished_at for it in store.prunings(settings.project).values()]
    latest = max((it for it in ends if it is not None), default=None)
    if latest is not None and now - latest < INTERVAL:
        return None
    return prune(store, settings, now=now, seconds=seconds)


class _Work:
    """One pruning; each method takes batches until nothing is left or the time is up."""

    def __init__(self, store: Store, project: str, done: Pruned, deadline: float | None) -> None:
        self._store = store
        self._project = project
        self._done = done
        self._deadline = deadline

    def do(self, now: datetime) -> None:
        store, project, before = self._store, self._project, self._done.before
        store.promise_pruning(project, before)
        for data_class in (DataClass.LOGS, DataClass.DETAILS):
            self._of_runs(data_class, before[data_class])
        self._series_hours(before[DataClass.DETAILS])
        self._executions(before[DataClass.EXECUTIONS])
        self._tables(dict.fromkeys(BY_LOGS, before[DataClass.LOGS]))
        self._tables(dict.fromkeys(BY_EXECUTIONS, before[DataClass.EXECUTIONS]))
        self._tables({SLOTS: self._done.slots_before})
        self._done.is_finished = not self._is_late()
        if self._done.is_finished:
            store.finish_pruning(project, now)

    def _is_late(self) -> bool:
        return self._deadline is not None and monotonic() > self._deadline

    def _of_runs(self, data_class: DataClass, before: datetime) -> None:
        known = self._store.prunings(self._project)[data_class]
        reached = known.reached
        while not self._is_late():
            gone, reached = self._store.prune_of_runs(self._project, data_class, reached, before)
            self._done.rows += gone
            if reached is None:
                return

    def _series_hours(self, before: datetime) -> None:
        while not self._is_late():
            first = self._store.first_series_hour(self._project)
            if first is None or first >= before:
                return
            self._done.rows["series_hours"] += self._store.prune_series_hours(
                self._project, first, before
            )

    def _executions(self, before: datetime) -> None:
        while not self._is_late():
            gone = self._store.prune_executions(self._project, before)
            self._done.rows += gone
            if not gone:
                return

    def _tables(self, before: Mapping[str, datetime]) -> None:
        for table, moment in before.items():
            while not self._is_late():
                gone = self._store.prune_table(self._project, table, moment)
                if not gone:
                    break
                self._done.rows[table] += gone


def _empty(settings: Settings, now: datetime) -> Pruned:
    return Pruned(cutoffs(settings, now), now - timedelta(days=settings.slot_days))


def _day(now: datetime, days: float) -> datetime:
    """Return the beginning, in UTC, of the day so many days ago."""
    day = (now - timedelta(days=days)).astimezone(UTC)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)
