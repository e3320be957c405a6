"""Workflows that do not work at the end of the period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.condition.states import FAILED_IN_A_ROW, State
from pytest_workflow_monitor.analysis.period.facts import NOTHING, Key
from pytest_workflow_monitor.analysis.period.figures import listed, name_of, priority_of, said_at
from pytest_workflow_monitor.analysis.period.incidents import incidents, said_alert, what_of
from pytest_workflow_monitor.analysis.period.rules import commands
from pytest_workflow_monitor.analysis.period.rules.weighing import BROKEN, weight
from pytest_workflow_monitor.analysis.summary import PRIORITY_ORDER
from pytest_workflow_monitor.analysis.wording import plural
from pytest_workflow_monitor.words.alerts import AlertKind
from pytest_workflow_monitor.words.period_report import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.analysis.period.incidents import Incident
    from pytest_workflow_monitor.words.alerts import Alert

LEAST_RUNS = 3
MOST_NAMED = 5


def still_failing(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell of incidents that are not over.

    Workflows that never passed are left to ``broken``; what failed once or twice and is known to
    be flaky is left to ``flaky_workflows``.
    """
    for incident in incidents(facts.alerts):
        alerts = [it for it in incident.alerts if _is_news(facts, it)]
        if not alerts:
            continue
        first = min(alerts, key=lambda it: (PRIORITY_ORDER[it.priority], it.since))
        names = sorted({name_of(facts, _key(it)) for it in alerts})
        verb = "fails" if len(names) == 1 else "fail"
        yield Finding(
            rule="still_failing",
            title=f"{listed(names, MOST_NAMED)} {verb} since {said_at(facts, incident.since)}",
            evidence=tuple(_evidence(facts, incident, alerts)),
            action="Look at the last failed execution, then acknowledge the alert.",
            command=commands.show(first.last_run_id),
            priority=first.priority,
            weight=weight(BROKEN, first.priority, 1.0),
        )


def _evidence(facts: PeriodFacts, incident: Incident, alerts: list[Alert]) -> Iterator[str]:
    what = what_of(facts, incident)
    yield f"{what.removesuffix('.')}."
    failures = sum(it.failures for it in alerts)
    yield f"{plural(failures, 'failed execution')} since {said_at(facts, incident.since)}."
    if not any(it.acknowledged_by for it in alerts):
        yield "Nobody has acknowledged it."


def _is_news(facts: PeriodFacts, alert: Alert) -> bool:
    if alert.kind is not AlertKind.FAILING or alert.resolved_at is not None:
        return False
    key = _key(alert)
    found = facts.assessments.get(key)
    is_flaky = found is not None and State.FLAKY in (found.state, *found.also)
    return not _never(facts, key) and not (is_flaky and alert.failures < FAILED_IN_A_ROW)


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
                if _key(it) == key and it.kind is AlertKind.FAILING and it.resolved_at is None
            ),
            None,
        )
        since = f" since {said_at(facts, alert.since)}" if alert else ""
        evidence = [f"All {plural(sums.judged, 'execution')} of the period failed."]
        if alert:
            evidence.append(f"{said_alert(facts, alert).removesuffix('.')}.")
        run_id = alert.last_run_id if alert else last.run_id if last else ""
        yield Finding(
            rule="broken",
            title=f"{name_of(facts, key)} fails every time{since}",
            evidence=tuple(evidence),
            action="Repair it, or say in its marker that it is not enabled: nobody learns anything "
            "from a check that always fails.",
            command=commands.show(run_id),
            priority=priority,
            weight=weight(BROKEN, priority, 0.5),
        )


def _never(facts: PeriodFacts, key: Key) -> bool:
    sums = facts.workflows.get(key, NOTHING)
    return sums.judged >= LEAST_RUNS and not sums.good


def _key(alert: Alert) -> Key:
    return Key(environment=alert.environment, workflow_id=alert.workflow_id)
