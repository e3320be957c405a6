"""Schedules and slots for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.model import Overlap, Priority
from pytest_workflow_monitor.store.schedules import NewSchedule
from pytest_workflow_monitor.words.slots import Schedule, Slot, SlotStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.store import Store

PROJECT, ENVIRONMENT = "shop", "local"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def noon(minutes: float = 0, seconds: float = 0) -> datetime:
    """Return an instant relative to noon."""
    return NOON + timedelta(minutes=minutes, seconds=seconds)


def a_schedule(workflow_id: str = "order", **changes: Any) -> Schedule:
    """Make a schedule of every five minutes that is due at noon, with a grace of 150 s."""
    fields: dict[str, Any] = {
        "project": PROJECT,
        "workflow_id": workflow_id,
        "environment": ENVIRONMENT,
        "workflow_name": workflow_id.title(),
        "nodeid": f"test_shop.py::test_{workflow_id}",
        "priority": Priority.HIGH,
        "queue": "default",
        "overlap": Overlap.SKIP,
        "grace_seconds": 150.0,
        "limit_seconds": 600.0,
        "collected_at": noon(-60),
        "cron_expression": "" if changes.get("every_seconds") else "*/5 * * * *",
        "next_run_at": NOON,
    }
    return Schedule(**(fields | changes))


def a_slot(slot_at: datetime = NOON, **changes: Any) -> Slot:
    """Make a slot that waits."""
    fields: dict[str, Any] = {
        "slot_id": 1,
        "project": PROJECT,
        "workflow_id": "order",
        "environment": ENVIRONMENT,
        "slot_at": slot_at,
        "status": SlotStatus.QUEUED,
        "queue": "default",
        "claimed_at": slot_at,
    }
    return Slot(**(fields | changes))


def keep(store: Store, schedules: Sequence[Schedule]) -> None:
    """Store schedules as the catalogue would."""
    store.set_schedules(
        [
            NewSchedule(**{name: getattr(it, name) for name in NewSchedule.__struct_fields__})
            for it in schedules
        ]
    )


def recorded(store: Store, *workflow_ids: str) -> list[Slot]:
    """Return the slots of workflows, or all, oldest first."""
    found = store.slots(PROJECT, ENVIRONMENT)
    return [it for it in reversed(found) if not workflow_ids or it.workflow_id in workflow_ids]
