"""Statements about alerts, incidents, silences and what is put into the outbox."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_workflow_monitor.model import Priority, Record, Status
from pytest_workflow_monitor.store.database import Database
from pytest_workflow_monitor.words.alerts import (
    SYSTEM,
    Alert,
    AlertEvent,
    AlertEventKind,
    AlertKind,
    Incident,
    NotificationKind,
    Result,
    Silence,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_json = msgspec.json.Encoder().encode


class NewAlert(Record, frozen=True, kw_only=True, omit_defaults=False):
    """An alert to be opened; the fields are those of an :class:`Alert`."""

    incident_id: int
    project: str
    workflow_id: str
    environment: str
    kind: AlertKind
    workflow_name: str
    priority: Priority
    owner: str
    tags: tuple[str, ...]
    location: str
    since: datetime
    opened_at: datetime
    reason: str
    failures: int
    first_run_id: str | None
    last_run_id: str | None
    last_status: Status | None
    fingerprint: str
    failing_step: str
    causes: tuple[str, ...]
    quiet: str
    inhibited_by: int | None


class Shown(Record, frozen=True, kw_only=True, omit_defaults=False):
    """The latest execution that shows the problem of an open alert."""

    alert_id: int
    last_run_id: str
    last_status: Status
    failing_step: str
    causes: tuple[str, ...]


class NewEvent(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A line of the audit trail to be written."""

    alert_id: int
    at: datetime
    event_type: AlertEventKind
    actor: str = SYSTEM
    reason: str = ""
    run_id: str | None = None


