"""Error budgets that are spent, or soon will be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import Key
from pytest_workflow_monitor.analysis.period.figures import name_of
from pytest_workflow_monitor.analysis.period.levels import said_bad, said_objective
from pytest_workflow_monitor.analysis.period.rules import commands
from pytest_workflow_monitor.analysis.period.rules.weighing import BROKEN, SLOWER, weight
from pytest_workflow_monitor.analysis.wording import duration, percent
from pytest_workflow_monitor.words.period_report import Finding, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.settings.slo_rules import ServiceLevel

REPAIR = "Repair what fails before changing anything else."
CARE = "Make what failed dependable before the next risky change."

NEARLY = 0.8
"""From this share of a budget on it is worth knowing that it is nearly spent."""


def error_budgets(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell which budgets burn, are spent, or nearly are."""
    for it in facts.service_levels:
        burning, spent = it.burning, it.spent or 0.0
        if not it.is_full or not (burning or spent >= NEARLY):
            continue
        key = Key(environment=it.environment, workflow_id=it.workflow_id)
        name = name_of(facts, key)
        if burning:
            what = f"burns its error budget {burning.long_rate:.1f} times too quickly"
        elif it.is_broken:
            what = "has spent more than its error budget"
        else:
            what = f"has spent {percent(spent)} of its error budget"
        bad = burning is not None or it.is_broken
        yield Finding(
            rule="error_budgets",
            title=f"{name} {what}",
            evidence=tuple(_evidence(it)),
            action=REPAIR if burning else CARE,
            command=commands.history(key),
            tone=Tone.BAD if bad else Tone.DOUBTFUL,
            priority=it.priority,
            weight=weight(BROKEN if burning else SLOWER, it.priority, spent / 2),
        )


def _evidence(it: ServiceLevel) -> Iterator[str]:
    yield f"Expected: {said_objective(it)}; went wrong: {said_bad(it)}."
    burning = it.burning
    if burning:
        long, short = duration(burning.long_seconds * 1000), duration(burning.short_seconds * 1000)
        yield (
            f"{burning.long_rate:.1f}× over {long}, {burning.short_rate:.1f}× over {short}; "
            f"the rule is {burning.factor:g}×."
        )
