"""Looks closer where the sums show that something changed, heads for a limit, or wavers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.analysis import assess, risk_of
from pytest_workflow_monitor.reporting.changes import level_changes
from pytest_workflow_monitor.reporting.outlooks import outlooks

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import Key, PeriodFacts
    from pytest_workflow_monitor.store import Store

RUNS = 100
MOST_TROUBLED = 100
"""Of so many workflows the latest runs are looked at one by one."""

"""So many executions tell in which state a workflow is."""


def dig(store: Store, facts: PeriodFacts) -> PeriodFacts:
    """Add what takes a closer look: changes of level, outlooks, states and risks."""
    troubled = _worst(facts)
    runs = store.last_runs(facts.project, troubled, facts.period.end, RUNS) if troubled else {}
    retried = [key for key, sums in facts.workflows.items() if sums.flaky]
    return replace(
        facts,
        changes=tuple(level_changes(store, facts)),
        outlooks=tuple(outlooks(store, facts)),
        assessments={key: assess(it) for key, it in runs.items()},
        retried=store.retried(facts.project, retried, facts.period) if retried else {},
        risks={key: risk_of(it) for key, it in runs.items()},
    )


def _worst(facts: PeriodFacts) -> list[Key]:
    """The workflows that failed or were retried in the period or the one before, worst first."""
    shares = []
    for key in facts.workflows:
        both = [it[key] for it in (facts.workflows, facts.before) if key in it]
        troubles = sum(it.bad + it.flaky for it in both)
        if troubles:
            shares.append((-troubles / sum(it.judged for it in both), key))
    return [key for _, key in sorted(shares)[:MOST_TROUBLED]]
