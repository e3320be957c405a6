"""Which workflows wavered in a period, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.analysis.condition.states import State
from pytest_workflow_monitor.analysis.period.facts import NOTHING

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import Key, PeriodFacts


class Flakiness(NamedTuple):
    """How a workflow wavers in a period."""

    key: Key
    state: State
    reason: str
    masked: int
    failed: int
    runs: int

    @property
    def share(self) -> float:
        """The share of executions that did not pass at the first attempt."""
        return (self.masked + self.failed) / self.runs if self.runs else 0.0


def flaky(facts: PeriodFacts) -> list[Flakiness]:
    """Return the workflows that wavered in the period, worst first."""
    found = []
    for key, it in facts.assessments.items():
        sums = facts.workflows.get(key, NOTHING)
        states = (it.state, *it.also)
        for state, shows in ((State.FLAKY, sums.bad + sums.flaky), (State.MASKED, sums.flaky)):
            if state in states and shows:
                failed = sums.bad if state is State.FLAKY else 0
                reason = it.reason if it.state is state else ""
                found.append(Flakiness(key, state, reason, sums.flaky, failed, sums.judged))
                break
    return sorted(found, key=lambda it: (-it.share, it.key))
