"""When a limit will be broken, if a series goes on as it does.

The slope is the median of the slopes of all pairs (Theil 1950, Sen 1968), its interval and whether
there is one at all follow from the test of Mann and Kendall, with the variance widened for
persistent values after Hamed and Rao (1998, here with neighbours only).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations, pairwise
from math import sqrt
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.series import ranks
from pytest_workflow_monitor.analysis.series.sample import quantile
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_POINTS = 120
"""Longer series are shortened to medians of neighbours: the pairs grow with the square."""

SECONDS_A_DAY = 86_400.0
DEVIATION_95 = 1.96


class Forecast(Record, frozen=True, kw_only=True):
    """A series heads for a limit.

    Attributes:
        limit: The limit.
        level: Where the trend line is now.
        slope_per_day: By how much the values change a day.
        slope_low: Where the 95 % interval of the slope begins.
        slope_high: Its end.
        breaks_at: When the trend line meets the limit; not before now.
        earliest_at: The same with the steep end of the interval.
        latest_at: The same with the flat end; None where that takes longer than the horizon.
        confidence: How sure it is that there is a trend at all, 0 to 1.
        sample_size: Values that it rests on.
    """

    limit: float
    level: float
    slope_per_day: float
    slope_low: float
    slope_high: float
    breaks_at: datetime
    earliest_at: datetime
    latest_at: datetime | None
    confidence: float
    sample_size: int


def forecast(
    instants: Sequence[datetime],
    values: Sequence[float],
    limit: float,
    *,
    now: datetime,
    least_points: int = 8,
    significance: float = 0.01,
    horizon: timedelta = timedelta(days=30),
) -> Forecast | None:
    """Say when a rising series breaks its limit, or None.

    None while there are too few values, the slope may be chance, the values do not rise, the limit
    is broken already, or it will not be within the horizon or as much time again as was seen.

    Args:
        instants: When each value was measured, rising.
        values: As many; per execution or medians of days. Since the last change of level only:
            a step is no slope.
        limit: The largest good value.
        now: The present.
        least_points: So many values are needed.
        significance: The largest probability of a slope by chance.
        horizon: How far to look ahead at most.
    """
    if len(values) < least_points:
        return None
    days = [(instant - now).total_seconds() / SECONDS_A_DAY for instant in instants]
    points = _shortened(days, values)
    trend = _trend(points, significance)
    if trend is None:
        return None
    low, slope, high, confidence = trend
    level = quantile(sorted(value - slope * day for day, value in points), 0.5)
    ahead = min(horizon.total_seconds() / SECONDS_A_DAY, days[-1] - days[0])
    if level >= limit or (limit - level) / slope > ahead:
        return None
    pivot = quantile([day for day, _ in points], 0.5)
    room = limit - (level + slope * pivot)
    earliest = max(pivot + room / high, 0.0)
    latest = pivot + room / low
    return Forecast(
        limit=limit,
        level=level,
        slope_per_day=slope,
        slope_low=low,
        slope_high=high,
        breaks_at=now + timedelta(days=(limit - level) / slope),
        earliest_at=now + timedelta(days=earliest),
        latest_at=now + timedelta(days=latest) if latest <= horizon.days else None,
        confidence=confidence,
        sample_size=len(values),
    )


def _shortened(days: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    points = list(zip(days, values, strict=True))
    if len(points) <= MOST_POINTS:
        return points
    edges = [round(number * len(points) / MOST_POINTS) for number in range(MOST_POINTS + 1)]
    return [
        (
            quantile([day for day, _ in points[begin:end]], 0.5),
            quantile(sorted(value for _, value in points[begin:end]), 0.5),
        )
        for begin, end in pairwise(edges)
    ]


def _trend(
    points: Sequence[tuple[float, float]], significance: float
) -> tuple[float, float, float, float] | None:
    """Return the slope between the ends of its interval, and how sure it is; None if it is not."""
    pairs = [(b[0] - a[0], b[1] - a[1]) for a, b in combinations(points, 2) if b[0] > a[0]]
    if not pairs:
        return None
    slopes = sorted(rise / run for run, rise in pairs)
    slope = quantile(slopes, 0.5)
    size = len(points)
    left = [value - slope * day for day, value in points]
    scatter = sqrt(
        size * (size - 1) * (2 * size + 5) / 18 * ranks.inflation(ranks.persistence(left))
    )
    score = sum((rise > 0) - (rise < 0) for _, rise in pairs)
    chance = ranks.two_sided(max(abs(score) - 1, 0) / scatter)
    share = DEVIATION_95 * scatter / len(slopes) / 2
    low, high = (quantile(slopes, min(max(0.5 + off, 0.0), 1.0)) for off in (-share, share))
    if slope <= 0 or low <= 0 or chance > significance:
        return None
    return low, slope, high, 1 - chance
