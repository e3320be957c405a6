"""Looks closer where the sums show that something changed, heads for a limit, or wavers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.analysis import assess, risk_of
from pytest_workflow_monitor.reporting.changes import level_changes
from pytest_workflow_monitor.reporting.outlooks import outlooks

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import Key, PeriodFacts, Sums
    from pytest_workflow_monitor.store import Store

RUNS = 100
"""So many executions tell in which state a workflow is."""


def dig(store: Store, facts: PeriodFacts) -> PeriodFacts:
    """Add what takes a closer look: changes of level, outlooks, states and risks."""
    troubled = [
        key for key in facts.workflows if any(it.bad or it.flaky for it in _sums(facts, key))
    ]
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


def _sums(facts: PeriodFacts, key: Key) -> list[Sums]:
    return [it for it in (facts.workflows.get(key), facts.before.get(key)) if it is not None]
