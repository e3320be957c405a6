"""What time and people do to alerts: reminders, escalations, acknowledgements."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.alerting.matching import alert_facts, matches
from pytest_workflow_monitor.keeping.alerts.outbox import Outbox
from pytest_workflow_monitor.store.alerts import NewEvent
from pytest_workflow_monitor.words.alerts import (
    Alert,
    AlertEventKind,
    AlertStatus,
    Incident,
    NotificationKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.alerting.rules import Rules
    from pytest_workflow_monitor.store import Store


def tend(store: Store, rules: Rules, project: str, now: datetime) -> int:
    """Put what is due by now, reminders and escalations, into the outbox.

    Returns:
        How many incidents were told again, or to more people.
    """
    with store.transaction():
        store.lock_project(project)
        due = store.incidents_to_remind(project, now)
        outbox = Outbox(store, rules, now)
        return sum(_tend(store, outbox, rules, incident, now) for incident in due)


def acknowledge(
    store: Store, rules: Rules, alerts: Sequence[Alert], *, actor: str, reason: str, now: datetime
) -> frozenset[int]:
    """Note that a person looks after alerts, and tell the channels that know of them.

    Returns:
        Which of them were active until now.
    """
    with store.transaction():
        _lock(store, alerts)
        changed = store.acknowledge_alerts([it.alert_id for it in alerts], now, actor)
        _record(store, changed, AlertEventKind.ACKNOWLEDGED, actor, reason, now)
        incidents = {it.incident_id for it in alerts if it.alert_id in changed}
        Outbox(store, rules, now).tell_channels(
            sorted(incidents), NotificationKind.ACKNOWLEDGED, actor=actor, note=reason
        )
    return changed


def resolve(
    store: Store, rules: Rules, alerts: Sequence[Alert], *, actor: str, reason: str, now: datetime
) -> frozenset[int]:
    """Resolve alerts for a person: only later failures can open them again.

    Returns:
        Which of them were open until now.
    """
    with store.transaction():
        _lock(store, alerts)
        changed = store.resolve_alerts([it.alert_id for it in alerts], now, actor)
        _record(store, changed, AlertEventKind.RESOLVED, actor, reason, now)
        incidents = {it.incident_id for it in alerts if it.alert_id in changed}
        outbox = Outbox(store, rules, now)
        released = store.release_alerts(changed)
        _record(store, released, AlertEventKind.RELEASED, actor, "what explained it is over", now)
        loud = (it for it in store.alerts(alert_ids=released) if not it.quiet)
        outbox.tell_opened(outbox.not_told(loud))
        outbox.tell_resolved(sorted(incidents), actor)
        store.add_alert_events(outbox.events)
    return changed


def comment(
    store: Store, alerts: Sequence[Alert], *, actor: str, reason: str, now: datetime
) -> None:
    """Add a remark to the audit trail of alerts."""
    ids = [it.alert_id for it in alerts]
    _record(store, ids, AlertEventKind.COMMENTED, actor, reason, now)


def end_silence(store: Store, project: str, silence_id: int, *, actor: str, now: datetime) -> bool:
    """End a silence early, so that messages that wait for its end are looked at again.

    Returns:
        Whether it had not ended before.
    """
    with store.transaction():
        has_ended = store.end_silence(project, silence_id, now, actor)
        if has_ended:
            store.hear_again(project, now)
    return has_ended


def _lock(store: Store, alerts: Iterable[Alert]) -> None:
    for project in sorted({it.project for it in alerts}):
        store.lock_project(project)


def _record(
    store: Store,
    alert_ids: Iterable[int],
    kind: AlertEventKind,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    store.add_alert_events(
        [
            NewEvent(alert_id=it, at=now, event_type=kind, actor=actor, reason=reason)
            for it in sorted(alert_ids)
        ]
    )


def _tend(store: Store, outbox: Outbox, rules: Rules, incident: Incident, now: datetime) -> bool:
    """Tell of an incident again, unless somebody looks after it or nobody is to hear of it."""
    waiting = [
        it
        for it in store.alerts(incident_ids=[incident.incident_id], open_only=True)
        if it.status is AlertStatus.ACTIVE and it.inhibited_by is None and not it.quiet
    ]
    if not waiting:
        store.set_incident_clock(replace(incident, next_reminder_at=None, next_escalation_at=None))
        return False
    if incident.next_reminder_at is not None and incident.next_reminder_at <= now:
        outbox.tell_channels([incident.incident_id], NotificationKind.REMINDER)
        incident = _reminded(incident, rules, now)
    if incident.next_escalation_at is not None and incident.next_escalation_at <= now:
        incident = _escalated(outbox, incident, rules, waiting, now)
    store.set_incident_clock(incident)
    return True


def _reminded(incident: Incident, rules: Rules, now: datetime) -> Incident:
    """Double the pause until the next reminder, up to a limit."""
    telling = rules.telling
    doubled = telling.remind_after_seconds * 2.0 ** min(incident.reminders + 1, 30)
    pause = min(doubled, telling.remind_at_most_seconds)
    return replace(
        incident,
        reminders=incident.reminders + 1,
        next_reminder_at=now + timedelta(seconds=pause),
    )


def _escalated(
    outbox: Outbox, incident: Incident, rules: Rules, alerts: Sequence[Alert], now: datetime
) -> Incident:
    """Take the steps whose time has come, each for the alerts that it matches."""
    elapsed = (now - incident.opened_at).total_seconds()
    done = incident.escalations
    for step in rules.escalations[incident.escalations :]:
        if step.after_seconds > elapsed:
            break
        concerned = [it for it in alerts if matches(step.match, alert_facts(it))]
        if concerned:
            outbox.escalate(incident, concerned, step)
        done += 1
    left = rules.escalations[done:]
    next_at = incident.opened_at + timedelta(seconds=left[0].after_seconds) if left else None
    return replace(incident, escalations=done, next_escalation_at=next_at)
