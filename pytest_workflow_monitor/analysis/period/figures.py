"""Numbers that several sections and the verdict need."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import NOTHING, Sums
from pytest_workflow_monitor.analysis.summary import PRIORITY_ORDER
from pytest_workflow_monitor.analysis.wording import MONTHS
from pytest_workflow_monitor.model import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.analysis.period.facts import Key, PeriodFacts

LEAST_SAMPLE = 5
"""Changes of percentiles of fewer executions would be chance."""


def total(sums: dict[Key, Sums]) -> Sums:
    """Add up all workflows."""
    return sum(sums.values(), NOTHING)


def mean(lengths: Iterable[timedelta]) -> timedelta | None:
    """Return the mean of some durations, None if there are none."""
    found = list(lengths)
    return sum(found, timedelta(0)) / len(found) if found else None


def name_of(facts: PeriodFacts, key: Key) -> str:
    """Name a workflow, with its environment where the report is about several."""
    return (
        f"{key.workflow_id} ({key.environment})"
        if key.environment != facts.environment
        else key.workflow_id
    )


def listed(names: Sequence[str], most: int) -> str:
    """Name some of many: ``one, two and 3 more``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def priority_of(facts: PeriodFacts, key: Key) -> Priority:
    """Return a workflow's priority; medium if it is not known."""
    known = facts.known.get(key.workflow_id)
    return known.priority if known else Priority.MEDIUM


def by_importance(facts: PeriodFacts, keys: Iterable[Key]) -> list[Key]:
    """Sort workflows by priority, then name."""
    return sorted(keys, key=lambda it: (PRIORITY_ORDER[priority_of(facts, it)], it))


def said_at(facts: PeriodFacts, moment: datetime) -> str:
    """Say an instant in the report's zone: ``12 Nov 14:20``."""
    local = moment.astimezone(facts.period.zone)
    return f"{local.day} {MONTHS[local.month - 1]} {local:%H:%M}"


def said_day(facts: PeriodFacts, moment: datetime) -> str:
    """Say the day of an instant in the report's zone: ``12 Nov``."""
    local = moment.astimezone(facts.period.zone)
    return f"{local.day} {MONTHS[local.month - 1]}"
