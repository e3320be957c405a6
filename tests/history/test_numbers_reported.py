"""Numbers of reports against questions to the raw tables, in windows of every kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pytest_workflow_monitor.words.period_report import HeatMap, LineChart
from pytest_workflow_monitor.words.periods import Period, PeriodKind
from tests.history import asking
from tests.history.asking import ask

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.history.reading import Desk

HALF_A_PER_CENT = 0.00502
"""How well percentiles are known: the 1 % of a bucket, either way from its middle."""


def day(number: int, zone: str = "UTC") -> Period:
    start = datetime(2026, 6, number, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return Period(kind=PeriodKind.DAILY, start=start, end=start + timedelta(days=1), timezone=zone)


def since(start: str, end: str) -> Period:
    return Period(
        kind=PeriodKind.CUSTOM,
        start=datetime.fromisoformat(start).replace(tzinfo=UTC),
        end=datetime.fromisoformat(end).replace(tzinfo=UTC),
    )


PERIODS = {
    "a day with an outage": day(14),
    "a day with little": day(9),
    "a day in Berlin": day(15, "Europe/Berlin"),
    "a day in Kathmandu": day(14, "Asia/Kathmandu"),
    "a day in Adelaide": day(14, "Australia/Adelaide"),
    "an hour": Period(
        kind=PeriodKind.HOURLY,
        start=datetime(2026, 6, 14, 2, tzinfo=UTC),
        end=datetime(2026, 6, 14, 3, tzinfo=UTC),
    ),
    "a week": Period(
        kind=PeriodKind.WEEKLY,
        start=datetime(2026, 6, 8, tzinfo=UTC),
        end=datetime(2026, 6, 15, tzinfo=UTC),
    ),
    "some hours of three days": since("2026-06-13T05:00", "2026-06-15T19:00"),
    "from no hour to no other": since("2026-06-07T13:37:11", "2026-06-14T02:41:59"),
    "all": since("2026-06-03", "2026-06-17"),
}
each = pytest.mark.parametrize("period", PERIODS.values(), ids=PERIODS)


@each
def test_the_figures_of_the_overview(desk: Desk, shop: Store, period: Period) -> None:
    """Executions, rates, the median; incidents, and how long they took to detect and to end."""
    figures = desk.report(period).figures()
    (expected,) = ask(shop, asking.OVERALL, period)
    assert figures["Executions"] == expected["runs"]
    assert figures["Success rate"] == pytest.approx(float(expected["rate"]))
    assert figures["At the first attempt"] == pytest.approx(float(expected["first"]))
    assert figures["Median duration"] == pytest.approx(expected["median"], rel=HALF_A_PER_CENT)
    (times,) = ask(shop, asking.TIMES, period)
    for label, key in (("Mean time to detect", "detect"), ("Mean time to recover", "recover")):
        if times[key] is None:
            assert figures[label] is None
        else:
            assert figures[label] == pytest.approx(float(times[key]))
    assert figures["Incidents"] == len(desk.report(period).rows("incidents"))
    assert figures["Incidents"] >= times["severe"]


@each
def test_the_rows_of_the_workflows(desk: Desk, shop: Store, period: Period) -> None:
    """Runs, failures, availability; percentiles to within half a per cent."""
    rows = {it["workflow"]: it for it in desk.report(period).rows("workflows")}
    expected = {it["workflow_id"]: it for it in ask(shop, asking.OF_EACH, period)}
    assert set(rows) == set(expected)
    for workflow_id, row in rows.items():
        found = expected[workflow_id]
        assert (row["runs"], row["bad"]) == (found["runs"], found["bad"])
        assert row["availability"] == pytest.approx(float(found["availability"]))
        for share in ("p50", "p95", "p99"):
            if found[share] is None:
                assert row[share] is None
            else:
                assert row[share] == pytest.approx(found[share], rel=HALF_A_PER_CENT)


@each
def test_what_it_is_compared_with(desk: Desk, shop: Store, period: Period) -> None:
    """Availability and the 95th percentile against the period before."""
    now = {it["workflow_id"]: it for it in ask(shop, asking.OF_EACH, period)}
    before = {it["workflow_id"]: it for it in ask(shop, asking.OF_EACH, period.before())}
    for row in desk.report(period).rows("workflows"):
        one, other = now[row["workflow"]], before.get(row["workflow"])
        if other is None:
            assert row["against_before"] is None
            continue
        assert row["against_before"] == pytest.approx(
            float(one["availability"] - other["availability"]), abs=1e-9
        )
        if row["p95_change"] is not None:
            assert row["p95_change"] == pytest.approx(
                one["p95"] - other["p95"], abs=HALF_A_PER_CENT * (one["p95"] + other["p95"])
            )


@each
def test_errors_and_slots(desk: Desk, shop: Store, period: Period) -> None:
    """How often each error came, now and before; which slots were missed, and when."""
    rows = {it["fingerprint"]: it for it in desk.report(period).rows("errors")}
    now = {it["fingerprint"]: it for it in ask(shop, asking.ERRORS, period)}
    before = {it["fingerprint"]: it for it in ask(shop, asking.ERRORS, period.before())}
    assert set(rows) == set(now) | set(before)
    for fingerprint, row in rows.items():
        assert row["count"] == now.get(fingerprint, {"count": 0})["count"]
        assert row["before"] == before.get(fingerprint, {"count": 0})["count"]
        assert row["last"] == (now.get(fingerprint) or before[fingerprint])["last"]
    slots = {it["workflow"]: it for it in desk.report(period).rows("slots")}
    for it in (missed := ask(shop, asking.SLOTS, period)):
        row = slots[it["workflow_id"]]
        assert (row["count"], row["first"], row["last"]) == (it["count"], it["first"], it["last"])
    assert len(slots) == len(missed)


@each
def test_the_heat_of_hours(desk: Desk, shop: Store, period: Period) -> None:
    """Each cell counts what was judged and what failed in that hour of the report's zone.

    In a zone that is half an hour off, an hour of UTC is shown in the one that it is mostly in.
    """
    section = desk.report(period).section("hours")
    assert section is not None
    (chart,) = section.blocks
    assert isinstance(chart, HeatMap)
    end = period.end
    wide = Period(
        kind=PeriodKind.CUSTOM,
        start=min(period.start, end - timedelta(days=7)).replace(minute=0, second=0),
        end=end if end.minute == 0 else end.replace(minute=0, second=0) + timedelta(hours=1),
        timezone=period.timezone,
    )
    expected = {(it["day"].day, it["hour"]): it for it in ask(shop, asking.BY_HOUR, wide)}
    shown = {
        (int(label.split()[1]), hour): cell
        for label, cells in zip(chart.days, chart.cells, strict=True)
        for hour, cell in enumerate(cells)
        if cell is not None
    }
    first_day = chart.days[0].split()[1]
    for key, cell in shown.items():
        if str(key[0]) != first_day:
            assert cell == (expected[key]["judged"], expected[key]["bad"]), key


def test_days_of_utc(desk: Desk, shop: Store) -> None:
    """The chart of success rates and the trend of each workflow."""
    reading = desk.report(PERIODS["all"])
    section = reading.section("overview")
    assert section is not None
    chart = section.blocks[1]
    assert isinstance(chart, LineChart)
    days = ask(shop, asking.BY_DAY, PERIODS["all"])
    assert list(chart.instants) == [it["day"] for it in days]
    assert list(chart.series[0].values) == pytest.approx([float(it["rate"]) for it in days])
    trends = {it["workflow_id"]: it["days"] for it in ask(shop, asking.P95_BY_DAY, PERIODS["all"])}
    for row in reading.rows("workflows"):
        there = [it for it in row["trend"] if it is not None]
        assert there == pytest.approx(trends[row["workflow"]], rel=HALF_A_PER_CENT)


@pytest.mark.parametrize("name", ["a day with an outage", "a week", "an hour"])
def test_the_rows_of_steps(desk: Desk, shop: Store, name: str) -> None:
    """How often each step ran, how often it did not pass, and how long it took when it did."""
    period = PERIODS[name]
    expected = {(it["workflow_id"], it["step"]): it for it in ask(shop, asking.STEPS, period)}
    rows = desk.report(period).rows("steps")
    assert rows
    for row in rows:
        found = expected[row["workflow"], row["step"]]
        assert (row["runs"], row["problems"]) == (found["runs"], found["problems"])
        for share in ("p50", "p95"):
            if found[share] is None:
                assert row[share] is None
            else:
                assert row[share] == pytest.approx(found[share], rel=HALF_A_PER_CENT)
