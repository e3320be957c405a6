from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Priority, Trigger
from pytest_workflow_monitor.schedule.checking import alert, check
from tests.samples import a_session, a_workflow, an_attempt
from tests.schedule.timetable import ENVIRONMENT, PROJECT, a_schedule, keep, noon

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store


@pytest.fixture
def settings(settings_for: Callable[..., Settings]) -> Settings:
    return settings_for()


def ran(store: Store, workflow_id: str, minutes: float, **session: Any) -> None:
    """Store an execution that CI started so many minutes after noon."""
    started_at = noon(minutes)
    fields = {
        "slot_at": None,
        "trigger": Trigger.CI,
        "environment": ENVIRONMENT,
        "started_at": started_at,
    }
    attempt = an_attempt(a_workflow(workflow_id), started_at=started_at)
    ingest(store, a_session(**(fields | session)), Batch(attempts=[attempt]))


def kinds(store: Store, settings: Settings, minutes: float, **asked: Any) -> dict[str, list[str]]:
    found = check(store, settings, noon(minutes), **asked)
    return {it.schedule.workflow_id: [finding.kind for finding in it.findings] for it in found}


def test_schedules_are_compared_with_what_ran(store: Store, settings: Settings) -> None:
    """Whoever started it, in this environment; each workflow for itself."""
    keep(store, [a_schedule("login"), a_schedule("order"), a_schedule("off", enabled=False)])
    for minutes in (-10, -5, 0):
        ran(store, "login", minutes)
    ran(store, "order", -10)
    ran(store, "order", -5, environment="production")
    ran(store, "order", 0, trigger=Trigger.MANUAL)
    assert kinds(store, settings, 4) == {"login": [], "order": ["missed", "missed"]}


def test_any_time_can_be_asked_about(store: Store, settings: Settings) -> None:
    """From an instant on, some workflows only."""
    keep(store, [a_schedule("login"), a_schedule("order")])
    found = check(store, settings, noon(4), since=noon(-30), workflow_ids=["order"])
    assert [(it.schedule.workflow_id, it.expected, len(it.findings)) for it in found] == [
        ("order", 7, 7)
    ]


def test_what_does_not_run_alerts_until_it_does(store: Store, settings: Settings) -> None:
    """One alert for each workflow, told as one incident; a late run does not end it."""
    keep(
        store,
        [
            a_schedule(name, cron_expression="0 * * * *", priority=Priority.CRITICAL)
            for name in ("login", "order")
        ],
    )

    def look(minutes: float) -> list[tuple[str, str, str]]:
        found = check(store, settings, noon(minutes))
        alert(store, settings, found, noon(minutes))
        return [
            (it.workflow_id, it.kind.value, it.reason)
            for it in reversed(store.alerts(project=PROJECT, open_only=True))
        ]

    ran(store, "login", 0)
    ran(store, "order", 0)
    assert look(1) == []
    ran(store, "login", 60)
    (opened,) = look(64)
    assert opened == ("order", "missed", "the slot of 2026-03-02 13:00:00 UTC: nothing ran")
    assert look(65) == [opened]
    ran(store, "order", 100)
    (late,) = look(101)
    assert late[2].endswith("began 40 min late by ci")
    ran(store, "order", 120)
    assert [name for name, _, _ in look(121)] == []


def test_an_alert_ends_with_its_schedule(store: Store, settings: Settings) -> None:
    """What is not scheduled any more cannot be missed."""
    keep(store, [a_schedule()])
    alert(store, settings, check(store, settings, noon(4)), noon(4))
    assert len(store.alerts(project=PROJECT, open_only=True)) == 1
    store.remove_schedules(PROJECT, ENVIRONMENT, ["order"], noon(5))
    alert(store, settings, check(store, settings, noon(6)), noon(6))
    assert store.alerts(project=PROJECT, open_only=True) == ()
