"""Schedules, slots and workers written straight into the tables."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Overlap, Priority
from pytest_workflow_monitor.store.schedules import NewSchedule, NewSlot
from pytest_workflow_monitor.words.slots import SlotStatus

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.store import Store


def add_schedule(
    store: Store,
    workflow_id: str,
    next_run_at: datetime,
    *,
    grace: float = 300,
    enabled: bool = True,
) -> None:
    """Add a schedule of every ten minutes in production."""
    schedule = NewSchedule(
        project="shop",
        workflow_id=workflow_id,
        environment="production",
        workflow_name=workflow_id.title(),
        nodeid=f"test_it.py::test_{workflow_id}",
        priority=Priority.HIGH,
        cron_expression="*/10 * * * *",
        every_seconds=None,
        timezone="UTC",
        queue="default",
        overlap=Overlap.SKIP,
        grace_seconds=300,
        limit_seconds=600,
        enabled=enabled,
        collected_at=next_run_at,
        next_run_at=next_run_at,
    )
    store.set_schedules([schedule])


def add_slot(
    store: Store, workflow_id: str, at: datetime, status: SlotStatus, reason: str = ""
) -> None:
    """Add a slot in production, claimed when it was due."""
    is_open = status in {SlotStatus.QUEUED, SlotStatus.RUNNING}
    slot = NewSlot(
        project="shop",
        workflow_id=workflow_id,
        environment="production",
        slot_at=at,
        status=SlotStatus.QUEUED if status is SlotStatus.RUNNING else status,
        queue="default",
        claimed_at=at,
        claimed_by="runner-7/1",
        reason=reason,
        ended_at=None if is_open else at + timedelta(seconds=1),
    )
    (made,) = store.add_slots([slot])
    if status is SlotStatus.RUNNING:
        store.start_slots([made.slot_id], at=at, by="runner-7/1")


def add_process(
    store: Store, name: str, heartbeat_at: datetime, *, kind: str = "worker", problem: str = ""
) -> None:
    """Add a scheduler or a worker on the machine ``runner-7``."""
    store.connection.execute(
        """
        INSERT INTO workflow_monitor.schedulers (
            scheduler_id, project, environment, kind, host, pid, queues, concurrency, started_at,
            heartbeat_at, catalogue_problem
        ) VALUES (%s, 'shop', 'production', %s, 'runner-7', 1, '["default"]', 3, %s, %s, %s)
        """,
        (name, kind, heartbeat_at, heartbeat_at, problem),
    )
