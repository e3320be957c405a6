"""Alerts with one cause are one incident, also those that came too far apart to be told together.

While something is wrong, alerts are told together when they open within seconds. A report knows
more: workflows that run at other minutes failed for the same reason meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.analysis.condition.states import FAILED_IN_A_ROW
from pytest_workflow_monitor.analysis.summary import PRIORITY_ORDER
from pytest_workflow_monitor.analysis.wording import first_line
from pytest_workflow_monitor.words.alert_causes import HOST, SLOTS, common, in_words
from pytest_workflow_monitor.words.alerts import OF_EXECUTIONS, AlertKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.model import Priority
    from pytest_workflow_monitor.words.alerts import Alert

SEVERE = frozenset({AlertKind.FAILING, AlertKind.MISSED, AlertKind.RUNNER})
"""Kinds of alerts that mean that something does not work or is not watched."""

_WIDE = (f"{HOST}|", f"{SLOTS}|")
_LONGEST = 160


class Incident(NamedTuple):
    """Alerts with one cause, the oldest first."""

    alerts: tuple[Alert, ...]

    @property
    def incident_id(self) -> int:
        """The number of the first of the incidents that were told."""
        return min(it.incident_id for it in self.alerts)

    @property
    def since(self) -> datetime:
        """When the first failing execution began."""
        return min(it.since for it in self.alerts)

    @property
    def opened_at(self) -> datetime:
        """When the first alert opened."""
        return min(it.opened_at for it in self.alerts)

    @property
    def resolved_at(self) -> datetime | None:
        """When the last alert was over; None while one is open."""
        ends = [it.resolved_at for it in self.alerts]
        known = [it for it in ends if it is not None]
        return max(known) if len(known) == len(ends) else None

    @property
    def first(self) -> Alert:
        """The alert that matters most."""
        return min(self.alerts, key=lambda it: (PRIORITY_ORDER[it.priority], it.alert_id))

    @property
    def priority(self) -> Priority:
        """The priority of the workflow that matters most."""
        return self.first.priority

    @property
    def workflow_ids(self) -> tuple[str, ...]:
        """The workflows that it is about, those that matter most first."""
        ranked = sorted(self.alerts, key=lambda it: (PRIORITY_ORDER[it.priority], it.workflow_id))
        return tuple(dict.fromkeys(it.workflow_id for it in ranked))

    @property
    def is_severe(self) -> bool:
        """Whether something did not work, rather than was slow or wavered."""
        kinds = {it.kind for it in self.alerts}
        return bool(kinds & SEVERE) and AlertKind.FLAPPING not in kinds

    @property
    def failures(self) -> int | None:
        """How many executions showed it; None if it is about what did not run."""
        alerts = [it for it in self.alerts if it.kind in OF_EXECUTIONS]
        wavering = [it for it in alerts if it.kind is AlertKind.FLAPPING]
        return sum(it.failures for it in wavering or alerts) if alerts else None

    @property
    def detected_after(self) -> timedelta:
        """How long it took from the first failing execution to the alert."""
        return self.opened_at - self.since

    @property
    def recovered_after(self) -> timedelta | None:
        """How long it took from the first failing execution until it was over."""
        return None if self.resolved_at is None else self.resolved_at - self.since


def incidents(alerts: Iterable[Alert]) -> tuple[Incident, ...]:
    """Group alerts by their cause, the oldest first.

    Alerts belong together that were told together, or that overlap in time in one environment and
    have the same silent host or the same reason for slots that did not run, or of which one was
    held back because of the other. Failures of a workflow while it was flapping belong to that,
    unless they came three times in a row.
    """
    groups: list[list[Alert]] = []
    for alert in sorted(alerts, key=lambda it: (it.since, it.alert_id)):
        near = [group for group in groups if any(_belong(alert, it) for it in group)]
        groups = [group for group in groups if group not in near]
        groups.append([*(it for group in near for it in group), alert])
    found = (Incident(tuple(sorted(it, key=lambda one: one.alert_id))) for it in groups)
    return tuple(sorted(found, key=lambda it: (it.since, it.incident_id)))


def what_of(facts: PeriodFacts, incident: Incident) -> str:
    """Say in one line what is wrong."""
    cause = common(it.causes for it in incident.alerts) if len(incident.workflow_ids) > 1 else ""
    if cause.startswith(_WIDE):
        return in_words(cause)
    if AlertKind.FLAPPING in {it.kind for it in incident.alerts}:
        wavering = next(it for it in incident.alerts if it.kind is AlertKind.FLAPPING)
        return said_alert(facts, wavering)
    return said_alert(facts, incident.first)


def said_alert(facts: PeriodFacts, alert: Alert) -> str:
    """Say what an alert is about: of failures the step and the error, of all others the reason."""
    if alert.kind is not AlertKind.FAILING:
        return f"{alert.kind.value}: {alert.reason}" if alert.reason else alert.kind.value
    message = next((it.message for it in facts.errors if it.fingerprint == alert.fingerprint), "")
    parts = (alert.failing_step, first_line(message, limit=_LONGEST))
    return ": ".join(filter(None, parts)) or alert.reason or alert.kind.value


def _belong(one: Alert, other: Alert) -> bool:
    if one.incident_id == other.incident_id:
        return True
    if one.environment != other.environment or not _overlap(one, other):
        return False
    if other.alert_id == one.inhibited_by or one.alert_id == other.inhibited_by:
        return True
    if one.kind in SEVERE and other.kind in SEVERE:
        return bool(_wide(one) & _wide(other))
    return one.workflow_id == other.workflow_id and (
        _is_wavering(one, other) or _is_wavering(other, one)
    )


def _is_wavering(failing: Alert, flapping: Alert) -> bool:
    """Whether a failure says no more than that its workflow was flapping."""
    return (
        failing.kind is AlertKind.FAILING
        and flapping.kind is AlertKind.FLAPPING
        and failing.failures < FAILED_IN_A_ROW
        and not _wide(failing)
    )


def _wide(alert: Alert) -> set[str]:
    """What may be the cause in other workflows, too."""
    return {it for it in alert.causes if it.startswith(_WIDE)}


def _overlap(one: Alert, other: Alert) -> bool:
    return (one.resolved_at is None or other.since <= one.resolved_at) and (
        other.resolved_at is None or one.since <= other.resolved_at
    )
