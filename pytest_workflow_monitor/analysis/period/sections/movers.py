"""What became slower or quicker, and which workflows take longest."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.analysis.period.facts import NOTHING
from pytest_workflow_monitor.analysis.period.figures import LEAST_SAMPLE, name_of
from pytest_workflow_monitor.words.period_report import Column, Form, Note, Section, Table, Tone

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import Key, PeriodFacts
    from pytest_workflow_monitor.words.period_report import Block

LEAST_RATIO = 1.1
"""A median that changed by less is not worth a line."""

LEAST_MS = 50.0
MOST = 10

COLUMNS = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="before", label="Median before", form=Form.DURATION),
    Column(key="now", label="Median now", form=Form.DURATION),
    Column(key="change", label="Change", form=Form.CHANGE_DURATION),
    Column(key="ratio", label="Times as long", form=Form.RATIO),
)
LONGEST = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="p50", label="p50", form=Form.DURATION),
    Column(key="p95", label="p95", form=Form.DURATION),
    Column(key="longest", label="Longest", form=Form.DURATION),
    Column(key="total", label="Time spent", form=Form.DURATION),
)


class Move(NamedTuple):
    """How a workflow's median changed, in milliseconds."""

    key: Key
    before: float
    now: float

    @property
    def ratio(self) -> float:
        """How many times as long it takes."""
        return self.now / self.before if self.before else 1.0


def section(facts: PeriodFacts) -> Section | None:
    """List the slowest and those that changed most against the period before."""
    found = moves(facts)
    slower = sorted((it for it in found if it.ratio > 1), key=lambda it: -it.ratio)[:MOST]
    quicker = sorted((it for it in found if it.ratio < 1), key=lambda it: it.ratio)[:MOST]
    blocks: list[Block] = []
    if slower:
        blocks.append(_table(facts, "Slower than in the period before", slower, Tone.DOUBTFUL))
    if quicker:
        blocks.append(_table(facts, "Quicker than in the period before", quicker, Tone.GOOD))
    if not found and facts.before:
        blocks.append(Note(text="No workflow's median changed by a tenth or more."))
    longest = _longest(facts)
    if longest.rows:
        blocks.append(longest)
    if not blocks:
        return None
    return Section(name="movers", title="Slowest and most changed", blocks=tuple(blocks))


def moves(facts: PeriodFacts) -> list[Move]:
    """Return the workflows whose median changed notably."""
    found = []
    for key, sums in facts.workflows.items():
        before = facts.before.get(key, NOTHING)
        if min(sums.durations.size, before.durations.size) < LEAST_SAMPLE:
            continue
        now, earlier = sums.durations.quantile(0.5) or 0.0, before.durations.quantile(0.5) or 0.0
        move = Move(key, earlier, now)
        is_notable = not 1 / LEAST_RATIO < move.ratio < LEAST_RATIO
        if earlier and is_notable and abs(now - earlier) >= LEAST_MS:
            found.append(move)
    return found


def _table(facts: PeriodFacts, name: str, found: list[Move], tone: Tone) -> Table:
    return Table(
        name=name,
        columns=COLUMNS,
        rows=tuple(
            (name_of(facts, it.key), it.before, it.now, it.now - it.before, it.ratio)
            for it in found
        ),
        tones={f"{number}.change": tone for number in range(len(found))},
    )


def _longest(facts: PeriodFacts) -> Table:
    ranked = sorted(
        (
            (sums.durations.quantile(0.95) or 0.0, key, sums)
            for key, sums in facts.workflows.items()
            if sums.good
        ),
        key=lambda it: (-it[0], it[1]),
    )
    return Table(
        name="Slowest",
        columns=LONGEST,
        rows=tuple(
            (name_of(facts, key), sums.durations.quantile(0.5), p95, sums.longest_ms, sums.total_ms)
            for p95, key, sums in ranked[:MOST]
        ),
    )
