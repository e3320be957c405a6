"""Which workflows pass and fail on the same code, or pass only when tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.analysis.period.facts import NOTHING
from pytest_workflow_monitor.analysis.period.figures import name_of
from pytest_workflow_monitor.period_report import Column, Form, Note, Section, Table, Tone

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import CommitOutcome, Key, PeriodFacts

MOST = 20
COLUMNS = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="what", label="What"),
    Column(key="runs", label="Runs", form=Form.COUNT),
    Column(key="masked", label="Passed only when retried", form=Form.COUNT),
    Column(key="failed", label="Failed", form=Form.COUNT),
    Column(key="commits", label="Commits with both", form=Form.COUNT),
    Column(key="share", label="Not at once", form=Form.SHARE),
    Column(key="before", label="Against before", form=Form.CHANGE_SHARE),
)
FLAKY = "passes and fails on the same commit"
MASKED = "passes only when retried"
LEAST_SWITCHES = 2
"""One failure among passes may as well be an incident: flaky is what fails and passes again."""


class Flakiness(NamedTuple):
    """How a workflow wavers; ``commits`` are those on which it both passed and failed."""

    key: Key
    masked: int
    failed: int
    runs: int
    commits: int

    @property
    def share(self) -> float:
        """The share of executions that did not pass at the first attempt."""
        return (self.masked + self.failed) / self.runs if self.runs else 0.0


def section(facts: PeriodFacts) -> Section:
    """Rank what is flaky or masked, worst first."""
    found = flaky(facts)
    if not found:
        note = Note(text="No workflow wavered on the same code.", tone=Tone.GOOD)
        return Section(name="flaky", title="Flaky workflows", blocks=(note,))
    table = Table(
        name="flaky",
        columns=COLUMNS,
        rows=tuple(
            (
                name_of(facts, it.key),
                FLAKY if it.commits else MASKED,
                it.runs,
                it.masked,
                it.failed if it.commits else 0,
                it.commits,
                it.share,
                _before(facts, it),
            )
            for it in found[:MOST]
        ),
    )
    return Section(name="flaky", title="Flaky workflows", blocks=(table,), brief=f"{len(found)}")


def flaky(facts: PeriodFacts) -> list[Flakiness]:
    """Return the workflows that waver, worst first.

    A workflow is flaky when on one commit it failed at least twice with passes between; a single
    stretch of failures is an incident. Passing only when retried counts at once.
    """
    by_key: dict[Key, list[CommitOutcome]] = {}
    for outcome in facts.commits:
        by_key.setdefault(outcome.key, []).append(outcome)
    wavering = {it.key: it.failures for it in facts.wavering}
    found = []
    for key, sums in facts.workflows.items():
        outcomes = by_key.get(key, [])
        stretches = wavering.get(key, 0)
        both = sum(bool(it.good + it.flaky and it.bad) for it in outcomes)
        commits = both if stretches >= LEAST_SWITCHES else 0
        if sums.flaky or commits:
            failed = sums.bad if commits else 0
            found.append(Flakiness(key, sums.flaky, failed, sums.judged, commits))
    return sorted(found, key=lambda it: (-it.share, it.key))


def _before(facts: PeriodFacts, it: Flakiness) -> float | None:
    earlier = facts.before.get(it.key, NOTHING)
    if not earlier.judged:
        return None
    failed = earlier.bad if it.commits else 0
    return it.share - (earlier.flaky + failed) / earlier.judged
