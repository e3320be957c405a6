"""The slots of a workflow: the times of its schedule, be it a cron expression or an interval."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_workflow_monitor.cron import next_time, previous_time
from pytest_workflow_monitor.cron.reading import read
from pytest_workflow_monitor.cron.rhythm import next_beat, previous_beat
from pytest_workflow_monitor.cron.wording import interval, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pytest_workflow_monitor.model import Workflow


def next_slot(workflow: Workflow, after: datetime) -> datetime | None:
    """Return a workflow's first slot after an instant; None without a schedule.

    Whether the workflow is enabled makes no difference.

    Raises:
        OverflowError: It has none before the end of the calendar.
    """
    name = workflow.workflow_id
    if workflow.cron is not None:
        return next_time(workflow.cron, workflow.timezone, after, name)
    if workflow.every_seconds is not None:
        return next_beat(workflow.every_seconds, after, name)
    return None


def previous_slot(workflow: Workflow, before: datetime) -> datetime | None:
    """Return a workflow's last slot before an instant, as :func:`next_slot` does the first."""
    name = workflow.workflow_id
    if workflow.cron is not None:
        return previous_time(workflow.cron, workflow.timezone, before, name)
    if workflow.every_seconds is not None:
        return previous_beat(workflow.every_seconds, before, name)
    return None


def slots(workflow: Workflow, after: datetime) -> Iterator[datetime]:
    """Iterate over a workflow's slots after an instant, to the end of the calendar."""
    with suppress(OverflowError):
        while (slot := next_slot(workflow, after)) is not None:
            yield slot
            after = slot


def said(workflow: Workflow) -> str:
    """Say a workflow's schedule in words, without its time zone; empty without a schedule."""
    if workflow.cron is not None:
        return words(read(workflow.cron, workflow.workflow_id))
    return interval(workflow.every_seconds) if workflow.every_seconds is not None else ""
