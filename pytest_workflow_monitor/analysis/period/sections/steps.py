"""Which steps take the time and which of them fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import Key, SeriesSums
from pytest_workflow_monitor.analysis.period.figures import LEAST_SAMPLE, name_of
from pytest_workflow_monitor.words.period_report import Column, Form, Section, Table, Tone

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.words.period_report import Value

MOST = 20
COLUMNS = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="step", label="Step"),
    Column(key="runs", label="Runs", form=Form.COUNT),
    Column(key="problems", label="Not passed", form=Form.COUNT),
    Column(key="p50", label="p50", form=Form.DURATION),
    Column(key="p95", label="p95", form=Form.DURATION),
    Column(key="change", label="p95 against before", form=Form.CHANGE_DURATION),
)


def section(facts: PeriodFacts) -> Section | None:
    """List the steps with problems, then those that take longest."""
    ranked = sorted(
        ((it, sums) for it, sums in facts.series.items() if it.kind == "step"),
        key=lambda pair: (-pair[1].problems, -(pair[1].values.quantile(0.95) or 0.0), pair[0]),
    )
    if not ranked:
        return None
    rows: list[tuple[Value, ...]] = []
    tones: dict[str, Tone] = {}
    for number, (it, sums) in enumerate(ranked[:MOST]):
        if sums.problems:
            tones[f"{number}.problems"] = Tone.BAD
        rows.append(
            (
                name_of(facts, Key(environment=it.environment, workflow_id=it.workflow_id)),
                it.name,
                sums.samples,
                sums.problems,
                sums.values.quantile(0.5),
                sums.values.quantile(0.95),
                change(sums, facts.series_before.get(it, SeriesSums())),
            )
        )
    table = Table(name="steps", columns=COLUMNS, rows=tuple(rows), tones=tones)
    left = len(ranked) - len(rows)
    return Section(
        name="steps",
        title="Steps",
        blocks=(table,),
        brief=f"{len(rows)} of {len(ranked):,}" if left else "",
    )


def change(now: SeriesSums, before: SeriesSums) -> float | None:
    """Return by how much the 95th percentile changed, if both are of enough values."""
    if min(now.values.size, before.values.size) < LEAST_SAMPLE:
        return None
    return (now.values.quantile(0.95) or 0.0) - (before.values.quantile(0.95) or 0.0)
