"""Tests that look at ranks only, so that no outlier and no skew of the values matters."""

from __future__ import annotations

from itertools import groupby, pairwise
from math import erfc, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def two_sided(deviation: float) -> float:
    """Return how probable a standard normal value is that lies at least so far out."""
    return erfc(abs(deviation) / sqrt(2))


def middle_ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value, from 1; equal ones share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    passed = 0
    for _, group in groupby(order, key=values.__getitem__):
        places = list(group)
        for place in places:
            ranks[place] = passed + (len(places) + 1) / 2
        passed += len(places)
    return ranks


def rank_sum(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """Compare two groups by the test of Mann and Whitney (1947), with ties.

    Returns:
        The standardised deviation, positive when ``after`` is higher; and the probability that a
        value of ``after`` is the higher one of a pair.
    """
    ranks = middle_ranks([*before, *after])
    fewer, more = len(before), len(after)
    wins = sum(ranks[fewer:]) - more * (more + 1) / 2
    size = fewer + more
    mean_rank = (size + 1) / 2
    scatter = sum((rank - mean_rank) ** 2 for rank in ranks)
    variance = fewer * more * scatter / (size * (size - 1)) if size > 1 else 0.0
    deviation = (wins - fewer * more / 2) / sqrt(variance) if variance > 0 else 0.0
    return deviation, wins / (fewer * more)


def persistence(left: Sequence[float]) -> float:
    """Return how much a value tells of the next: the rank correlation of neighbours, 0 to 0.95."""
    if len(left) < 4:  # noqa: PLR2004 - no correlation of two pairs
        return 0.0
    ranks = middle_ranks(left)
    mean = (len(ranks) + 1) / 2
    scatter = sum((rank - mean) ** 2 for rank in ranks)
    together = sum((one - mean) * (other - mean) for one, other in pairwise(ranks))
    return min(max(together / scatter if scatter else 0.0, 0.0), 0.95)


def inflation(correlation: float) -> float:
    """Return how much larger the variance of a mean of persistent values is than of independent."""
    return (1 + correlation) / (1 - correlation)
