"""Messages about incidents on their way into the outbox; sending them is another matter."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.alerting.matching import alert_facts, workflow_facts
from pytest_workflow_monitor.alerting.routing import Destination, destinations
from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.summary import PRIORITY_ORDER
from pytest_workflow_monitor.recording.identity import new_id
from pytest_workflow_monitor.store.alerts import NewEvent, NewNotification
from pytest_workflow_monitor.words.alerts import (
    SYSTEM,
    Alert,
    AlertEventKind,
    DeliveryStatus,
    Incident,
    NotificationKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.alerting.rules import Rules
    from pytest_workflow_monitor.model import Execution
    from pytest_workflow_monitor.settings.alert_rules import Escalation
    from pytest_workflow_monitor.store import Store

NO_CHANNEL = "no channel is configured"
NO_ROUTE = "no route leads from it to a channel"
LOUD = frozenset({NotificationKind.REMINDER, NotificationKind.ESCALATION})
"""Kinds that call people by name, as the opening did."""


class Outbox:
    """Puts messages about incidents into the outbox, and notes it in the audit trail.

    Attributes:
        events: Lines of the audit trail that are still to be written.
    """

    def __init__(self, store: Store, rules: Rules, now: datetime) -> None:
        self._store = store
        self._rules = rules
        self._now = now
        self.events: list[NewEvent] = []

    def tell_opened(self, alerts: Sequence[Alert]) -> None:
        """Tell of alerts that nobody has been told of, at the end of the group wait."""
        if not alerts:
            return
        by_incident: dict[int, list[Alert]] = defaultdict(list)
        for alert in alerts:
            by_incident[alert.incident_id].append(alert)
        waiting = {
            (it.incident_id, it.channel)
            for it in self._store.incident_channels(by_incident)
            if it.opening_waits
        }
        messages: list[NewNotification] = []
        for incident in self._store.incidents(by_incident):
            told = by_incident[incident.incident_id]
            chosen = destinations(
                map(alert_facts, told), self._rules.routes, self._rules.channels, self._now
            )
            reason = "" if chosen else NO_ROUTE if self._rules.channels else NO_CHANNEL
            if reason:
                self.tell_nobody(told, reason)
                continue
            self._store.set_quiet({it.alert_id: "" for it in told if it.quiet})
            self._set_clock(incident)
            messages += [
                self._opening(incident, told, it)
                for it in chosen
                if (incident.incident_id, it.channel) not in waiting
            ]
        self._store.add_notifications(messages)

    def not_told(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Leave out the alerts that some channel has told of."""
        found = {it.alert_id: it for it in alerts}
        for event in self._store.alert_events(found) if found else ():
            if event.kind is AlertEventKind.NOTIFIED:
                found.pop(event.alert_id, None)
        return list(found.values())

    def tell_nobody(self, alerts: Sequence[Alert], reason: str) -> None:
        """Note why nobody is told of alerts, if there is a reason and it is not noted yet."""
        changed = [it for it in alerts if reason and it.quiet != reason]
        self._store.set_quiet({it.alert_id: reason for it in changed})
        self._note(changed, AlertEventKind.NOT_NOTIFIED, reason)

    def tell_resolved(self, incident_ids: Iterable[int], actor: str) -> None:
        """Close incidents whose alerts are all over, and tell those who knew of them."""
        wanted = list(incident_ids)
        closed = self._store.close_incidents(wanted, self._now) if wanted else ()
        self.tell_channels(closed, NotificationKind.RESOLVED, actor=actor)

    def tell_channels(
        self,
        incident_ids: Sequence[int],
        kind: NotificationKind,
        *,
        actor: str = SYSTEM,
        note: str = "",
    ) -> None:
        """Tell every channel that was, or is to be, told of some incidents.

        A reminder of what a channel hears of in its digests goes there too.
        """
        if not incident_ids:
            return
        alerts: dict[int, list[Alert]] = defaultdict(list)
        for alert in self._store.alerts(incident_ids=incident_ids):
            alerts[alert.incident_id].append(alert)
        self._store.add_notifications(
            [
                self._message(
                    kind,
                    alerts[it.incident_id],
                    Destination(
                        channel=it.channel,
                        mention=it.mention and kind in LOUD,
                        digest=kind is NotificationKind.REMINDER
                        and self._is_digested(alerts[it.incident_id], it.channel),
                    ),
                    incident_id=it.incident_id,
                    actor=actor,
                    note=note,
                )
                for it in self._store.incident_channels(incident_ids)
            ]
        )

    def _is_digested(self, alerts: Sequence[Alert], channel: str) -> bool:
        """Tell whether the routes lead news of some alerts into the digest of a channel."""
        facts = map(alert_facts, alerts)
        chosen = destinations(facts, self._rules.routes, [channel], self._now)
        return any(it.digest for it in chosen)

    def tell_passes(self, executions: Sequence[Execution]) -> None:
        """Tell of passes, one message each."""
        self._store.add_notifications(
            [self._pass(execution, to) for execution in executions for to in self._of(execution)]
        )

    def escalate(self, incident: Incident, alerts: Sequence[Alert], step: Escalation) -> None:
        """Tell of an incident that nobody has acknowledged to more channels."""
        after = wording.duration(step.after_seconds * 1000)
        self._store.add_notifications(
            [
                self._message(
                    NotificationKind.ESCALATION,
                    alerts,
                    Destination(channel=channel),
                    incident_id=incident.incident_id,
                    note=f"not acknowledged for {after}",
                )
                for channel in step.channels
                if channel in self._rules.channels
            ]
        )

    def _opening(
        self, incident: Incident, alerts: Sequence[Alert], to: Destination
    ) -> NewNotification:
        wait = timedelta(seconds=self._rules.telling.group_wait_seconds)
        message = self._message(
            NotificationKind.OPENED, alerts, to, incident_id=incident.incident_id
        )
        return replace(message, not_before=max(self._now, incident.opened_at + wait))

    def _of(self, execution: Execution) -> tuple[Destination, ...]:
        """Choose where the news of an execution goes that is about no alert."""
        facts = workflow_facts(
            execution.workflow, project=execution.project, environment=execution.environment
        )
        facts["status"] = (execution.status.value,)
        return destinations([facts], self._rules.routes, self._rules.channels, self._now)

    def _pass(self, execution: Execution, to: Destination) -> NewNotification:
        return NewNotification(
            notification_id=new_id(),
            project=execution.project,
            environment=execution.environment,
            channel=to.channel,
            notification_type=NotificationKind.PASSED,
            delivery_status=DeliveryStatus.HELD if to.digest else DeliveryStatus.PENDING,
            incident_id=None,
            priority=execution.workflow.priority,
            mention=False,
            run_id=execution.run_id,
            actor="",
            note="",
            created_at=self._now,
            not_before=self._now,
        )

    def _message(
        self,
        kind: NotificationKind,
        alerts: Sequence[Alert],
        to: Destination,
        *,
        incident_id: int,
        actor: str = "",
        note: str = "",
    ) -> NewNotification:
        first = min(alerts, key=lambda it: PRIORITY_ORDER[it.priority])
        return NewNotification(
            notification_id=new_id(),
            project=first.project,
            environment=first.environment,
            channel=to.channel,
            notification_type=kind,
            delivery_status=DeliveryStatus.HELD if to.digest else DeliveryStatus.PENDING,
            incident_id=incident_id,
            priority=first.priority,
            mention=to.mention,
            run_id=first.last_run_id or None,
            actor=actor,
            note=note,
            created_at=self._now,
            not_before=self._now,
        )

    def _set_clock(self, incident: Incident) -> None:
        telling = self._rules.telling
        if incident.next_reminder_at is not None or incident.next_escalation_at is not None:
            return
        wait = telling.group_wait_seconds
        remind = telling.remind_after_seconds
        escalations = self._rules.escalations
        self._store.set_incident_clock(
            replace(
                incident,
                next_reminder_at=self._in(wait + remind) if remind else None,
                next_escalation_at=self._in(escalations[0].after_seconds) if escalations else None,
            )
        )

    def _in(self, seconds: float) -> datetime:
        return self._now + timedelta(seconds=seconds)

    def _note(self, alerts: Iterable[Alert], kind: AlertEventKind, reason: str) -> None:
        self.events += [
            NewEvent(alert_id=it.alert_id, at=self._now, event_type=kind, reason=reason)
            for it in alerts
        ]
