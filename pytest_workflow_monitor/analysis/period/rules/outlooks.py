"""What will pass its limit if it goes on like that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.figures import name_of, priority_of, said_day
from pytest_workflow_monitor.analysis.period.rules import commands
from pytest_workflow_monitor.analysis.period.rules.weighing import OUTLOOK, weight
from pytest_workflow_monitor.analysis.wording import plural, quantity
from pytest_workflow_monitor.words.period_report import Finding, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

SOON_DAYS = 30


def heading_for_limit(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell when a budget will break at the present slope, and between which days."""
    for it in facts.outlooks:
        priority = priority_of(facts, it.key)
        days = max(round((it.at - facts.period.end).total_seconds() / 86_400), 0)
        left = plural(days, "day") if days else "less than a day"
        what = f"{name_of(facts, it.key)} {it.name}".rstrip()
        limit, value = quantity(it.limit, it.unit), quantity(it.value, it.unit)
        latest = f"and {said_day(facts, it.latest)}" if it.latest else "and later than in a month"
        yield Finding(
            rule="heading_for_limit",
            title=f"{what} passes its limit of {limit} in {left} at this slope",
            evidence=(
                f"It is at {value} and rises by {quantity(it.per_day, it.unit)} a day.",
                f"With 95 % confidence it passes between {said_day(facts, it.earliest)} {latest}.",
            ),
            action="Find out what grows, or agree on another limit.",
            command=commands.history(it.key, "30d"),
            tone=Tone.DOUBTFUL,
            priority=priority,
            weight=weight(OUTLOOK, priority, 1 - days / SOON_DAYS),
        )
