from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.reporting.times import due_period
from pytest_workflow_monitor.settings.report_rules import CRONS, ReportRule
from pytest_workflow_monitor.words.periods import PeriodKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings

BERLIN = "Europe/Berlin"


def moment(text: str) -> datetime:
    """Return an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rule(kind: str = "daily", **fields: Any) -> ReportRule:
    """Return a report of a kind, by default made when its kind usually is."""
    period = PeriodKind(kind)
    given: dict[str, Any] = {"name": kind, "period": period, "cron": CRONS[period]}
    return ReportRule(**(given | fields))


@pytest.mark.parametrize(
    ("kind", "now", "start", "end"),
    [
        ("hourly", "2026-11-12 14:05", "2026-11-12 13:00", "2026-11-12 14:00"),
        ("hourly", "2026-11-12 14:04:59", "2026-11-12 12:00", "2026-11-12 13:00"),
        ("daily", "2026-11-12 08:00", "2026-11-11 00:00", "2026-11-12 00:00"),
        ("daily", "2026-11-12 07:59:59", "2026-11-10 00:00", "2026-11-11 00:00"),
        ("weekly", "2026-11-12 14:00", "2026-11-02 00:00", "2026-11-09 00:00"),
        ("monthly", "2026-11-12 14:00", "2026-10-01 00:00", "2026-11-01 00:00"),
    ],
)
def test_a_report_is_about_the_period_that_was_over_when_it_was_last_due(
    settings_for: Callable[..., Settings], kind: str, now: str, start: str, end: str
) -> None:
    """From the second on at which its cron expression holds, and until it holds again."""
    found = due_period(rule(kind), settings_for(), moment(now))
    assert (found.start, found.end) == (moment(start), moment(end))


def test_a_scheduler_that_was_away_makes_the_last_one_only(
    settings_for: Callable[..., Settings],
) -> None:
    """Days later there is one period that is due, not each that was missed."""
    found = due_period(rule(), settings_for(), moment("2026-11-15 21:30"))
    assert found.start == moment("2026-11-14")


@pytest.mark.parametrize(
    ("now", "start", "hours"),
    [
        ("2026-03-30 06:00", "2026-03-28 23:00", 23),
        ("2026-10-26 07:00", "2026-10-24 22:00", 25),
        ("2026-10-25 07:00", "2026-10-23 22:00", 24),
    ],
)
def test_days_are_those_of_the_zone_when_its_clocks_change(
    settings_for: Callable[..., Settings], now: str, start: str, hours: int
) -> None:
    """Eight in the morning and midnight are local; the day has 23 or 25 hours."""
    settings = settings_for(timezone=BERLIN)
    found = due_period(rule(), settings, moment(now))
    assert found.start == moment(start)
    assert found.length.total_seconds() == hours * 3600


def test_the_hour_that_comes_twice_has_two_reports(settings_for: Callable[..., Settings]) -> None:
    """In the night clocks go back, every hour is reported once, and none is left out."""
    settings = settings_for(timezone=BERLIN)
    ends = [
        due_period(rule("hourly"), settings, moment(f"2026-10-25 {hour:02d}:05")).end
        for hour in range(4)
    ]
    assert ends == [moment(f"2026-10-25 {hour:02d}:00") for hour in range(4)]


def test_a_report_has_a_zone_of_its_own(settings_for: Callable[..., Settings]) -> None:
    """It comes before that of the settings."""
    found = due_period(
        rule(timezone="America/New_York"),
        settings_for(timezone=BERLIN),
        moment("2026-11-12 13:00"),
    )
    assert (found.start, found.timezone) == (moment("2026-11-11 05:00"), "America/New_York")
