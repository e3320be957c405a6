from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.cron.rhythm import EPOCH, next_beat, offset_of, previous_beat

INTERVALS = st.integers(1, 366 * 86400)
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - UTC by the strategy
SECOND = timedelta(seconds=1)


@given(INTERVALS, MOMENTS, st.text())
def test_beats_are_an_interval_apart_and_counted_from_the_epoch(
    every: int, moment: datetime, workflow_id: str
) -> None:
    """Forwards and backwards the same beats, none between the two around an instant."""
    later, earlier = (
        next_beat(every, moment, workflow_id),
        previous_beat(every, moment, workflow_id),
    )
    interval = every * SECOND
    assert earlier < moment < later
    assert later - earlier in {interval, 2 * interval}
    assert (later - earlier == interval) or (later - interval == moment)
    assert next_beat(every, later, workflow_id) == later + interval
    assert previous_beat(every, later, workflow_id) == later - interval
    assert (later - EPOCH - offset_of(every, workflow_id) * SECOND) % interval == timedelta(0)


def test_the_offset_follows_from_the_id_alone() -> None:
    """The same on every machine and for ever: the CRC-32 of the id."""
    assert offset_of(300, "login") == 292
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert next_beat(300, noon, "login") == datetime(2026, 3, 1, 12, 4, 52, tzinfo=UTC)


def test_workflows_of_one_interval_are_spread() -> None:
    """A thousand workflows every five minutes start about three a second, not all at once."""
    offsets = [offset_of(300, f"shop.check-{number}") for number in range(1000)]
    assert max(map(offsets.count, offsets)) < 15
