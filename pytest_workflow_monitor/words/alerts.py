"""The words of alerting as records: alerts, incidents, silences, notifications, and their rules.

Frozen records, as in :mod:`~pytest_workflow_monitor.model`: instants are aware datetimes in UTC,
durations end in ``_seconds``.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pytest_workflow_monitor.model import Priority, Record, Status

SYSTEM = "monitor"
"""The actor of what no person did."""


class AlertKind(StrEnum):
    """What kind of problem an alert is about; a workflow has at most one open alert of each.

    ``missed`` alerts are about slots that did not run, ``runner`` ones about a part of the
    monitoring, whose name stands in place of the workflow's id, ``burning`` ones about an error
    budget that is spent too quickly. No single execution shows any of them.
    """

    FAILING = "failing"
    DEGRADED = "degraded"
    FLAPPING = "flapping"
    MASKED = "masked"
    MISSED = "missed"
    RUNNER = "runner"
    BURNING = "burning"


OF_EXECUTIONS = frozenset(
    {AlertKind.FAILING, AlertKind.DEGRADED, AlertKind.FLAPPING, AlertKind.MASKED}
)
"""The kinds that follow from a workflow's executions."""


class AlertStatus(StrEnum):
    """Where an alert is in its life."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class AlertEventKind(StrEnum):
    """What happened to an alert."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    COMMENTED = "commented"
    INHIBITED = "inhibited"
    RELEASED = "released"
    NOTIFIED = "notified"
    NOT_NOTIFIED = "not_notified"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


class Alert(Record, frozen=True, kw_only=True):
    """One continuing problem of one workflow in one environment.

    ``since`` is when the first of the failing executions began, ``opened_at`` when they became
    an alert. ``failures`` counts the executions that showed the problem since then. ``quiet``
    says why nobody was told that it opened; empty once that has been queued for at least one
    channel. ``inhibited_by`` is the alert that explains this one, such as a health check's.
    """

    alert_id: int
    project: str
    workflow_id: str
    environment: str
    kind: AlertKind
    status: AlertStatus
    priority: Priority
    since: datetime
    opened_at: datetime
    incident_id: int
    workflow_name: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    reason: str = ""
    failures: int = 1
    first_run_id: str = ""
    last_run_id: str = ""
    fingerprint: str = ""
    failing_step: str = ""
    last_status: Status | None = None
    location: str = ""
    causes: tuple[str, ...] = ()
    quiet: str = ""
    inhibited_by: int | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    resolved_at: datetime | None = None
    resolved_by: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the problem continues."""
        return self.status is not AlertStatus.RESOLVED


class AlertEvent(Record, frozen=True, kw_only=True):
    """One change of an alert: who or what did it, when, and why."""

    event_id: int
    alert_id: int
    at: datetime
    kind: AlertEventKind
    actor: str = SYSTEM
    reason: str = ""
    run_id: str = ""


class Incident(Record, frozen=True, kw_only=True):
    """Alerts with one cause, told together; most hold a single alert.

    ``causes`` are what its alerts may have in common, such as a failing step with its error, or a
    host that did not answer. ``told_at`` is when its opening was first sent.
    """

    incident_id: int
    project: str
    environment: str
    opened_at: datetime
    causes: tuple[str, ...] = ()
    told_at: datetime | None = None
    closed_at: datetime | None = None
    reminders: int = 0
    next_reminder_at: datetime | None = None
    escalations: int = 0
    next_escalation_at: datetime | None = None


class Result(Record, frozen=True, kw_only=True):
    """One execution as alerting sees it.

    ``fingerprint`` is that of the deciding attempt's first error, or, when the execution passed
    after a failed attempt, of that attempt's.
    """

    run_id: str
    status: Status
    started_at: datetime
    completed_at: datetime
    is_flaky: bool = False
    fingerprint: str = ""


class Silence(Record, frozen=True, kw_only=True):
    """Keeps messages about some alerts back for a while; what happens is still recorded.

    ``match`` holds patterns by field, as a route's does: all fields have to match.
    """

    silence_id: int
    match: dict[str, tuple[str, ...]]
    starts_at: datetime
    ends_at: datetime
    author: str
    reason: str
    created_at: datetime
    ended_by: str = ""


class NotificationKind(StrEnum):
    """What a message says."""

    OPENED = "opened"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    PASSED = "passed"
    DIGEST = "digest"
    SUMMARY = "summary"


class DeliveryStatus(StrEnum):
    """What became of a message.

    ``HELD`` messages wait for the next digest of their channel; ``SUPPRESSED`` ones are never
    sent, for the reason that is noted.
    """

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    HELD = "HELD"
    SUPPRESSED = "SUPPRESSED"


class Notification(Record, frozen=True, kw_only=True):
    """One message to one channel: the outbox, and the log of what was sent, in one.

    ``notification_id`` is also the idempotency key for channels that know such. ``actor`` did what
    the message tells, ``note`` says why it comes now. ``retry_count`` counts the tries that failed.
    ``reason`` says why it was held back or given up. ``reference`` is what the channel needs to
    find its message again, such as Slack's ``ts``. ``digest_id`` is the message that tells this
    one's news, ``report_id`` the kept report that a summary is about.
    """

    notification_id: str
    project: str
    environment: str
    channel: str
    kind: NotificationKind
    status: DeliveryStatus
    created_at: datetime
    not_before: datetime
    incident_id: int | None = None
    priority: Priority = Priority.MEDIUM
    mention: bool = False
    run_id: str = ""
    actor: str = ""
    note: str = ""
    retry_count: int = 0
    claimed_until: datetime | None = None
    sent_at: datetime | None = None
    last_error: str = ""
    reason: str = ""
    reference: dict[str, str] = {}
    digest_id: str = ""
    report_id: int | None = None
