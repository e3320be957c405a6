from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_workflow_monitor.alerting.windows import open_windows
from pytest_workflow_monitor.settings.alert_rules import Maintenance

HOUR = 3600.0


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_window(cron: str = "0 2 * * *", hours: float = 2, **fields: Any) -> Maintenance:
    defaults = {"name": "nightly", "timezone": "Europe/Berlin"}
    return Maintenance(cron=cron, duration_seconds=hours * HOUR, **(defaults | fields))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-06-01T23:59:59.999999", None),
        ("2026-06-02T00:00:00", "2026-06-02T02:00"),
        ("2026-06-02T01:59:59.999999", "2026-06-02T02:00"),
        ("2026-06-02T02:00:00", None),
    ],
)
def test_a_window_is_open_from_its_time_for_its_duration(now: str, until: str | None) -> None:
    """Open at the first instant, closed at the last, in the window's own time zone."""
    found = open_windows([a_window(match={"environment": ("production",)})], utc(now))
    assert [it.until for it in found] == ([utc(until)] if until else [])
    assert all(
        it.name == "nightly" and it.match == {"environment": ("production",)} for it in found
    )


@pytest.mark.parametrize(
    ("night", "opens", "closes"),
    [
        ("29 March, 02:00 is skipped", "2026-03-29T01:00", "2026-03-29T03:00"),
        ("25 October, 02:00 comes twice", "2026-10-25T00:00", "2026-10-25T02:00"),
    ],
)
def test_in_the_nights_clocks_change_it_is_as_long_as_ever(
    night: str, opens: str, closes: str
) -> None:
    """It opens once, and two hours are two hours, whatever the clock on the wall says."""
    start, end = utc(opens), utc(closes)
    open_at = [
        minute
        for minute in range(24 * 60)
        if open_windows([a_window()], start.replace(hour=minute // 60, minute=minute % 60))
    ]
    assert len(open_at) == 120, night
    assert open_at == list(range(start.hour * 60, end.hour * 60))


def test_a_window_may_last_for_days_and_open_again_meanwhile() -> None:
    """What opens every hour for two is never closed; a weekend lasts until Monday."""
    always = a_window("0 * * * *", hours=2)
    assert open_windows([always], utc("2026-06-02T10:30"))[0].until == utc("2026-06-02T12:00")
    weekend = a_window("0 18 * * fri", hours=60, timezone="UTC")
    assert open_windows([weekend], utc("2026-06-07T23:00"))[0].until == utc("2026-06-08T06:00")
    assert not open_windows([weekend], utc("2026-06-08T06:00"))


def test_only_open_windows_are_returned_in_their_order() -> None:
    """Several may be open at once."""
    windows = [a_window(name=name, cron=cron) for name, cron in _NAMED]
    assert [it.name for it in open_windows(windows, utc("2026-06-02T00:30"))] == ["a", "c"]
    assert open_windows([], utc("2026-06-02T00:30")) == ()


_NAMED = (("a", "0 2 * * *"), ("b", "0 12 * * *"), ("c", "30 1 * * *"))
