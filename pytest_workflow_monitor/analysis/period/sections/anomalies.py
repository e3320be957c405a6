"""Changes of level, and single values that were not normal when they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.figures import name_of
from pytest_workflow_monitor.analysis.wording import plural, quantity
from pytest_workflow_monitor.words.period_report import Column, Form, Note, Section, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.analysis.period.facts import Anomaly, Key, PeriodFacts
    from pytest_workflow_monitor.words.period_report import Block, Value

MOST = 15
CHANGES = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="since", label="Since", form=Form.INSTANT),
    Column(key="before", label="Median before", form=Form.DURATION),
    Column(key="after", label="Median since", form=Form.DURATION),
    Column(key="change", label="Change", form=Form.CHANGE_DURATION),
    Column(key="p95_before", label="p95 before", form=Form.DURATION),
    Column(key="p95_after", label="p95 since", form=Form.DURATION),
    Column(key="step", label="Step"),
    Column(key="cause", label="Came with"),
)
VALUES = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="what", label="What"),
    Column(key="times", label="Times", form=Form.COUNT),
    Column(key="first", label="First", form=Form.INSTANT),
    Column(key="last", label="Last", form=Form.INSTANT),
    Column(key="worst", label="Furthest off"),
    Column(key="normal", label="Normally"),
    Column(key="score", label="Score", form=Form.NUMBER),
    Column(key="run", label="Execution", form=Form.CODE),
)


def section(facts: PeriodFacts) -> Section | None:
    """List what changed for good, then what was off once."""
    blocks: list[Block] = []
    if facts.changes:
        blocks.append(_changes(facts))
    if facts.anomalies:
        blocks += _values(facts)
    if not blocks:
        return None
    return Section(name="anomalies", title="Changes and unusual values", blocks=tuple(blocks))


def _changes(facts: PeriodFacts) -> Table:
    rows: list[tuple[Value, ...]] = []
    tones: dict[str, Tone] = {}
    for number, it in enumerate(facts.changes):
        tones[f"{number}.change"] = Tone.DOUBTFUL if it.ratio > 1 else Tone.GOOD
        cause = " · ".join(filter(None, (it.deployment, it.git_commit[:10])))
        rows.append(
            (
                name_of(facts, it.key),
                it.at,
                it.before_ms,
                it.after_ms,
                it.after_ms - it.before_ms,
                it.p95_before_ms,
                it.p95_after_ms,
                it.steps[0].name if it.steps else "",
                cause,
            )
        )
    return Table(name="Changed for good", columns=CHANGES, rows=tuple(rows), tones=tones)


def _values(facts: PeriodFacts) -> list[Block]:
    total = sum(it.good for it in facts.workflows.values())
    runs = {it.run_id for it in facts.anomalies}
    verb = "was" if len(facts.anomalies) == 1 else "were"
    note = Note(
        text=f"{plural(len(facts.anomalies), 'value')} of {plural(len(runs), 'execution')} "
        f"{verb} not normal, of {total:,} executions that passed; some are so by chance."
    )
    groups: dict[tuple[Key, str, str], list[Anomaly]] = {}
    for it in facts.anomalies:
        groups.setdefault((it.key, it.kind, it.name), []).append(it)
    ranked = sorted(groups.values(), key=lambda group: (-len(group), -_worst(group).score))
    table = Table(
        name="Unusual values, the most frequent first",
        columns=VALUES,
        rows=tuple(_row(facts, group) for group in ranked[:MOST]),
    )
    return [note, table]


def _worst(group: Sequence[Anomaly]) -> Anomaly:
    return max(group, key=lambda it: (it.score, it.observed_at))


def _row(facts: PeriodFacts, group: Sequence[Anomaly]) -> tuple[Value, ...]:
    worst = _worst(group)
    return (
        name_of(facts, worst.key),
        worst.name or "the whole workflow",
        len(group),
        min(it.observed_at for it in group),
        max(it.observed_at for it in group),
        quantity(worst.value, worst.unit),
        _normal(worst),
        round(worst.score, 2),
        worst.run_id[:8],
    )


def _normal(it: Anomaly) -> str:
    if it.expected_low is None or it.expected_high is None:
        return ""
    return f"{quantity(it.expected_low, it.unit)} to {quantity(it.expected_high, it.unit)}"
