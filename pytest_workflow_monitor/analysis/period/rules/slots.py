"""Times in which nothing watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.figures import (
    by_importance,
    listed,
    name_of,
    priority_of,
    said_at,
)
from pytest_workflow_monitor.analysis.period.rules import commands
from pytest_workflow_monitor.analysis.period.rules.weighing import UNWATCHED, weight
from pytest_workflow_monitor.analysis.wording import plural
from pytest_workflow_monitor.words.period_report import Finding
from pytest_workflow_monitor.words.slots import SlotStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts, SlotCount

UNWATCHED_STATUSES = frozenset({SlotStatus.MISSED, SlotStatus.LOST, SlotStatus.NOT_RUN})
MOST_NAMED = 5


def missed_slots(facts: PeriodFacts) -> Iterator[Finding]:
    """Tell of slots that did not run, by the reason."""
    groups: dict[tuple[str, str], list[SlotCount]] = {}
    for slot in facts.slots:
        if SlotStatus(slot.status) in UNWATCHED_STATUSES:
            groups.setdefault((slot.key.environment, slot.reason), []).append(slot)
    for (environment, reason), slots in groups.items():
        keys = by_importance(facts, {it.key for it in slots})
        priority = priority_of(facts, keys[0])
        count = sum(it.count for it in slots)
        first, last = min(it.first_at for it in slots), max(it.last_at for it in slots)
        names = [name_of(facts, key) for key in keys]
        yield Finding(
            rule="missed_slots",
            title=f"{plural(count, 'slot')} did not run {_when(facts, first, last)}",
            evidence=(
                f"Of {listed(names, MOST_NAMED)}.",
                *([f"Why: {reason}."] if reason else []),
            ),
            action="See whether a scheduler and workers were running then.",
            command=commands.slots(environment),
            priority=priority,
            weight=weight(UNWATCHED, priority, count / 100),
        )


def _when(facts: PeriodFacts, first: datetime, last: datetime) -> str:
    if first == last:
        return f"at {said_at(facts, first)}"
    return f"between {said_at(facts, first)} and {said_at(facts, last)}"
