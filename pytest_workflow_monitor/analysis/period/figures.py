"""Numbers that several sections and the verdict need."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.alerts import AlertKind
from pytest_workflow_monitor.analysis.period.facts import NOTHING, Sums
from pytest_workflow_monitor.analysis.summary import PRIORITY_ORDER
from pytest_workflow_monitor.analysis.wording import MONTHS
from pytest_workflow_monitor.model import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pytest_workflow_monitor.alerts import Alert
    from pytest_workflow_monitor.analysis.period.facts import Key, PeriodFacts

SEVERE = frozenset({AlertKind.FAILING, AlertKind.MISSED, AlertKind.RUNNER})
"""Kinds of alerts that mean that something does not work or is not watched."""


LEAST_SAMPLE = 5
"""Changes of percentiles of fewer executions would be chance."""


class Incident(NamedTuple):
    """Alerts with one cause; ``since`` is when the first failing execution began."""

    incident_id: int
    alerts: tuple[Alert, ...]
    since: datetime
    opened_at: datetime
    resolved_at: datetime | None

    @property
    def first(self) -> Alert:
        """The alert that matters most."""
        return min(self.alerts, key=lambda it: (PRIORITY_ORDER[it.priority], it.alert_id))

    @property
    def priority(self) -> Priority:
        """The priority of the workflow that matters most."""
        return self.first.priority

    @property
    def is_severe(self) -> bool:
        """Whether something did not work, rather than was slow or flaky."""
        return any(it.kind in SEVERE for it in self.alerts)

    @property
    def detected_after(self) -> timedelta:
        """How long it took from the first failing execution to the alert."""
        return max(self.opened_at - self.since, timedelta(0))

    @property
    def recovered_after(self) -> timedelta | None:
        """How long it took from the first failing execution until it was over."""
        return None if self.resolved_at is None else self.resolved_at - self.since


def total(sums: dict[Key, Sums]) -> Sums:
    """Add up all workflows."""
    return sum(sums.values(), NOTHING)


def incidents(alerts: Iterable[Alert]) -> tuple[Incident, ...]:
    """Group alerts by incident, the oldest first."""
    groups: dict[int, list[Alert]] = {}
    for alert in alerts:
        groups.setdefault(alert.incident_id, []).append(alert)
    found = [
        Incident(
            incident_id=incident_id,
            alerts=tuple(group),
            since=min(it.since for it in group),
            opened_at=min(it.opened_at for it in group),
            resolved_at=_end(group),
        )
        for incident_id, group in groups.items()
    ]
    return tuple(sorted(found, key=lambda it: (it.since, it.incident_id)))


def mean(lengths: Iterable[timedelta]) -> timedelta | None:
    """Return the mean of some durations, None if there are none."""
    found = list(lengths)
    return sum(found, timedelta(0)) / len(found) if found else None


def name_of(facts: PeriodFacts, key: Key) -> str:
    """Name a workflow, with its environment where the report is about several."""
    return (
        f"{key.workflow_id} ({key.environment})"
        if key.environment != facts.environment
        else key.workflow_id
    )


def priority_of(facts: PeriodFacts, key: Key) -> Priority:
    """Return a workflow's priority; medium if it is not known."""
    known = facts.known.get(key.workflow_id)
    return known.priority if known else Priority.MEDIUM


def by_importance(facts: PeriodFacts, keys: Iterable[Key]) -> list[Key]:
    """Sort workflows by priority, then name."""
    return sorted(keys, key=lambda it: (PRIORITY_ORDER[priority_of(facts, it)], it))


def _end(alerts: Iterable[Alert]) -> datetime | None:
    ends = [it.resolved_at for it in alerts]
    known = [it for it in ends if it is not None]
    return max(known) if len(known) == len(ends) else None


def said_at(facts: PeriodFacts, moment: datetime) -> str:
    """Say an instant in the report's zone: ``12 Nov 14:20``."""
    local = moment.astimezone(facts.period.zone)
    return f"{local.day} {MONTHS[local.month - 1]} {local:%H:%M}"


def said_day(facts: PeriodFacts, moment: datetime) -> str:
    """Say the day of an instant in the report's zone: ``12 Nov``."""
    local = moment.astimezone(facts.period.zone)
    return f"{local.day} {MONTHS[local.month - 1]}"