class NewNotification(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A message to be put into the outbox."""

    notification_id: str
    project: str
    environment: str
    channel: str
    notification_type: NotificationKind
    delivery_status: str
    incident_id: int | None
    priority: Priority
    mention: bool
    run_id: str | None
    actor: str
    note: str
    created_at: datetime
    not_before: datetime
    report_id: int | None = None


class IncidentChannel(Record, frozen=True, kw_only=True):
    """A channel that was, or is to be, told of an incident; its opening may still wait."""

    incident_id: int
    channel: str
    mention: bool
    opening_waits: bool


class Alerts(Database):
    """Statements about alerts."""

    def recent_results(
        self, project: str, environment: str, workflow_ids: Sequence[str], limit: int
    ) -> dict[str, list[Result]]:
        """Return the latest executions of workflows that ended, oldest first, by workflow."""
        found: dict[str, list[Result]] = defaultdict(list)
        for row in self.fetch(
            "recent_results",
            project=project,
            environment=environment,
            workflow_ids=list(workflow_ids),
            limit=limit,
        ):
            found[row.pop("workflow_id")].append(msgspec.convert(row, Result))
        return {workflow_id: results[::-1] for workflow_id, results in found.items()}

    def open_alerts(self, project: str, environment: str) -> tuple[Alert, ...]:
        """List the open alerts of an environment, oldest first."""
        rows = self.fetch("open_alerts", project=project, environment=environment)
        return msgspec.convert(rows, tuple[Alert, ...])

    def alerts(
        self,
        *,
        project: str | None = None,
        environment: str | None = None,
        alert_ids: Iterable[int] | None = None,
        incident_ids: Iterable[int] | None = None,
        inhibited_by: Iterable[int] | None = None,
        priorities: Sequence[Priority] | None = None,
        workflows: Sequence[str] | None = None,
        open_only: bool = False,
        limit: int | None = None,
    ) -> tuple[Alert, ...]:
        """List alerts, newest first; ``workflows`` are patterns of SQL's LIKE."""
        rows = self.fetch(
            "alerts",
            project=project,
            environment=environment,
            priorities=None if priorities is None else [it.value for it in priorities],
            workflows=None if workflows is None else list(workflows),
            alert_ids=_list(alert_ids),
            incident_ids=_list(incident_ids),
            inhibited_by=_list(inhibited_by),
            open_only=open_only,
            limit=limit,
        )
        return msgspec.convert(rows, tuple[Alert, ...])

    def dismissals(
        self, project: str, environment: str, workflow_ids: Sequence[str]
    ) -> dict[str, dict[AlertKind, datetime]]:
        """Tell when a person last resolved an alert, by workflow and kind."""
        found: dict[str, dict[AlertKind, datetime]] = defaultdict(dict)
        for row in self.fetch(
            "dismissals",
            project=project,
            environment=environment,
            workflow_ids=list(workflow_ids),
            system=SYSTEM,
        ):
            found[row["workflow_id"]][AlertKind(row["kind"])] = row["resolved_at"]
        return found

    def add_alerts(self, opened: Sequence[NewAlert]) -> dict[tuple[str, AlertKind], int]:
        """Open alerts and return their ids; one that is open already stays the only one."""
        rows = self.write("add_alerts", rows=_json(opened).decode()) if opened else []
        return {(row["workflow_id"], AlertKind(row["kind"])): row["alert_id"] for row in rows}

    def set_alert_reason(self, alert_id: int, reason: str) -> None:
        """Note what an alert is about by now."""
        self.write("set_alert_reason", alert_id=alert_id, reason=reason)

    def continue_alerts(self, shown: Sequence[Shown]) -> None:
        """Note the latest executions that show the problems of open alerts."""
        if shown:
            self.write("continue_alerts", rows=_json(shown).decode())

    def resolve_alerts(
        self, alert_ids: Iterable[int], at: datetime, actor: str = SYSTEM
    ) -> frozenset[int]:
        """Resolve alerts, and return those that nobody had resolved before."""
        return self._changed("resolve_alerts", alert_ids, at=at, actor=actor)

    def acknowledge_alerts(
        self, alert_ids: Iterable[int], at: datetime, actor: str
    ) -> frozenset[int]:
        """Acknowledge alerts, and return those that were active."""
        return self._changed("acknowledge_alerts", alert_ids, at=at, actor=actor)

    def inhibit_alerts(self, alert_ids: Iterable[int], by: int) -> frozenset[int]:
        """Let an alert explain others that nobody was told of, and return those."""
        return self._changed("inhibit_alerts", alert_ids, by=by)

    def release_alerts(self, alert_ids: Iterable[int]) -> frozenset[int]:
        """Return the open alerts that some alerts explained, which they do no more."""
        return self._changed("release_alerts", alert_ids)

    def set_quiet(self, reasons: Mapping[int, str]) -> None:
        """Note why nobody was told of alerts; an empty reason says that somebody was."""
        if reasons:
            rows = [{"alert_id": key, "quiet": reason} for key, reason in reasons.items()]
            self.run("set_quiet", rows=_json(rows).decode())

    def add_alert_events(self, events: Sequence[NewEvent]) -> None:
        """Add lines to the audit trail."""
        if events:
            self.write("add_alert_events", rows=_json(events).decode())

    def alert_events(self, alert_ids: Iterable[int]) -> tuple[AlertEvent, ...]:
        """List what happened to alerts, in order."""
        rows = self.fetch("alert_events", alert_ids=list(alert_ids))
        return msgspec.convert(rows, tuple[AlertEvent, ...])

    def add_incident(
        self, project: str, environment: str, causes: Sequence[str], opened_at: datetime
    ) -> Incident:
        """Begin an incident."""
        row = self.fetch(
            "add_incident",
            project=project,
            environment=environment,
            causes=_json(causes).decode(),
            opened_at=opened_at,
        )[0]
        return Incident(
            incident_id=row["incident_id"],
            project=project,
            environment=environment,
            causes=tuple(causes),
            opened_at=opened_at,
        )

    def set_incident_causes(self, incident: Incident) -> None:
        """Note what the alerts of an incident may have in common."""
        causes = _json(incident.causes).decode()
        self.run("set_incident_causes", incident_id=incident.incident_id, causes=causes)

    def incidents(self, incident_ids: Iterable[int]) -> tuple[Incident, ...]:
        """Read some incidents, oldest first."""
        return self._incidents("incidents", incident_ids=list(incident_ids))

    def recent_incidents(
        self, project: str, environment: str, since: datetime
    ) -> tuple[Incident, ...]:
        """List the open incidents of an environment that began after a moment, oldest first."""
        return self._incidents(
            "recent_incidents", project=project, environment=environment, since=since
        )

    def incidents_to_remind(self, project: str, now: datetime) -> tuple[Incident, ...]:
        """List the open incidents that it is time to tell again, or to more people."""
        return self._incidents("incidents_to_remind", project=project, now=now)

    def set_incident_clock(self, incident: Incident) -> None:
        """Note how often an incident has been told again, and when it will be the next time."""
        self.run(
            "set_incident_clock",
            incident_id=incident.incident_id,
            reminders=incident.reminders,
            next_reminder_at=incident.next_reminder_at,
            escalations=incident.escalations,
            next_escalation_at=incident.next_escalation_at,
        )

    def close_incidents(self, incident_ids: Iterable[int], at: datetime) -> tuple[int, ...]:
        """Close incidents none of whose alerts is open, and return those that were open."""
        rows = self.fetch("close_incidents", incident_ids=list(incident_ids), at=at)
        return tuple(row["incident_id"] for row in rows)

    def mark_told(self, incident_ids: Iterable[int], at: datetime) -> None:
        """Note when somebody was first told of incidents."""
        self.run("mark_told", incident_ids=list(incident_ids), at=at)

    def incident_channels(self, incident_ids: Iterable[int]) -> tuple[IncidentChannel, ...]:
        """Tell which channels were, or are to be, told of incidents."""
        rows = self.fetch("incident_channels", incident_ids=list(incident_ids))
        return msgspec.convert(rows, tuple[IncidentChannel, ...])

    def add_notifications(self, messages: Sequence[NewNotification]) -> None:
        """Put messages into the outbox."""
        if messages:
            self.write("add_notifications", rows=_json(messages).decode())

    def add_silence(
        self,
        project: str,
        match: Mapping[str, Sequence[str]],
        *,
        starts_at: datetime,
        ends_at: datetime,
        author: str,
        reason: str,
    ) -> int:
        """Add a silence and return its number."""
        row = self.write(
            "add_silence",
            project=project,
            match=_json(match).decode(),
            starts_at=starts_at,
            ends_at=ends_at,
            author=author,
            reason=reason,
        )[0]
        return int(row["silence_id"])

    def silences(self, project: str, at: datetime | None = None) -> tuple[Silence, ...]:
        """List silences, newest first; with a time, only those that have not ended by then."""
        rows = self.fetch("silences", project=project, at=at)
        return msgspec.convert(rows, tuple[Silence, ...])

    def end_silence(self, project: str, silence_id: int, at: datetime, actor: str) -> bool:
        """End a silence early, and tell whether it had not ended before."""
        return bool(
            self.run("end_silence", project=project, silence_id=silence_id, at=at, actor=actor)
        )

    def _incidents(self, statement: str, **parameters: Any) -> tuple[Incident, ...]:
        return msgspec.convert(self.fetch(statement, **parameters), tuple[Incident, ...])

    def _changed(
        self, statement: str, alert_ids: Iterable[int], **parameters: Any
    ) -> frozenset[int]:
        wanted = list(alert_ids)
        rows = self.fetch(statement, alert_ids=wanted, **parameters) if wanted else []
        return frozenset(row["alert_id"] for row in rows)


def _list(values: Iterable[int] | None) -> list[int] | None:
    return None if values is None else list(values)
