"""Metrics that were beyond their budget, and workflows that were slower than they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import Key, SeriesSums
from pytest_workflow_monitor.analysis.period.figures import name_of
from pytest_workflow_monitor.analysis.wording import quantity
from pytest_workflow_monitor.words.period_report import Column, Form, Note, Section, Table, Tone

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.words.period_report import Value

MOST = 30
COLUMNS = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="metric", label="Metric"),
    Column(key="broken", label="Times broken", form=Form.COUNT),
    Column(key="samples", label="Of", form=Form.COUNT),
    Column(key="before", label="Broken before", form=Form.COUNT),
    Column(key="p50", label="p50"),
    Column(key="worst", label="Worst"),
)


def section(facts: PeriodFacts) -> Section:
    """List broken budgets, the most often broken first."""
    broken = sorted(
        ((it, sums) for it, sums in facts.series.items() if it.kind == "metric" and sums.problems),
        key=lambda pair: (-pair[1].problems, pair[0]),
    )
    rows: list[tuple[Value, ...]] = [
        (
            name_of(facts, Key(environment=it.environment, workflow_id=it.workflow_id)),
            it.name,
            sums.problems,
            sums.samples,
            facts.series_before.get(it, SeriesSums()).problems,
            quantity(sums.values.quantile(0.5), it.unit),
            quantity(sums.highest, it.unit),
        )
        for it, sums in broken[:MOST]
    ]
    if not rows:
        note = Note(text="No metric was beyond its budget.", tone=Tone.GOOD)
        return Section(name="budgets", title="Budgets", blocks=(note,))
    tones = {f"{number}.broken": Tone.DOUBTFUL for number in range(len(rows))}
    table = Table(name="budgets", columns=COLUMNS, rows=tuple(rows), tones=tones)
    return Section(name="budgets", title="Budgets", blocks=(table,), brief=f"{len(broken)} broken")
