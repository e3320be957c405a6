"""Error budgets: what is left, and how quickly it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import Key
from pytest_workflow_monitor.analysis.period.figures import name_of
from pytest_workflow_monitor.analysis.period.levels import said_bad, said_objective, said_state
from pytest_workflow_monitor.words.period_report import Column, Form, Section, Table, Tone

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.words.period_report import Value

COLUMNS = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="objective", label="Objective"),
    Column(key="availability", label="Availability", form=Form.SHARE),
    Column(key="bad", label="Went wrong"),
    Column(key="left", label="Budget left", form=Form.SHARE),
    Column(key="burn_hour", label="Burn, last hour", form=Form.RATIO),
    Column(key="burn_six", label="Burn, 6 hours", form=Form.RATIO),
    Column(key="state", label="State"),
)
TONES = {"burning": Tone.BAD, "broken": Tone.BAD, "kept": Tone.GOOD}


def section(facts: PeriodFacts) -> Section | None:
    """List the objectives, those in danger first."""
    if not facts.service_levels:
        return None
    ranked = sorted(
        facts.service_levels,
        key=lambda it: (
            it.burning is None,
            not it.is_full,
            -(it.spent or 0.0),
            it.environment,
            it.workflow_id,
        ),
    )
    rows: list[tuple[Value, ...]] = []
    tones: dict[str, Tone] = {}
    for number, it in enumerate(ranked):
        tone = TONES.get(it.state, Tone.NEUTRAL)
        if tone is not Tone.NEUTRAL:
            tones[f"{number}.state"] = tone
        burns = [burn.long_rate for burn in it.burns]
        rows.append(
            (
                name_of(facts, Key(environment=it.environment, workflow_id=it.workflow_id)),
                said_objective(it),
                it.availability,
                said_bad(it),
                it.left if it.is_full else None,
                burns[0] if burns else None,
                burns[1] if len(burns) > 1 else None,
                said_state(it),
            )
        )
    table = Table(name="service_levels", columns=COLUMNS, rows=tuple(rows), tones=tones)
    states = [it.state for it in ranked]
    counts = {word: states.count(word) for word in ("burning", "broken")}
    return Section(
        name="service_levels",
        title="Service levels",
        blocks=(table,),
        brief=", ".join(f"{count} {word}" for word, count in counts.items() if count),
    )
