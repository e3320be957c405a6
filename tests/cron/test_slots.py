from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

from pytest_workflow_monitor.cron.slots import next_slot, previous_slot, said, slots
from tests.samples import a_workflow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def utc(day: int, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=UTC)


def test_slots_of_a_cron_expression() -> None:
    """In the workflow's own zone."""
    workflow = a_workflow(cron="30 14 * * *", timezone="Europe/Berlin")
    assert next_slot(workflow, NOON) == utc(1, 13, 30)
    assert previous_slot(workflow, NOON) == datetime(2026, 2, 28, 13, 30, tzinfo=UTC)
    assert list(islice(slots(workflow, NOON), 2)) == [utc(1, 13, 30), utc(2, 13, 30)]
    assert said(workflow) == "at 14:30 every day"


def test_slots_of_an_interval() -> None:
    """From the epoch, with the offset of the workflow's id."""
    workflow = a_workflow("login", cron=None, every_seconds=300)
    assert next_slot(workflow, NOON) == utc(1, 12, 4, 52)
    assert previous_slot(workflow, NOON) == utc(1, 11, 59, 52)
    assert list(islice(slots(workflow, NOON), 2)) == [utc(1, 12, 4, 52), utc(1, 12, 9, 52)]
    assert said(workflow) == "every 5 minutes"


def test_jitter_follows_from_the_workflow() -> None:
    """Two workflows of one expression with `H` run at different times."""
    first, second = (a_workflow(name, cron="H H * * *") for name in ("login", "logout"))
    assert next_slot(first, NOON) == next_slot(first, NOON)
    assert next_slot(first, NOON) != next_slot(second, NOON)
    assert said(first) != said(second)


def test_a_workflow_without_a_schedule_has_no_slots() -> None:
    """Nothing is told of it."""
    workflow = a_workflow(cron=None)
    assert (next_slot(workflow, NOON), previous_slot(workflow, NOON)) == (None, None)
    assert (list(slots(workflow, NOON)), said(workflow)) == ([], "")
