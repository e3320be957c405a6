"""What to do next: each rule is one function from what is known to findings, or to none.

A finding names what is wrong, what shows it, and how to act. Where nothing is wrong, no rule has
anything to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.rules.budgets import broken_budgets
from pytest_workflow_monitor.analysis.period.rules.failing import broken, still_failing
from pytest_workflow_monitor.analysis.period.rules.outlooks import heading_for_limit
from pytest_workflow_monitor.analysis.period.rules.service_levels import error_budgets
from pytest_workflow_monitor.analysis.period.rules.silences import long_silences
from pytest_workflow_monitor.analysis.period.rules.slots import missed_slots
from pytest_workflow_monitor.analysis.period.rules.slower import slower
from pytest_workflow_monitor.analysis.period.rules.wavering import flaky_workflows, masked_workflows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.words.period_report import Finding

RULES: tuple[Callable[[PeriodFacts], Iterable[Finding]], ...] = (
    still_failing,
    broken,
    error_budgets,
    slower,
    heading_for_limit,
    missed_slots,
    flaky_workflows,
    masked_workflows,
    broken_budgets,
    long_silences,
)
"""All rules; their findings are ranked by weight."""


def findings(facts: PeriodFacts) -> tuple[Finding, ...]:
    """Return what is to be done, the most important first."""
    found = [finding for rule in RULES for finding in rule(facts)]
    return tuple(sorted(found, key=lambda it: (-it.weight, it.title)))
