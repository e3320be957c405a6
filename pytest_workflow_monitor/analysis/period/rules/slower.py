"""Workflows that take longer than they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.figures import name_of, priority_of, said_at
from pytest_workflow_monitor.analysis.period.rules import commands
from pytest_workflow_monitor.analysis.period.rules.weighing import SLOWER, weight
from pytest_workflow_monitor.analysis.wording import change, duration
from pytest_workflow_monitor.words.period_report import Finding, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.analysis.period.facts import LevelChange, PeriodFacts

WORTH_ACTING = 1.15
"""Workflows that take less than that many times as long are only mentioned in the tables."""


def slower(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell since when a workflow takes longer, which step explains it, and what came with it."""
    for it in facts.changes:
        if it.ratio < WORTH_ACTING:
            continue
        priority = priority_of(facts, it.key)
        yield Finding(
            rule="slower",
            title=f"{name_of(facts, it.key)} {_rise(it)} since {said_at(facts, it.at)}",
            evidence=tuple(_evidence(it)),
            action=_action(it),
            command=f"git show {it.git_commit[:10]}"
            if it.git_commit
            else commands.history(it.key, it.at),
            tone=Tone.DOUBTFUL,
            priority=priority,
            weight=weight(SLOWER, priority, it.ratio - 1),
        )


def _rise(it: LevelChange) -> str:
    """Of the 95th percentile; of the median where that was as high before, by other causes."""
    if it.p95_after_ms > it.p95_before_ms:
        return f"p95 rose from {duration(it.p95_before_ms)} to {duration(it.p95_after_ms)}"
    return f"median rose from {duration(it.before_ms)} to {duration(it.after_ms)}"


def _evidence(it: LevelChange) -> Iterator[str]:
    yield (
        f"The median went from {duration(it.before_ms)} to {duration(it.after_ms)} "
        f"({change(it.after_ms - it.before_ms)})."
    )
    for step in it.steps[:1]:
        yield (
            f"The step {step.name} explains {duration(step.after_ms - step.before_ms)} of it: "
            f"{duration(step.before_ms)} before, {duration(step.after_ms)} since."
        )
    if it.deployment:
        commit = f" (commit {it.git_commit[:10]})" if it.git_commit else ""
        yield f"{it.deployment}{commit} was deployed right before."
    elif it.git_commit:
        yield f"Commit {it.git_commit[:10]} was first run then."


def _action(it: LevelChange) -> str:
    where = f"the step {it.steps[0].name}" if it.steps else "it"
    if it.deployment or it.git_commit:
        return f"See what that change did to {where}."
    return f"No commit or deployment came with it: look at what {where} depends on."
