"""Periods of any zone follow on each other without gap or overlap, also when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.words.periods import Period, PeriodKind, last_period

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Santiago",
    "Africa/Cairo",
)
"""With hours, half hours and quarters; clocks change at night, at midnight, by half an hour."""

KINDS = (PeriodKind.HOURLY, PeriodKind.DAILY, PeriodKind.WEEKLY, PeriodKind.MONTHLY)
LEAST = {
    PeriodKind.HOURLY: timedelta(minutes=30),
    PeriodKind.DAILY: timedelta(hours=23),
    PeriodKind.WEEKLY: timedelta(days=7, hours=-1),
    PeriodKind.MONTHLY: timedelta(days=28, hours=-1),
}
MOST = {
    PeriodKind.HOURLY: timedelta(minutes=60),
    PeriodKind.DAILY: timedelta(hours=25),
    PeriodKind.WEEKLY: timedelta(days=7, hours=1),
    PeriodKind.MONTHLY: timedelta(days=31, hours=1),
}

moments = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - the zone is drawn beside it
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
zones = st.sampled_from(ZONES)
kinds = st.sampled_from(KINDS)


@given(kinds, moments, zones)
def test_the_last_period_is_over_and_the_next_is_not(
    kind: PeriodKind, now: datetime, zone: str
) -> None:
    """It ends now at the latest, and one as long would end later."""
    period = last_period(kind, now, zone)
    assert period.start < period.end <= now
    assert now - period.end < MOST[kind]
    assert LEAST[kind] <= period.length <= MOST[kind]


@given(kinds, moments, zones)
def test_it_begins_where_a_calendar_says(kind: PeriodKind, now: datetime, zone: str) -> None:
    """Days begin at midnight of the zone, weeks on Monday, months on the first."""
    period = last_period(kind, now, zone)
    for moment in (period.start, period.end):
        local = moment.astimezone(ZoneInfo(zone))
        assert (local.second, local.microsecond) == (0, 0)
        if kind is PeriodKind.HOURLY:
            continue
        yesterday = (moment - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        assert yesterday.date() == local.date() - timedelta(days=1)
        if kind is PeriodKind.WEEKLY:
            assert local.weekday() == 0
        if kind is PeriodKind.MONTHLY:
            assert local.day == 1


@given(kinds, moments, zones)
def test_periods_follow_on_each_other(kind: PeriodKind, now: datetime, zone: str) -> None:
    """Going back through ten of them, each ends where the next begins."""
    periods = [last_period(kind, now, zone)]
    while len(periods) < 10:
        periods.append(periods[-1].before())
    for later, earlier in pairwise(periods):
        assert earlier.end == later.start
        assert (earlier.kind, earlier.timezone) == (kind, zone)


@given(kinds, moments, zones)
def test_a_period_is_found_again_at_its_end(kind: PeriodKind, now: datetime, zone: str) -> None:
    """Whoever asks at its end, or a moment later, gets the same."""
    period = last_period(kind, now, zone)
    assert last_period(kind, period.end, zone) == period
    assert last_period(kind, period.end + timedelta(seconds=1), zone) == period


@given(moments, zones)
def test_the_same_day_a_week_earlier(now: datetime, zone: str) -> None:
    """It is the day of the same name, whole, whatever clocks did in between."""
    day = last_period(PeriodKind.DAILY, now, zone)
    earlier = day.week_before()
    assert earlier is not None
    assert last_period(PeriodKind.DAILY, earlier.end, zone) == earlier
    local, before = (it.start.astimezone(ZoneInfo(zone)) for it in (day, earlier))
    assert before.date() == local.date() - timedelta(days=7)


def test_a_week_before_a_day_without_midnight() -> None:
    """In Santiago the clocks of 8 September 2024 went from 0:00 to 1:00."""
    now = datetime(2024, 9, 9, 0, tzinfo=UTC)
    day = last_period(PeriodKind.DAILY, now, "America/Santiago")
    assert day.end == datetime(2024, 9, 8, 4, tzinfo=UTC)
    earlier = day.week_before()
    assert earlier is not None
    assert earlier.end == datetime(2024, 9, 1, 4, tzinfo=UTC)
    assert earlier.length == timedelta(hours=24)


@given(moments, st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=90)))
def test_a_custom_period_is_compared_with_one_as_long(start: datetime, length: timedelta) -> None:
    """Whatever instants it lies between."""
    period = Period(kind=PeriodKind.CUSTOM, start=start, end=start + length)
    before = period.before()
    assert (before.end, before.length) == (start, length)
    assert period.week_before() is None


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2026-10-26", 24),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Kathmandu", "2026-03-29", 24),
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(zone: str, day: str, hours: float) -> None:
    """23 or 25 hours when they change by one, half an hour more where they change by half."""
    morning = datetime.fromisoformat(f"{day}T08:00").replace(tzinfo=ZoneInfo(zone))
    period = last_period(PeriodKind.DAILY, morning + timedelta(days=1), zone)
    assert period.start == datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    assert period.length == timedelta(hours=hours)
