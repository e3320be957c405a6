"""Which workflows pass and fail on the same code, or pass only when tried again, and what next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.condition.states import State
from pytest_workflow_monitor.analysis.period.facts import NOTHING
from pytest_workflow_monitor.analysis.period.figures import name_of
from pytest_workflow_monitor.analysis.period.flakiness import flaky
from pytest_workflow_monitor.words.period_report import Column, Form, Note, Section, Table, Tone

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.analysis.period.flakiness import Flakiness
    from pytest_workflow_monitor.words.period_report import Block

MOST = 20
LEAST_RISK = 0.05
COLUMNS = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="state", label="State"),
    Column(key="runs", label="Runs", form=Form.COUNT),
    Column(key="masked", label="Passed only when retried", form=Form.COUNT),
    Column(key="failed", label="Failed", form=Form.COUNT),
    Column(key="share", label="Not at once", form=Form.SHARE),
    Column(key="before", label="Against before", form=Form.CHANGE_SHARE),
    Column(key="seen", label="What was seen"),
)
RISKS = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="risk", label="Risk that the next run fails", form=Form.SHARE),
    Column(key="why", label="Why"),
)


def section(facts: PeriodFacts) -> Section:
    """Rank what is flaky or masked, and what will likely fail next."""
    found = flaky(facts)
    blocks: list[Block] = []
    if found:
        blocks.append(
            Table(
                name="Flaky and masked",
                columns=COLUMNS,
                rows=tuple(
                    (
                        name_of(facts, it.key),
                        it.state.value,
                        it.runs,
                        it.masked,
                        it.failed,
                        it.share,
                        _before(facts, it),
                        it.reason,
                    )
                    for it in found[:MOST]
                ),
            )
        )
    else:
        blocks.append(Note(text="No workflow wavered on the same code.", tone=Tone.GOOD))
    risks = _risks(facts)
    if risks.rows:
        blocks.append(risks)
    return Section(
        name="flaky",
        title="Flaky workflows",
        blocks=tuple(blocks),
        brief=f"{len(found)}" if found else "",
    )


def _before(facts: PeriodFacts, it: Flakiness) -> float | None:
    earlier = facts.before.get(it.key, NOTHING)
    if not earlier.judged:
        return None
    failed = earlier.bad if it.state is State.FLAKY else 0
    return it.share - (earlier.flaky + failed) / earlier.judged


def _risks(facts: PeriodFacts) -> Table:
    ranked = sorted(
        ((risk, key) for key, risk in facts.risks.items() if risk.score >= LEAST_RISK),
        key=lambda pair: (-pair[0].score, pair[1]),
    )
    return Table(
        name="Most likely to fail next",
        columns=RISKS,
        rows=tuple(
            (name_of(facts, key), risk.score, "; ".join(it.text for it in risk.reasons))
            for risk, key in ranked[:MOST]
        ),
    )
