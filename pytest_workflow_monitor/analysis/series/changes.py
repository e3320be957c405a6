"""Finds where the level of a series changed for good.

Rhythms of days and weeks are taken out; the values are brought to one scale by a robust estimate of
their noise, clipped, and cut by PELT. Each cut must then stand a rank test between its neighbours,
corrected for how persistent the values are; cuts that do not are taken out, the weakest first.
Sources, cost and measured quality are in ``docs/analysis.md``.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from math import exp, log, sqrt
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.series import ranks
from pytest_workflow_monitor.analysis.series.baselines import Scale
from pytest_workflow_monitor.analysis.series.profile import without_rhythm
from pytest_workflow_monitor.analysis.series.sample import MAD_OF_NORMAL, quantile
from pytest_workflow_monitor.analysis.series.segmentation import cuts
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_POSITIVE = 1e-6
CLIP = 4.0
"""Values count up to so many standard deviations from the middle of their neighbours."""

PENALTY = 3.0
"""What a cut costs, in natural logarithms of the number of values and variances of the noise."""

MEAN_OF_NORMAL = 1.2533
MOST_PERSISTENT = 0.9
NEIGHBOURS = 8
"""Values on either side whose median a value is clipped against."""

CREDIBLE = 7.0
"""How much worse than at the best place the fit may be where a change may as well have been."""


class Change(Record, frozen=True, kw_only=True):
    """The level of a series changed.

    Attributes:
        index: Of the first value at the new level.
        at: Its instant.
        after_at: The instant of the last value at the old level: the change lies between the two.
        earliest_at: With the uncertainty of the place, the change lies after this instant.
        latest_at: And not after this one.
        before: The median of the old level, since the change before this one; without the rhythm
            of days and weeks, if the series has one.
        after: The median of the new level, up to the next change.
        ratio: New by old; None where the old level is zero or signs differ.
        confidence: How sure it is that this is no chance, 0 to 1.
        sample_before: Values at the old level.
        sample_after: Values at the new one.
    """

    index: int
    at: datetime
    after_at: datetime
    earliest_at: datetime
    latest_at: datetime
    before: float
    after: float
    ratio: float | None
    confidence: float
    sample_before: int
    sample_after: int


def find_changes(
    instants: Sequence[datetime],
    values: Sequence[float],
    *,
    scale: Scale = Scale.LOG,
    least_points: int = 8,
    least_share: float = 0.05,
    least_difference: float = 0.0,
    significance: float = 1e-3,
) -> tuple[Change, ...]:
    """Return the changes of level, oldest first.

    Args:
        instants: When each value was measured, rising.
        values: Finite numbers, as many.
        scale: Ratios, for positive values; or differences.
        least_points: How many values a level must hold to be one.
        least_share: A change below this share of the old level is none.
        least_difference: Nor is one below this, in the unit of the values.
        significance: The largest probability of a chance, of the rank test of each cut.
    """
    series = _Series(instants, values, scale)
    if series.size < 2 * least_points or series.noise <= 0:
        return ()
    found = cuts(series.level, PENALTY * log(series.size), least_points)
    changes = series.changes(found)
    while changes:
        weakest = min(changes, key=lambda change: change.confidence)
        small = [
            change
            for change in changes
            if abs(change.after - change.before)
            < max(least_share * abs(change.before), least_difference)
        ]
        if small:
            weakest = min(small, key=lambda change: abs(change.after - change.before))
        elif 1 - weakest.confidence <= significance:
            return changes
        changes = series.changes([c.index for c in changes if c is not weakest])
    return ()


class _Series:
    """A series brought to one scale: its noise has the long-run variance of one."""

    def __init__(self, instants: Sequence[datetime], values: Sequence[float], scale: Scale) -> None:
        self.instants = instants
        self.size = len(values)
        is_log = scale is Scale.LOG
        work = [log(max(value, LEAST_POSITIVE)) for value in values] if is_log else list(values)
        work = without_rhythm(instants, work)
        self.values = list(map(exp, work)) if is_log else work
        self.noise, self.persistence = _noise(work)
        if self.noise <= 0:
            return
        unit = self.noise * sqrt(ranks.inflation(self.persistence))
        self.level = [value / unit for value in _clipped(work, CLIP * self.noise)]

    def changes(self, found: Sequence[int]) -> tuple[Change, ...]:
        """Describe what changes at each of the cuts."""
        edges = [0, *found, self.size]
        left = [
            value - middle
            for start, end in pairwise(edges)
            for middle in [quantile(sorted(self.level[start:end]), 0.5)]
            for value in self.level[start:end]
        ]
        persistence = max(self.persistence, ranks.persistence(left))
        return tuple(
            self._change(start, end, persistence)
            for start, end in zip(edges, edges[2:], strict=False)
        )

    def _change(self, start: int, end: int, persistence: float) -> Change:
        first, best, last = _place(self.level[start:end])
        first, cut, last = first + start, best + start, last + start
        before, after = self.values[start:cut], self.values[cut:end]
        deviation, _ = ranks.rank_sum(before, after)
        chance = ranks.two_sided(deviation / sqrt(ranks.inflation(persistence)))
        old, new = quantile(sorted(before), 0.5), quantile(sorted(after), 0.5)
        return Change(
            index=cut,
            at=self.instants[cut],
            after_at=self.instants[cut - 1],
            earliest_at=self.instants[first - 1],
            latest_at=self.instants[last],
            before=old,
            after=new,
            ratio=new / old if old * new > 0 else None,
            confidence=1 - chance,
            sample_before=len(before),
            sample_after=len(after),
        )


def _noise(work: Sequence[float]) -> tuple[float, float]:
    """Return the standard deviation about the level, and the correlation of neighbours.

    Both follow from the differences of values one and two apart, in which changes of level have no
    part but at the few places where they happen. Where most neighbours are equal, the mean tells
    what the median cannot.
    """
    near, far = (
        sorted(abs(other - one) for one, other in zip(work, work[lag:], strict=False))
        for lag in (1, 2)
    )
    if not far:
        return 0.0, 0.0
    spread = MAD_OF_NORMAL * quantile(near, 0.5)
    if spread <= 0:
        return MEAN_OF_NORMAL * sum(near) / len(near) / sqrt(2), 0.0
    further = MAD_OF_NORMAL * quantile(far, 0.5)
    correlation = min(max((further / spread) ** 2 - 1, 0.0), MOST_PERSISTENT)
    return spread / sqrt(2 * (1 - correlation)), correlation


def _clipped(work: Sequence[float], most: float) -> list[float]:
    clipped = []
    for place, value in enumerate(work):
        around = sorted(work[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1])
        middle = around[len(around) // 2]
        clipped.append(min(max(value, middle - most), middle + most))
    return clipped


def _place(level: Sequence[float]) -> tuple[int, int, int]:
    """Return the best cut in a stretch with one change, between the first and last credible one."""
    total, size = sum(level), len(level)
    gains, passed = [0.0], 0.0
    for cut in range(1, size):
        passed += level[cut - 1]
        gains.append(passed**2 / cut + (total - passed) ** 2 / (size - cut))
    best = max(range(1, size), key=gains.__getitem__)
    credible = [cut for cut in range(1, size) if gains[cut] >= gains[best] - CREDIBLE]
    return credible[0], best, credible[-1]
