"""A window says the same whether days, hours or single executions are added up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_workflow_monitor.analysis.period.facts import NOTHING, Key, Sums
from pytest_workflow_monitor.store.periods import Window
from tests.history.playing import PROJECT

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store

FIRST = datetime(2026, 6, 3, tzinfo=UTC)
MINUTES = 14 * 24 * 60
whole_days = st.integers(0, 14).map(lambda it: it * 24 * 60)
whole_hours = st.integers(0, 14 * 24).map(lambda it: it * 60)
any_minutes = st.integers(0, MINUTES)
cuts = st.lists(whole_days | whole_hours | any_minutes, min_size=3, max_size=3, unique=True)


def sums_of(store: Store, start: int, end: int) -> dict[Key, Sums]:
    places = ["production", "staging"]
    begin = FIRST + timedelta(minutes=start)
    return store.window_workflows(
        Window(PROJECT, places, None, begin, FIRST + timedelta(minutes=end))
    )


@settings(max_examples=60, deadline=None)
@given(cuts)
def test_two_windows_add_up_to_both(shop: Store, found: list[int]) -> None:
    """Wherever one is cut: at midnight, on the hour, or in between."""
    start, cut, end = sorted(found)
    whole = sums_of(shop, start, end)
    one, other = sums_of(shop, start, cut), sums_of(shop, cut, end)
    assert set(whole) == set(one) | set(other)
    for key, sums in whole.items():
        added = one.get(key, NOTHING) + other.get(key, NOTHING)
        for field in Sums.__struct_fields__:
            if field == "total_ms":
                assert added.total_ms == pytest.approx(sums.total_ms)
            else:
                assert getattr(added, field) == getattr(sums, field), field


def test_each_way_to_add_up_gives_the_same(shop: Store) -> None:
    """Three days as days, as hours, and as executions."""
    days = sums_of(shop, 5 * 1440, 8 * 1440)
    hours: dict[Key, Sums] = {}
    minutes: dict[Key, Sums] = {}
    for found, parts in (
        (hours, range(5 * 1440, 8 * 1440, 360)),
        (minutes, range(5 * 1440, 8 * 1440, 90)),
    ):
        for start in parts:
            for key, sums in sums_of(shop, start, start + parts.step).items():
                found[key] = found.get(key, NOTHING) + sums
    for key, sums in days.items():
        for found in (hours, minutes):
            assert found[key].durations == sums.durations
            assert (found[key].runs, found[key].bad, found[key].flaky) == (
                sums.runs, sums.bad, sums.flaky,
            )  # fmt: skip
    assert set(days) == set(hours) == set(minutes)
