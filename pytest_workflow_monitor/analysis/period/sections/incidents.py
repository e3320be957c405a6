"""What went wrong when, as a timeline and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import Key
from pytest_workflow_monitor.analysis.period.figures import name_of
from pytest_workflow_monitor.analysis.period.incidents import incidents, said_alert, what_of
from pytest_workflow_monitor.analysis.wording import plural
from pytest_workflow_monitor.words.period_report import (
    Column,
    Form,
    Mark,
    Note,
    Section,
    Span,
    Table,
    Timeline,
    Tone,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.analysis.period.incidents import Incident

COLUMNS = (
    Column(key="incident", label="Incident", form=Form.COUNT),
    Column(key="workflows", label="Workflows"),
    Column(key="what", label="What"),
    Column(key="priority", label="Priority", form=Form.PRIORITY),
    Column(key="since", label="Since", form=Form.INSTANT),
    Column(key="detected", label="Detected after", form=Form.DURATION),
    Column(key="recovered", label="Over after", form=Form.DURATION),
    Column(key="failures", label="Failures", form=Form.COUNT),
    Column(key="acknowledged", label="Acknowledged by"),
)


def section(facts: PeriodFacts) -> Section:
    """Show the incidents that were open in the period."""
    found = incidents(facts.alerts)
    if not found:
        return Section(
            name="incidents",
            title="Incidents",
            blocks=(Note(text="There were none.", tone=Tone.GOOD),),
        )
    timeline = Timeline(
        title="When workflows had a problem",
        start=facts.period.start,
        end=facts.period.end,
        spans=tuple(
            Span(
                row=name_of(
                    facts, Key(environment=alert.environment, workflow_id=alert.workflow_id)
                ),
                label=said_alert(facts, alert),
                starts_at=max(alert.since, facts.period.start),
                ends_at=alert.resolved_at,
                tone=Tone.BAD if incident.is_severe else Tone.DOUBTFUL,
            )
            for incident in found
            for alert in incident.alerts
        ),
        marks=tuple(
            Mark(at=it.deployed_at, label=it.name)
            for it in facts.deployments
            if it.deployed_at >= facts.period.start
        ),
    )
    still = sum(it.resolved_at is None for it in found)
    return Section(
        name="incidents",
        title="Incidents",
        blocks=(timeline, _table(facts, found)),
        brief=plural(len(found), "incident") + (f", {still} still open" if still else ""),
    )


def _table(facts: PeriodFacts, found: tuple[Incident, ...]) -> Table:
    return Table(
        name="incidents",
        columns=COLUMNS,
        rows=tuple(
            (
                it.incident_id,
                ", ".join(it.workflow_ids),
                what_of(facts, it),
                it.priority.value,
                it.since,
                it.detected_after.total_seconds() * 1000,
                None if it.recovered_after is None else it.recovered_after.total_seconds() * 1000,
                it.failures,
                it.first.acknowledged_by,
            )
            for it in found
        ),
    )
