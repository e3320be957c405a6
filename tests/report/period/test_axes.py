"""Axes have round values, a label at both ends of time, and no two labels in one place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.report.period.axes import ticks, time_ticks
from pytest_workflow_monitor.words.period_report import Form

START = datetime(2026, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("low", "high", "form", "expected"),
    [
        (0.96, 1.0, Form.SHARE, [0.96, 0.97, 0.98, 0.99, 1.0]),
        (0.0, 3_400.0, Form.DURATION, [0.0, 1_000.0, 2_000.0, 3_000.0]),
        (0.0, 120_000.0, Form.DURATION, [0.0, 30_000.0, 60_000.0, 90_000.0, 120_000.0]),
        (5.0, 5.0, Form.NUMBER, [5.0]),
    ],
)
def test_values_are_round(low: float, high: float, form: Form, expected: list[float]) -> None:
    """Of durations in halves and quarters of minutes, else in ones, twos and fives."""
    assert ticks(low, high, form) == pytest.approx(expected)


@given(st.integers(1, 400))
def test_days_are_labelled_from_first_to_last(days: int) -> None:
    """However many there are: a handful of labels, those in between with room."""
    end = START + timedelta(days=days)
    found = time_ticks(START, end, UTC)
    assert (found[0].place, found[-1].place) == (0.0, 100.0)
    assert len(found) <= 10
    assert all(after.place - before.place >= 10 for before, after in pairwise(found))
    assert not found[0].is_extra
    assert not found[-1].is_extra


def test_hours_of_a_day_are_of_the_zone() -> None:
    """Every sixth, from midnight to midnight."""
    labels = [it.label for it in time_ticks(START, START + timedelta(days=1), UTC)]
    assert labels == ["00:00", "06:00", "12:00", "18:00", "00:00"]
