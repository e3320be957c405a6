"""Cuts a series where its mean changes: PELT, through ``ruptures`` where it is installed.

Source: Killick, Fearnhead and Eckley, "Optimal detection of changepoints with a linear
computational cost", JASA 107 (2012). Short series are cut here, which is exact; for long ones the
library (extra ``analysis``, Python 3.11 to 3.13) is some fifty times quicker, but takes a second
to import, and with a shortest segment its pruning may miss the optimum by a little. Without it
long series are cut here too.
"""

from __future__ import annotations

from collections import deque
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WORTH_IMPORTING = 2_000
"""From so many values on the library is quicker, with the time of its import."""


def cuts(values: Sequence[float], penalty: float, least: int) -> list[int]:
    """Return the indices at which new segments begin, rising, without 0.

    Args:
        values: The series.
        penalty: What a cut must take off the sum of squared deviations.
        least: The length of the shortest segment.
    """
    if len(values) < 2 * least:
        return []
    if len(values) >= WORTH_IMPORTING:
        try:
            return cuts_by_library(values, penalty, least)
        except ImportError:
            pass
    return cuts_here(values, penalty, least)


def cuts_by_library(values: Sequence[float], penalty: float, least: int) -> list[int]:
    """Cut by the library; raises ImportError without it."""
    import numpy as np
    from ruptures import KernelCPD

    method = KernelCPD(kernel="linear", min_size=least).fit(np.asarray(values, dtype=float))
    return [int(end) for end in method.predict(pen=penalty)[:-1]]


def cuts_here(values: Sequence[float], penalty: float, least: int) -> list[int]:
    """Cut without any library."""
    sums = [0.0, *accumulate(values)]
    squares = [0.0, *accumulate(value * value for value in values)]
    cost = [-penalty] + [0.0] * len(values)
    previous = [0] * (len(values) + 1)
    starts = [0]
    hopeless: deque[set[int]] = deque()
    for end in range(least, len(values) + 1):
        total, square = sums[end], squares[end]
        costs = [
            cost[start] + square - squares[start] - (total - sums[start]) ** 2 / (end - start)
            for start in starts
        ]
        best = min(costs)
        cost[end] = best + penalty
        previous[end] = starts[costs.index(best)]
        pairs = zip(starts, costs, strict=True)
        hopeless.append({start for start, value in pairs if value > cost[end]})
        if len(hopeless) == least:
            starts = [start for start in starts if start not in hopeless[0]]
            hopeless.popleft()
        if end + 1 - least >= least:
            starts.append(end + 1 - least)
    return _traced(previous)


def _traced(previous: list[int]) -> list[int]:
    found = []
    end = len(previous) - 1
    while previous[end]:
        end = previous[end]
        found.append(end)
    return found[::-1]
