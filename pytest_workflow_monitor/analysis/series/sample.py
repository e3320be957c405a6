"""A small sorted sample of what was normal lately, and how far out a value must lie to be strange.

The limits follow the tails of the sample by peaks over threshold: the excesses over a high quantile
are taken for exponential with a slight bend, the mean of which is estimated without the largest of
them, and the limit is that of a *next* value, so that few values give wide limits.

Sources: Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3
(1975); Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory", KDD 2017; the mean
of censored exponential values after Epstein and Sobel, JASA 48 (1953).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TAIL_SHARE = 0.1
LEAST_TAIL = 5
CENSORED = 8
"""Of so many excesses in a tail, one is left out of the estimate, the largest."""

BEND = -0.07
"""The shape of the tail: 0 is exponential; normal values have about -0.1 at our limits."""

IQR_OF_NORMAL = 1.349
MAD_OF_NORMAL = 1.4826


class Sample:
    """Values in the order of their size.

    Args:
        values: Those to begin with, in any order.
    """

    __slots__ = ("ordered",)

    def __init__(self, values: Iterable[float] = ()) -> None:
        self.ordered = sorted(values)

    def add(self, value: float) -> None:
        """Put in one more."""
        insort(self.ordered, value)

    def remove(self, value: float) -> None:
        """Take out one that is in it."""
        del self.ordered[bisect_left(self.ordered, value)]

    def quantile(self, share: float) -> float:
        """Interpolate linearly between the closest ranks."""
        return quantile(self.ordered, share)

    @property
    def spread(self) -> float:
        """The standard deviation of normal values with these quartiles."""
        return (self.quantile(0.75) - self.quantile(0.25)) / IQR_OF_NORMAL

    def limits(self, rate: float) -> tuple[float, float]:
        """Return the range that a next value leaves with this probability, half on either side."""
        ordered = self.ordered
        size = max(LEAST_TAIL, round(TAIL_SHARE * len(ordered)))
        if len(ordered) < 2 * size:
            size = max(1, len(ordered) // 2)
        above = [value - ordered[-size - 1] for value in ordered[-size:]]
        below = [ordered[size] - value for value in reversed(ordered[:size])]
        ratio = size / len(ordered) / (rate / 2)
        return (
            ordered[size] - reach(below, ratio),
            ordered[-size - 1] + reach(above, ratio),
        )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of sorted values, interpolated linearly between the closest ranks."""
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def reach(excesses: Sequence[float], ratio: float) -> float:
    """Say how far beyond its threshold a next value comes once in ``ratio`` times.

    Args:
        excesses: Distances of the values beyond the threshold, rising.
        ratio: How much rarer than passing the threshold it shall be.
    """
    if ratio <= 1:
        return 0.0
    size = len(excesses)
    known = size - max(1, size // CENSORED) if size > 1 else size
    mean = (sum(excesses[:known]) + (size - known) * excesses[known - 1]) / known
    bend = BEND + 1 / known
    return mean * (1 - BEND) * float(ratio**bend - 1) / bend
