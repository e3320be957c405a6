"""Metrics that are beyond their budget again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import Key
from pytest_workflow_monitor.analysis.period.figures import name_of, priority_of
from pytest_workflow_monitor.analysis.period.rules import commands
from pytest_workflow_monitor.analysis.period.rules.weighing import BUDGET, weight
from pytest_workflow_monitor.analysis.wording import percent, quantity
from pytest_workflow_monitor.words.period_report import Finding, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

LEAST_TIMES = 3
LEAST_SHARE = 0.001
"""Once or twice beyond it may be chance, as may be once in a thousand times."""


def broken_budgets(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell which metrics broke their budget again and again."""
    for it, sums in facts.series.items():
        share = sums.problems / sums.samples if sums.samples else 0.0
        if it.kind != "metric" or sums.problems < LEAST_TIMES or share < LEAST_SHARE:
            continue
        key = Key(environment=it.environment, workflow_id=it.workflow_id)
        priority = priority_of(facts, key)
        yield Finding(
            rule="broken_budgets",
            title=f"{name_of(facts, key)} {it.name} was beyond its budget {sums.problems:,} of "
            f"{sums.samples:,} times",
            evidence=(
                f"{percent(share)} of its values; the worst was {quantity(sums.highest, it.unit)}.",
                f"Half of all were below {quantity(sums.values.quantile(0.5), it.unit)}.",
            ),
            action="Find out what those executions have in common, or agree on another budget.",
            command=commands.history(key, facts.period.start),
            tone=Tone.DOUBTFUL,
            priority=priority,
            weight=weight(BUDGET, priority, share),
        )
