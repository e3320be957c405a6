"""Metrics that are beyond their budget again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import Key
from pytest_workflow_monitor.analysis.period.figures import name_of, priority_of
from pytest_workflow_monitor.analysis.period.rules.weighing import BUDGET, weight
from pytest_workflow_monitor.analysis.wording import percent, quantity
from pytest_workflow_monitor.period_report import Finding, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

LEAST_TIMES = 3
"""Once or twice beyond it may be chance."""


def broken_budgets(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell which metrics broke their budget at least three times."""
    for it, sums in facts.series.items():
        if it.kind != "metric" or sums.problems < LEAST_TIMES:
            continue
        key = Key(environment=it.environment, workflow_id=it.workflow_id)
        priority = priority_of(facts, key)
        share = sums.problems / sums.samples if sums.samples else 0.0
        yield Finding(
            rule="broken_budgets",
            title=f"{name_of(facts, key)} {it.name} was beyond its budget {sums.problems:,} of "
            f"{sums.samples:,} times",
            evidence=(
                f"{percent(share)} of its values; the worst was {quantity(sums.highest, it.unit)}.",
                f"Half of all were below {quantity(sums.values.quantile(0.5), it.unit)}.",
            ),
            action="Find out what those executions have in common, or agree on another budget.",
            command=f"workflow-monitor history {it.workflow_id} --environment {it.environment} "
            f"--since {facts.period.start:%Y-%m-%d}",
            tone=Tone.DOUBTFUL,
            priority=priority,
            weight=weight(BUDGET, priority, share),
        )
