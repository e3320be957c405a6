"""Workflows that do not work at the end of the period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.alerts import AlertKind
from pytest_workflow_monitor.analysis.period.facts import NOTHING, Key
from pytest_workflow_monitor.analysis.period.figures import incidents, name_of, priority_of, said_at
from pytest_workflow_monitor.analysis.period.rules.weighing import BROKEN, weight
from pytest_workflow_monitor.analysis.summary import PRIORITY_ORDER
from pytest_workflow_monitor.analysis.wording import first_line, plural
from pytest_workflow_monitor.period_report import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.alerts import Alert
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

LEAST_RUNS = 3
MOST_NAMED = 5


def still_failing(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell of incidents that are not over; workflows that never passed are left to ``broken``."""
    for incident in incidents(facts.alerts):
        alerts = [
            it
            for it in incident.alerts
            if it.kind is AlertKind.FAILING and _is_open(facts, it) and not _never(facts, _key(it))
        ]
        if not alerts:
            continue
        first = min(alerts, key=lambda it: (PRIORITY_ORDER[it.priority], it.since))
        names = sorted({name_of(facts, _key(it)) for it in alerts})
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        failures = sum(it.failures for it in alerts)
        evidence = [f"{plural(failures, 'failed execution')} since {said_at(facts, first.since)}."]
        if first.failing_step:
            evidence.append(f"It fails in the step {first.failing_step}.")
        evidence += _errors(facts, {it.fingerprint for it in alerts if it.fingerprint})
        if not first.acknowledged_by:
            evidence.append("Nobody has acknowledged it.")
        verb = "fails" if len(names) == 1 else "fail"
        yield Finding(
            rule="still_failing",
            title=f"{', '.join(names[:MOST_NAMED])}{more} {verb} since "
            f"{said_at(facts, first.since)}",
            evidence=tuple(evidence),
            action="Look at the last failed execution, then acknowledge the alert.",
            command=f"workflow-monitor show {first.last_run_id}",
            priority=first.priority,
            weight=weight(BROKEN, first.priority, 1.0),
        )


def broken(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell of workflows that failed every time in the period."""
    for key in facts.workflows:
        if not _never(facts, key):
            continue
        sums, priority = facts.workflows[key], priority_of(facts, key)
        last = facts.last.get(key)
        alert = next(
            (
                it
                for it in facts.alerts
                if _key(it) == key and it.kind is AlertKind.FAILING and _is_open(facts, it)
            ),
            None,
        )
        since = f" since {said_at(facts, alert.since)}" if alert else ""
        evidence = [f"All {plural(sums.judged, 'execution')} of the period failed."]
        if alert and alert.failing_step:
            evidence.append(f"It fails in the step {alert.failing_step}.")
        evidence += _errors(facts, {alert.fingerprint} if alert and alert.fingerprint else set())
        run_id = alert.last_run_id if alert else last.run_id if last else ""
        yield Finding(
            rule="broken",
            title=f"{name_of(facts, key)} fails every time{since}",
            evidence=tuple(evidence),
            action="Repair it, or say in its marker that it is not enabled: nobody learns anything "
            "from a check that always fails.",
            command=f"workflow-monitor show {run_id}" if run_id else "",
            priority=priority,
            weight=weight(BROKEN, priority, 0.5),
        )


def _never(facts: PeriodFacts, key: Key) -> bool:
    sums = facts.workflows.get(key, NOTHING)
    return sums.judged >= LEAST_RUNS and not sums.good


def _is_open(facts: PeriodFacts, alert: Alert) -> bool:
    """Whether it was at the end of the period."""
    return alert.resolved_at is None or alert.resolved_at >= facts.period.end


def _key(alert: Alert) -> Key:
    return Key(environment=alert.environment, workflow_id=alert.workflow_id)


def _errors(facts: PeriodFacts, fingerprints: set[str]) -> list[str]:
    found = [it for it in facts.errors if it.fingerprint in fingerprints]
    return [f"The error: {first_line(it.message, limit=200)}" for it in found[:1]]
