"""Which slots a soak expects: what the markers say, by arithmetic alone, whatever was recorded."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from pytest_workflow_monitor.cron.slots import slots
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.schedule.catalogue import scheduled
from pytest_workflow_monitor.schedule.rules import grace_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_workflow_monitor.model import Workflow


class Expected(Record, frozen=True, kw_only=True):
    """The slots of a workflow, in order, and how many seconds late they may begin.

    ``left_out`` are those of them that do not count.
    """

    slots: tuple[datetime, ...]
    grace_seconds: float
    left_out: frozenset[datetime] = frozenset()


def enabled(workflows: Iterable[Workflow], environment: str) -> dict[str, Workflow]:
    """Return the workflows that run by a schedule in an environment, by id."""
    found = scheduled(workflows, environment)
    return {name: tests[0] for name, tests in found.items() if tests[0].enabled}


def expect(workflows: Iterable[Workflow], after: datetime, until: datetime) -> dict[str, Expected]:
    """Work out the slots of workflows after an instant, up to another one."""
    return {
        it.workflow_id: Expected(
            slots=tuple(takewhile(lambda slot_at: slot_at <= until, slots(it, after))),
            grace_seconds=grace_of(it),
        )
        for it in workflows
    }
