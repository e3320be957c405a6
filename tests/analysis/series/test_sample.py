"""The sample: quantiles, and limits that a next value leaves as rarely as asked."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.analysis.series.sample import Sample, quantile

numbers = st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=60)


@given(numbers, st.floats(-1e6, 1e6))
def test_it_stays_sorted(values: list[float], more: float) -> None:
    """Whatever comes and goes."""
    sample = Sample(values)
    sample.add(more)
    assert sample.ordered == sorted([*values, more])
    sample.remove(more)
    assert sample.ordered == sorted(values)
    assert sample.quantile(0.5) == pytest.approx(median(values))


@given(numbers)
def test_rarer_is_wider(values: list[float]) -> None:
    """And the range holds the middle."""
    sample = Sample(values)
    ranges = [sample.limits(rate) for rate in (0.1, 0.01, 0.001)]
    for (low, high), (lower, higher) in pairwise(ranges):
        assert lower <= low <= sample.quantile(0.5) <= high <= higher


@pytest.mark.parametrize("size", [12, 30, 100, 200])
def test_a_next_value_leaves_the_range_as_rarely_as_asked(size: int) -> None:
    """Of normal values: one in 100, whatever the size of the sample; few give wide ranges."""
    random = Random(size)
    out = 0
    for _ in range(2_000):
        low, high = Sample(random.gauss(0, 1) for _ in range(size)).limits(0.01)
        out += sum(not low <= random.gauss(0, 1) <= high for _ in range(5))
    assert 0.002 < out / 10_000 < 0.015


def test_quantiles_are_interpolated() -> None:
    """Between the closest ranks."""
    assert [quantile([1.0, 2.0, 4.0], share) for share in (0, 0.25, 0.5, 0.75, 1)] == [
        1, 1.5, 2, 3, 4,
    ]  # fmt: skip
