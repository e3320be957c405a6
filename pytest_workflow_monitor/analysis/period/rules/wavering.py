"""Workflows whose verdict cannot be relied on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.condition.states import State
from pytest_workflow_monitor.analysis.period.figures import name_of, priority_of
from pytest_workflow_monitor.analysis.period.flakiness import flaky
from pytest_workflow_monitor.analysis.period.rules import commands
from pytest_workflow_monitor.analysis.period.rules.weighing import WAVERING, weight
from pytest_workflow_monitor.analysis.wording import first_line, percent, plural
from pytest_workflow_monitor.words.period_report import Finding, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.analysis.period.flakiness import Flakiness

LEAST_SHARE = 0.02
"""What wavers less often is only in the table."""


def flaky_workflows(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell which workflows pass and fail on the same commit, and with which error."""
    for it in flaky(facts):
        if it.state is State.FLAKY and it.share >= LEAST_SHARE:
            yield _finding(
                facts,
                it,
                rule="flaky_workflows",
                title=f"{name_of(facts, it.key)} is flaky: {it.failed + it.masked} of "
                f"{plural(it.runs, 'execution')} did not pass at once",
                action="Make it wait for what it needs, or repair what is unreliable: the same "
                "code passes and fails.",
            )


def masked_workflows(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell which workflows pass only because they are tried again."""
    for it in flaky(facts):
        if it.state is State.MASKED and it.share >= LEAST_SHARE:
            yield _finding(
                facts,
                it,
                rule="masked_workflows",
                title=f"{name_of(facts, it.key)} passes only when tried again: "
                f"{it.masked} of {plural(it.runs, 'execution')}",
                action="Look at a first attempt that failed: users have no second one.",
            )


def _finding(facts: PeriodFacts, it: Flakiness, *, rule: str, title: str, action: str) -> Finding:
    priority = priority_of(facts, it.key)
    evidence = [f"{percent(it.share)} of its executions in the period."]
    if it.reason:
        evidence.append(f"{it.reason[:1].upper()}{it.reason[1:]}.")
    error = _error(facts, it)
    if error is not None:
        message, count = error
        said = first_line(message, limit=160).removesuffix(".")
        evidence.append(f"{plural(count, 'time')} with: {said}.")
    return Finding(
        rule=rule,
        title=title,
        evidence=tuple(evidence),
        action=action,
        command=commands.history(it.key, facts.period.start),
        tone=Tone.DOUBTFUL,
        priority=priority,
        weight=weight(WAVERING, priority, it.share),
    )


def _error(facts: PeriodFacts, it: Flakiness) -> tuple[str, int] | None:
    """The error that most of its executions had which did not pass at once."""
    found = [
        (error.count, error.message)
        for error in facts.errors
        if it.failed
        and error.count
        and it.key.workflow_id in error.workflow_ids
        and it.key.environment in error.environments
    ]
    retried = facts.retried.get(it.key)
    if retried is not None:
        found.append((retried.count, retried.message))
    count, message = max(found, default=(0, ""))
    return (message, count) if message else None
