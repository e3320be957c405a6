"""Alerts about what no execution shows: slots that did not run, parts of the monitoring.

They are reported by whoever notices, as often as it likes, and are over when the same says so.
What follows is as for any other alert: one for each problem, routes, reminders, silences.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pytest_workflow_monitor.keeping.alerts.incidents import Incidents
from pytest_workflow_monitor.keeping.alerts.outbox import Outbox
from pytest_workflow_monitor.model import Priority, Record
from pytest_workflow_monitor.store.alerts import NewAlert, NewEvent
from pytest_workflow_monitor.store.text import storable_text
from pytest_workflow_monitor.words.alerts import (
    SYSTEM,
    Alert,
    AlertEventKind,
    AlertKind,
    AlertStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.alerting.rules import Rules
    from pytest_workflow_monitor.store import Store

MAX_REASON = 2_000


class Problem(Record, frozen=True, kw_only=True):
    """What is wrong.

    Attributes:
        key: The workflow's id, or the name of the part of the monitoring.
        kind: Which kind of alert it makes.
        reason: One sentence or clause.
        name: What people call it; by default the key.
        priority: How much it matters.
        owner: Whose it is, and
        tags: what it is tagged with, for those who route or silence by that.
        since: When it began; by default when it is reported.
        cause: What others that are reported with it may have in common, for one incident.
        count: How often it was seen, such as the number of slots.
        quiet: Why nobody is to hear of it; empty if somebody is.
    """

    key: str
    kind: AlertKind
    reason: str
    name: str = ""
    priority: Priority = Priority.HIGH
    owner: str = ""
    tags: tuple[str, ...] = ()
    since: datetime | None = None
    cause: str = ""
    count: int = 1
    quiet: str = ""


def report_problem(
    store: Store,
    rules: Rules,
    project: str,
    environment: str,
    key: str,
    kind: AlertKind,
    reason: str,
    now: datetime,
) -> bool:
    """Open an alert about a problem unless it is open, and tell whether it opened."""
    problem = Problem(key=key, kind=kind, reason=reason)
    return bool(report_problems(store, rules, project, environment, [problem], now))


def report_problems(
    store: Store,
    rules: Rules,
    project: str,
    environment: str,
    problems: Sequence[Problem],
    now: datetime,
) -> tuple[int, ...]:
    """Open alerts about problems that have none, and note new reasons in the others.

    Returns:
        The ids of those that opened.
    """
    if not problems:
        return ()
    with store.transaction():
        store.lock_project(project)
        known = {(it.workflow_id, it.kind): it for it in store.open_alerts(project, environment)}
        for problem in problems:
            alert = known.get((problem.key, problem.kind))
            if alert is not None:
                _note_reason(store, alert, _reason(problem), now)
        new = [it for it in problems if (it.key, it.kind) not in known]
        opened = _open(store, rules, (project, environment), new, now)
        outbox = Outbox(store, rules, now)
        quiet = {it.key: it.quiet for it in new if it.quiet}
        outbox.tell_opened([it for it in opened if it.workflow_id not in quiet])
        for alert in opened:
            outbox.tell_nobody([alert], quiet.get(alert.workflow_id, ""))
        store.add_alert_events(
            [*(_event(it, AlertEventKind.OPENED, it.reason, now) for it in opened), *outbox.events]
        )
    return tuple(it.alert_id for it in opened)


def clear_problem(
    store: Store,
    rules: Rules,
    project: str,
    environment: str,
    key: str,
    kind: AlertKind,
    reason: str,
    now: datetime,
) -> bool:
    """Resolve the alert about a problem that is over, and tell whether there was one."""
    return bool(clear_problems(store, rules, project, environment, [key], kind, reason, now))


def clear_problems(
    store: Store,
    rules: Rules,
    project: str,
    environment: str,
    keys: Iterable[str],
    kind: AlertKind,
    reason: str,
    now: datetime,
) -> frozenset[int]:
    """Resolve the alerts of one kind about problems that are over, and return their ids."""
    wanted = frozenset(keys)

    def found() -> dict[int, Alert]:
        return {
            it.alert_id: it
            for it in store.open_alerts(project, environment)
            if it.kind is kind and it.workflow_id in wanted
        }

    if not wanted or not found():  # most often there is nothing, and nobody has to wait
        return frozenset()
    with store.transaction():
        store.lock_project(project)
        alerts = found()
        resolved = store.resolve_alerts(alerts, now)
        over = [alerts[it] for it in sorted(resolved)]
        outbox = Outbox(store, rules, now)
        outbox.tell_resolved({it.incident_id for it in over}, SYSTEM)
        store.add_alert_events(
            [*(_event(it, AlertEventKind.RESOLVED, reason, now) for it in over), *outbox.events]
        )
    return resolved


def _open(
    store: Store,
    rules: Rules,
    scope: tuple[str, str],
    problems: Sequence[Problem],
    now: datetime,
) -> list[Alert]:
    if not problems:
        return []
    incidents = Incidents(store, scope, rules.telling, now)
    new = [_new(it, scope, incidents.for_causes(_causes(it)).incident_id, now) for it in problems]
    ids = store.add_alerts(new)
    return [
        _alert(it, ids[it.workflow_id, it.kind]) for it in new if (it.workflow_id, it.kind) in ids
    ]


def _causes(problem: Problem) -> tuple[str, ...]:
    return (problem.cause,) if problem.cause else ()


def _new(problem: Problem, scope: tuple[str, str], incident_id: int, now: datetime) -> NewAlert:
    project, environment = scope
    return NewAlert(
        incident_id=incident_id,
        project=project,
        workflow_id=problem.key,
        environment=environment,
        kind=problem.kind,
        workflow_name=problem.name or problem.key,
        priority=problem.priority,
        owner=problem.owner,
        tags=problem.tags,
        location="",
        since=problem.since or now,
        opened_at=now,
        reason=_reason(problem),
        failures=problem.count,
        first_run_id=None,
        last_run_id=None,
        last_status=None,
        fingerprint="",
        failing_step="",
        causes=_causes(problem),
        quiet="",
        inhibited_by=None,
    )


def _alert(new: NewAlert, alert_id: int) -> Alert:
    return Alert(
        alert_id=alert_id,
        project=new.project,
        workflow_id=new.workflow_id,
        environment=new.environment,
        kind=new.kind,
        status=AlertStatus.ACTIVE,
        priority=new.priority,
        since=new.since,
        opened_at=new.opened_at,
        incident_id=new.incident_id,
        workflow_name=new.workflow_name,
        owner=new.owner,
        tags=new.tags,
        reason=new.reason,
        failures=new.failures,
        causes=new.causes,
    )


def _note_reason(store: Store, alert: Alert, reason: str, now: datetime) -> None:
    """Let an open alert say what it is about by now."""
    if alert.reason != reason:
        store.set_alert_reason(alert.alert_id, reason)
        store.add_alert_events([_event(alert, AlertEventKind.COMMENTED, reason, now)])


def _reason(problem: Problem) -> str:
    return storable_text(problem.reason[:MAX_REASON])


def _event(alert: Alert, kind: AlertEventKind, reason: str, now: datetime) -> NewEvent:
    return NewEvent(alert_id=alert.alert_id, at=now, event_type=kind, reason=reason)
