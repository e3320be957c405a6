"""How values are spread, as counts of buckets that can be added up over any window.

The idea is DDSketch's (Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch
with relative-error guarantees", 2019): bucket *i* holds the values in ``(1.01**(i-1), 1.01**i]``,
so a quantile is known to within half a per cent of itself, however many values there are.
"""

from __future__ import annotations

from collections import Counter
from math import ceil, log
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

GROWTH = 1.01
"""How much wider each bucket is than the one before; the store's ``bucket_of`` uses it too."""

SMALLEST = 1e-9
LARGEST = 1e12

NOTHING = -32768
"""The bucket of what is not positive: it counts as 0."""


class Distribution(Record, frozen=True, kw_only=True):
    """Counts of buckets, in ascending order of the buckets.

    Attributes:
        buckets: Those that hold something, ascending.
        counts: How many values each holds.
    """

    buckets: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How many values there are."""
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """Return the value below which a share of the values lies, to within half a per cent.

        Args:
            share: Between 0 and 1; 0.95 for the 95th percentile (nearest rank).

        Returns:
            The value in the unit of those counted, or None if there are none.
        """
        if not self.counts:
            return None
        rank = max(1, ceil(share * self.size))
        seen = 0
        for bucket, count in zip(self.buckets, self.counts, strict=True):
            seen += count
            if seen >= rank:
                return _value(bucket)
        return _value(self.buckets[-1])

    def __add__(self, other: Distribution) -> Distribution:
        total = Counter(dict(zip(self.buckets, self.counts, strict=True)))
        total.update(dict(zip(other.buckets, other.counts, strict=True)))
        return _distribution(total)


def distribution(values: Iterable[float]) -> Distribution:
    """Count values by bucket."""
    return _distribution(Counter(map(bucket_of, values)))


def bucket_of(value: float) -> int:
    """Return the bucket of a value."""
    if value <= SMALLEST:
        return NOTHING
    return ceil(log(min(value, LARGEST)) / log(GROWTH))


def _distribution(counts: Counter[int]) -> Distribution:
    buckets = tuple(sorted(counts))
    return Distribution(buckets=buckets, counts=tuple(counts[bucket] for bucket in buckets))


def _value(bucket: int) -> float:
    """The value that no other in its bucket is further from than half a per cent of itself."""
    return 0.0 if bucket == NOTHING else 2 * GROWTH**bucket / (GROWTH + 1)
