"""Asks the database what ran of what the schedules ask for, and alerts about what did not."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.alerting.rules import rules_of
from pytest_workflow_monitor.keeping.alerts.others import Problem, clear_problems, report_problems
from pytest_workflow_monitor.schedule.reconcile import expected_slots, reconcile
from pytest_workflow_monitor.words.alert_causes import SLOTS
from pytest_workflow_monitor.words.alerts import AlertKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pytest_workflow_monitor.schedule.reconcile import Reconciled
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.store.schedules import ScheduledRun
    from pytest_workflow_monitor.words.slots import Slot

LATEST = 2
"""So many slots of a schedule tell whether it runs in time now: the last may still be to come."""

RECENT = timedelta(days=1)
MOST_SLOTS = 10_000
"""So many slots of one schedule are looked at, the latest ones."""

MOST_RUNS = 20_000


def check(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    since: datetime | None = None,
    workflow_ids: Sequence[str] | None = None,
) -> tuple[Reconciled, ...]:
    """Compare the schedules of the settings' environment with what ran.

    Args:
        store: The database.
        settings: Whose schedules.
        now: The time.
        since: From when on; by default only the latest slots of the last day.
        workflow_ids: Of which workflows; by default all.
    """
    scope = settings.project, settings.environment
    begin, most = (now - RECENT, LATEST) if since is None else (since, MOST_SLOTS)
    expected = {
        it: slots
        for it in store.schedules(*scope, workflow_ids)
        if (slots := expected_slots(it, begin, now, most))
    }
    if not expected:
        return ()
    starts = {
        it.workflow_id: slots[0] - timedelta(seconds=it.grace_seconds)
        for it, slots in expected.items()
    }
    runs: dict[str, list[ScheduledRun]] = defaultdict(list)
    for run in store.scheduled_runs(*scope, starts, MOST_RUNS):
        runs[run.workflow_id].append(run)
    recorded: dict[str, dict[datetime, Slot]] = defaultdict(dict)
    for slot in store.recorded_since(*scope, starts):
        recorded[slot.workflow_id][slot.slot_at] = slot
    return tuple(
        reconcile(it, slots, runs[it.workflow_id], recorded[it.workflow_id], now)
        for it, slots in expected.items()
    )


def alert(store: Store, settings: Settings, found: Sequence[Reconciled], now: datetime) -> int:
    """Open alerts about workflows whose latest slot was missed or late, resolve those of others.

    Returns:
        How many opened or were resolved.
    """
    scope = settings.project, settings.environment
    rules = rules_of(settings)
    problems = [
        Problem(
            key=it.schedule.workflow_id,
            name=it.schedule.workflow_name,
            kind=AlertKind.MISSED,
            reason=f"the slot of {it.trouble.slot_at:%Y-%m-%d %H:%M:%S} UTC: {it.trouble.said}",
            priority=it.schedule.priority,
            since=it.trouble.slot_at,
            cause=f"{SLOTS}|{it.trouble.kind.value}",
        )
        for it in found
        if it.trouble is not None
    ]
    fine = [it.schedule.workflow_id for it in found if it.latest_at and it.trouble is None]
    opened = report_problems(store, rules, *scope, problems, now)
    told = [it.workflow_id for it in store.open_alerts(*scope) if it.kind is AlertKind.MISSED]
    scheduled = {it.workflow_id for it in store.schedules(*scope, told) if it.enabled}
    gone = [it for it in told if it not in scheduled]
    resolved = clear_problems(store, rules, *scope, fine, AlertKind.MISSED, "it ran in time", now)
    ended = clear_problems(
        store, rules, *scope, gone, AlertKind.MISSED, "it is not scheduled any more", now
    )
    return len(opened) + len(resolved) + len(ended)
