"""Silences that may have been forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.figures import said_day
from pytest_workflow_monitor.analysis.period.rules import commands
from pytest_workflow_monitor.analysis.period.rules.weighing import SILENCE, weight
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.words.period_report import Finding, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

LONG = timedelta(days=7)


def long_silences(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell of silences that have held for a week and still do."""
    end = facts.period.end
    for it in facts.silences:
        if it.ends_at <= end or end - it.starts_at < LONG:
            continue
        what = "; ".join(f"{name} {', '.join(patterns)}" for name, patterns in it.match.items())
        yield Finding(
            rule="long_silences",
            title=f"Nobody is told of {what} since {said_day(facts, it.starts_at)}",
            evidence=(
                f"{it.author} silenced it: {it.reason}. It ends {said_day(facts, it.ends_at)}.",
            ),
            action="End the silence if its reason is gone.",
            command=commands.end_silence(it.silence_id),
            tone=Tone.DOUBTFUL,
            weight=weight(SILENCE, Priority.MEDIUM),
        )
