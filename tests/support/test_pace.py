"""How quickly time passes on a store's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pytest_workflow_monitor.store import Store
from pytest_workflow_monitor.support.pace import REAL, Pace

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_played_time_meets_real_time() -> None:
    """It is behind before that instant, and passes so many times as quickly."""
    pace = Pace(speed=60, meets_at=NOON)
    assert pace.at(NOON) == NOON
    assert pace.at(NOON - timedelta(minutes=24)) == NOON - timedelta(days=1)
    assert pace.real_seconds(120) == 2
    assert REAL.at(NOON - timedelta(days=1)) == NOON - timedelta(days=1)
    assert (REAL.is_real, pace.is_real) == (True, False)


def test_played_time_can_be_behind() -> None:
    """At real speed or a higher one."""
    pace = Pace(behind_seconds=3600)
    assert pace.at(NOON) == NOON - timedelta(hours=1)
    assert (pace.is_real, pace.real_seconds(120)) == (False, 120)
    pace = Pace(speed=60, meets_at=NOON, behind_seconds=3600)
    assert pace.at(NOON + timedelta(minutes=2)) == NOON + timedelta(hours=1)


def test_the_clock_of_a_store_has_a_pace(database_url: str) -> None:
    """Without one it tells the database's time."""
    with Store(database_url) as store:
        real = store.clock()
        store.pace = Pace(speed=60, meets_at=real + timedelta(minutes=30))
        assert real - timedelta(minutes=29 * 60 + 30) <= store.clock() < real
