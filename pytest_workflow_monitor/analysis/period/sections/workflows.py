"""Each workflow in a row: how available, how long, against before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import NOTHING, Key
from pytest_workflow_monitor.analysis.period.figures import LEAST_SAMPLE, by_importance, priority_of
from pytest_workflow_monitor.words.period_report import Column, Form, Section, Table, Tone

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts, Sums
    from pytest_workflow_monitor.words.period_report import Value

LEAST_CHANGE = 0.1
"""A change of the 95th percentile by less than a tenth is not marked."""


def section(facts: PeriodFacts) -> Section | None:
    """List the workflows, the most important first."""
    keys = by_importance(facts, facts.workflows)
    if not keys:
        return None
    has_week = bool(facts.week_before)
    several = len({it.environment for it in keys}) > 1
    days = _days(facts)
    steps = slowest_steps(facts)
    columns = (
        Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
        *([Column(key="environment", label="Environment")] if several else []),
        Column(key="priority", label="Priority", form=Form.PRIORITY),
        Column(key="availability", label="Availability", form=Form.SHARE),
        Column(key="against_before", label="Before", form=Form.CHANGE_SHARE),
        *(
            [Column(key="against_week", label="Same day last week", form=Form.CHANGE_SHARE)]
            if has_week
            else []
        ),
        Column(key="runs", label="Runs", form=Form.COUNT),
        Column(key="bad", label="Failed", form=Form.COUNT),
        Column(key="p50", label="p50", form=Form.DURATION),
        Column(key="p95", label="p95", form=Form.DURATION),
        Column(key="p99", label="p99", form=Form.DURATION),
        Column(key="p95_change", label="p95 against before", form=Form.CHANGE_DURATION),
        Column(key="worst_step", label="Longest step"),
        Column(key="trend", label="p95 by day", form=Form.TREND),
    )
    rows: list[tuple[Value, ...]] = []
    tones: dict[str, Tone] = {}
    for number, key in enumerate(keys):
        now, before = facts.workflows[key], facts.before.get(key, NOTHING)
        p95, change = now.durations.quantile(0.95), p95_change(now, before)
        if now.bad:
            tones[f"{number}.availability"] = Tone.BAD
        if p95 is not None and change is not None and abs(change) > LEAST_CHANGE * (p95 - change):
            tones[f"{number}.p95_change"] = Tone.DOUBTFUL if change > 0 else Tone.GOOD
        rows.append(
            (
                key.workflow_id,
                *([key.environment] if several else []),
                priority_of(facts, key).value,
                now.availability,
                _difference(now, before),
                *([_difference(now, facts.week_before.get(key, NOTHING))] if has_week else []),
                now.runs,
                now.bad,
                now.durations.quantile(0.5),
                p95,
                now.durations.quantile(0.99),
                change,
                steps.get(key, ""),
                tuple(days.get(key, ())),
            )
        )
    table = Table(name="workflows", columns=columns, rows=tuple(rows), tones=tones)
    return Section(name="workflows", title="Workflows", blocks=(table,))


def p95_change(now: Sums, before: Sums) -> float | None:
    """Return by how much the 95th percentile changed, if both are of enough executions."""
    if min(now.durations.size, before.durations.size) < LEAST_SAMPLE:
        return None
    p95, earlier = now.durations.quantile(0.95), before.durations.quantile(0.95)
    return None if p95 is None or earlier is None else p95 - earlier


def slowest_steps(facts: PeriodFacts) -> dict[Key, str]:
    """Name the step of each workflow that takes longest at its 95th percentile."""
    worst: dict[Key, tuple[float, str]] = {}
    for it, sums in facts.series.items():
        value = sums.values.quantile(0.95)
        if it.kind == "step" and value is not None:
            key = Key(environment=it.environment, workflow_id=it.workflow_id)
            worst[key] = max(worst.get(key, (0.0, "")), (value, it.name))
    return {key: name for key, (_, name) in worst.items()}


def _difference(now: Sums, before: Sums) -> float | None:
    if now.availability is None or before.availability is None:
        return None
    return now.availability - before.availability


def _days(facts: PeriodFacts) -> dict[Key, list[float | None]]:
    """The 95th percentile of each day, oldest first; None on days without."""
    instants: list[datetime] = sorted({it.starts_at for it in facts.days})
    found: dict[Key, dict[datetime, float | None]] = {}
    for day in facts.days:
        found.setdefault(day.key, {})[day.starts_at] = day.sums.durations.quantile(0.95)
    return {key: [values.get(it) for it in instants] for key, values in found.items()}
