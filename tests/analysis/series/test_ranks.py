"""Tests by ranks: against counting by hand, and against chance."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.analysis.series import ranks

few = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=12)


@given(few, few)
def test_pairs_are_counted(before: list[float], after: list[float]) -> None:
    """How often the later value is the higher one; ties count half."""
    deviation, share = ranks.rank_sum(before, after)
    wins = sum((b > a) + (a == b) / 2 for a in before for b in after)
    assert share == pytest.approx(wins / (len(before) * len(after)))
    assert (deviation > 1e-9) == (share > 0.5 + 1e-9)
    mirrored, _ = ranks.rank_sum(after, before)
    assert mirrored == pytest.approx(-deviation)


def test_chance_is_as_rare_as_told() -> None:
    """Of 2,000 pairs of groups from one source, a twentieth differ at a twentieth."""
    random = Random(1)
    told = 0
    for _ in range(2_000):
        one, other = ([random.expovariate(1) for _ in range(20)] for _ in range(2))
        told += ranks.two_sided(ranks.rank_sum(one, other)[0]) < 0.05
    assert 70 <= told <= 130


def test_persistence_is_seen() -> None:
    """None in noise, and what is in values that follow those before."""
    random = Random(2)
    noise = [random.gauss(0, 1) for _ in range(2_000)]
    following = [0.0]
    for value in noise:
        following.append(0.7 * following[-1] + value)
    assert ranks.persistence(noise) < 0.06
    assert ranks.persistence(following) == pytest.approx(0.7, abs=0.06)
    assert ranks.persistence([1.0, 2.0]) == 0
    assert ranks.persistence([5.0] * 30) == 0
    assert ranks.inflation(0.5) == 3
