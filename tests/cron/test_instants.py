"""The nights when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_workflow_monitor.cron import next_time, previous_time, times
from tests.cron.definition import Change, Meaning, all_changes, changes, meanings, offset

HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
HALF_AN_HOUR = timedelta(minutes=30)

NOTABLE = [
    change
    for zone in (
        "Europe/Berlin",
        "America/New_York",
        "America/Havana",
        "America/Santiago",
        "America/Scoresbysund",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Antarctica/Troll",
        "Asia/Almaty",
        "Asia/Beirut",
        "Australia/Lord_Howe",
        "Europe/Dublin",
        "Pacific/Chatham",
    )
    for change in changes(zone)
]
"""Changes of half an hour, one and two hours, at midnight, towards summer in winter, once."""


def walked(expression: str, zone: str, first: datetime, last: datetime) -> list[datetime]:
    """All instants of a stretch of time, its ends included."""
    found = times(expression, zone, first - MICROSECOND)
    return list(takewhile(lambda it: it <= last, found))


def walked_back(expression: str, zone: str, first: datetime, last: datetime) -> list[datetime]:
    """The same, from its end."""
    found = []
    moment = previous_time(expression, zone, last + MICROSECOND)
    while moment >= first:
        found.append(moment)
        moment = previous_time(expression, zone, moment)
    return found[::-1]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["28T01:30", "29T01:00", "30T00:30"]),
        ("0 2 * * *", ["28T01:00", "29T01:00", "30T00:00"]),
        ("59 1 * * *", ["28T00:59", "29T00:59", "29T23:59"]),
        ("0 3 * * *", ["28T02:00", "29T01:00", "30T01:00"]),
        (
            "0,30 2,3 * * *",
            ["28T01:00", "28T01:30", "28T02:00", "28T02:30", "29T01:00", "29T01:30"],
        ),
        ("30 * * * *", ["28T00:30", "28T01:30", "28T02:30"]),
        ("*/30 2 * * *", ["28T01:00", "28T01:30", "30T00:00"]),
        ("30 2 29 3 *", ["29T01:00"]),
        ("0 */2 29 3 *", ["28T23:00", "29T02:00", "29T04:00"]),
    ],
)
def test_the_night_clocks_go_forward_in_berlin(expression: str, expected: list[str]) -> None:
    """2026-03-29 from 02:00 to 03:00: what is skipped runs at 03:00, unless it is wild."""
    found = islice(times(expression, "Europe/Berlin", utc("2026-03-28T00:00")), len(expected))
    assert list(found) == [utc(f"2026-03-{it}") for it in expected]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["24T00:30", "25T00:30", "26T01:30"]),
        ("0 2 * * *", ["24T00:00", "25T00:00", "26T01:00"]),
        ("0 3 * * *", ["24T01:00", "25T02:00", "26T02:00"]),
        ("30 1-3 25 10 *", ["24T23:30", "25T00:30", "25T02:30"]),
        ("30 * 25 10 *", ["24T22:30", "24T23:30", "25T00:30", "25T01:30", "25T02:30"]),
        ("*/30 2 * * *", ["24T00:00", "24T00:30", "25T00:00", "25T00:30", "25T01:00", "25T01:30"]),
    ],
)
def test_the_night_clocks_go_back_in_berlin(expression: str, expected: list[str]) -> None:
    """2026-10-25 from 03:00 to 02:00: a fixed time runs the first time, a wild one both times."""
    found = islice(times(expression, "Europe/Berlin", utc("2026-10-23T12:00")), len(expected))
    assert list(found) == [utc(f"2026-10-{it}") for it in expected]


def test_fixed_times_run_once_a_day_in_all_zones() -> None:
    """For every change from 2024 to 2030: skipped times run right after it, others once."""
    assert len(all_changes()) > 2500
    for change in all_changes():
        start, end = change.walls
        for wall in (start, start + (end - start) / 2, end - timedelta(minutes=1), end):
            expression = f"{wall.minute} {wall.hour} * * *"
            before, at, after = (_fixed(change, wall + timedelta(days=day)) for day in (-1, 0, 1))
            found = walked(expression, change.zone, before, after)
            assert found == [before, at, after], (change, expression)
            assert walked_back(expression, change.zone, before, after) == found, (
                change,
                expression,
            )


def _fixed(change: Change, wall: datetime) -> datetime:
    """When a fixed time runs, for wall times near a change."""
    start, end = change.walls
    if change.is_gap and start <= wall < end:
        return change.at
    is_before = wall < start if change.is_gap else wall < end
    return (wall - (change.before if is_before else change.after)).replace(tzinfo=UTC)


@pytest.mark.parametrize("expression", ["*/30 * * * *", "15 * * * *"])
def test_wild_times_keep_their_rhythm_in_all_zones(expression: str) -> None:
    """Every half hour is every half hour; every hour too, where clocks change by whole hours."""
    rhythm = HALF_AN_HOUR if "*/30" in expression else HOUR
    for change in all_changes():
        if (change.after - change.before) % rhythm:
            continue
        first, last = change.at - 3 * HOUR, change.at + 3 * HOUR
        found = walked(expression, change.zone, first, last)
        distances = {later - earlier for earlier, later in pairwise(found)}
        assert distances == {rhythm}, change
        assert found[0] - first < rhythm
        assert last - found[-1] < rhythm
        assert walked_back(expression, change.zone, first, last) == found, change


@settings(deadline=None)  # it looks at thousands of minutes
@given(meanings(), st.sampled_from(NOTABLE))
def test_around_a_change_it_is_what_the_definition_says(meaning: Meaning, change: Change) -> None:
    """Forwards and backwards, exactly the instants found by looking at every minute."""
    around = timedelta(hours=30)
    first, last = change.at - around, change.at + around
    expected = meaning.instants(change, around)
    assert walked(meaning.text, change.zone, first, last) == expected
    assert walked_back(meaning.text, change.zone, first, last) == expected


@given(
    meanings(),
    st.sampled_from(NOTABLE),
    st.timedeltas(-timedelta(hours=26), timedelta(hours=26)),
)
def test_next_and_previous_are_each_others_inverse(
    meaning: Meaning, change: Change, distance: timedelta
) -> None:
    """From any instant, to the microsecond: no instant lies between the two that are told."""
    moment = change.at + distance
    later = next_time(meaning.text, change.zone, moment)
    earlier = previous_time(meaning.text, change.zone, moment)
    assert earlier < moment < later
    assert previous_time(meaning.text, change.zone, later) <= moment
    assert next_time(meaning.text, change.zone, earlier) >= moment
    assert next_time(meaning.text, change.zone, later - MICROSECOND) == later
    assert previous_time(meaning.text, change.zone, earlier + MICROSECOND) == earlier


def test_seconds_stand_last() -> None:
    """A sixth field holds the seconds; in a gap a minute of them becomes one instant."""
    found = islice(times("0 12 * * * 15,45", "UTC", utc("2026-01-01T12:00:15")), 2)
    assert list(found) == [utc("2026-01-01T12:00:45"), utc("2026-01-02T12:00:15")]
    night = walked(
        "30 2 * * * *", "Europe/Berlin", utc("2026-03-29T00:00"), utc("2026-03-29T06:00")
    )
    assert night == [utc("2026-03-29T01:00")]
    moment = utc("2026-10-25T00:30:20")
    assert next_time("30 2 * * * */30", "Europe/Berlin", moment) == moment + timedelta(seconds=10)
    assert next_time("30 2 * * * 0", "Europe/Berlin", moment) == utc("2026-10-26T01:30")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 L * *", ["2027-01-31", "2027-02-28", "2027-03-31"]),
        ("0 0 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 0 29 2 */7", ["2032-02-29", "2060-02-29", "2088-02-29"]),
        ("0 0 * * 1#3", ["2027-01-18", "2027-02-15", "2027-03-15"]),
        ("0 0 * * mon#5", ["2027-03-29", "2027-05-31", "2027-08-30"]),
        ("0 0 * * L5", ["2027-01-29", "2027-02-26", "2027-03-26"]),
        ("0 0 * * friL", ["2027-01-29", "2027-02-26", "2027-03-26"]),
        ("0 0 13 * fri", ["2027-01-01", "2027-01-08", "2027-01-13"]),
        ("0 0 */10 * fri", ["2027-01-01", "2027-05-21", "2027-06-11"]),
        ("0 0 1 jan,jul *", ["2027-01-01", "2027-07-01", "2028-01-01"]),
        ("0 0 * feb sun#1", ["2027-02-07", "2028-02-06", "2029-02-04"]),
    ],
)
def test_days(expression: str, expected: list[str]) -> None:
    """Last days, numbered weekdays, leap years; day and weekday: either, with a star first both."""
    found = islice(times(expression, "UTC", utc("2026-12-31T12:00")), len(expected))
    assert [f"{it:%Y-%m-%d}" for it in found] == expected


def test_a_naive_instant_is_refused() -> None:
    """Whoever forgets the zone hears of it."""
    with pytest.raises(ValueError, match="without a time zone"):
        next_time("* * * * *", "UTC", datetime(2026, 1, 1))  # noqa: DTZ001 - the promise


def test_the_calendar_ends() -> None:
    """Iteration ends there; a question for what is beyond says so."""
    last = utc("9999-12-31T23:58:30")
    assert list(times("* * * * *", "UTC", last)) == [utc("9999-12-31T23:59:00")]
    with pytest.raises(OverflowError):
        next_time("@yearly", "UTC", last)
    with pytest.raises(OverflowError):
        previous_time("@yearly", "UTC", utc("0001-01-01T00:00"))


def test_any_aware_instant_will_do_and_utc_comes_back() -> None:
    """The zone of the question does not matter."""
    asked = utc("2026-06-01T00:00").astimezone(ZoneInfo("Asia/Tokyo"))
    found = next_time("0 9 * * *", "Europe/Berlin", asked)
    assert (found, found.tzinfo) == (utc("2026-06-01T07:00"), UTC)


def test_zones_that_change_their_mind_are_among_them() -> None:
    """The zones are the real ones: Lord Howe moves by half an hour, Troll by two hours."""
    shifts = {abs(it.after - it.before) for it in all_changes()}
    assert {HALF_AN_HOUR, HOUR, 2 * HOUR} <= shifts
    assert offset(utc("2026-07-01T00:00"), ZoneInfo("Antarctica/Troll")) == 2 * HOUR
