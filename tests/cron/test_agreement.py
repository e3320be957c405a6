"""An independent implementation comes to the same times.

cronsim promises what Debian's cron does, too. Compared is what both promise: going backwards,
cronsim finds nothing in a gap; it forgets which showing of an ambiguous time a fixed time starts
from; and it counts on changes of whole hours that leave midnight alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_workflow_monitor.cron import previous_time, times
from tests.cron.definition import changes, meanings

if TYPE_CHECKING:
    from tests.cron.definition import Change, Meaning

SHOWN = 12
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Sydney", "Europe/Dublin")
CHANGES = [change for zone in ZONES for change in changes(zone)]
BEFORE = st.timedeltas(timedelta(hours=4), timedelta(hours=60))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 - UTC below
DAYS = st.sampled_from(["*", "L", "13", "1,L", "10-20", "*/9", "31"])
WEEKDAYS = st.sampled_from(["*", "mon#1", "5L", "sun", "tue#5", "mon,3#2", "1-5", "7"])
MONTHS = st.sampled_from(["*", "mar", "jan,jul", "4-10", "*/5"])


@settings(deadline=None)  # cronsim goes minute by minute
@given(meanings(), st.sampled_from(CHANGES), BEFORE)
def test_around_changes_of_clocks(meaning: Meaning, change: Change, before: timedelta) -> None:
    """The same times from some hours before a change of clocks on."""
    start = change.at - before
    theirs = CronSim(meaning.text, start.astimezone(ZoneInfo(change.zone)))
    expected = [it.astimezone(UTC) for it in islice(theirs, SHOWN)]
    assert list(islice(times(meaning.text, change.zone, start), SHOWN)) == expected


@settings(deadline=None)
@given(DAYS, MONTHS, WEEKDAYS, MOMENTS)
def test_days(day: str, month: str, weekday: str, moment: datetime) -> None:
    """The same days, forwards and backwards, whatever the two fields of days say."""
    expression = f"30 12 {day} {month} {weekday}"
    start = moment.replace(tzinfo=UTC)
    assert list(islice(times(expression, "UTC", start), SHOWN)) == list(
        islice(CronSim(expression, start), SHOWN)
    )
    earlier = next(CronSim(expression, start, reverse=True), None)
    assert earlier is None or previous_time(expression, "UTC", start) == earlier
