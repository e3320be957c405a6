"""Scores a page as Lighthouse 10 does, from what a browser measured by itself.

The score of a metric is the complement of a log-normal distribution at its value. The distribution
goes through two control points: a value of ``p10`` scores 0.9 and one of ``median`` scores 0.5::

    x = ln(value / median) / ln(median / p10)
    score = ½ · erfc(x · erfc⁻¹(⅕))

The control points are Lighthouse 10's, other ones for desktop and mobile pages, and so is the
rounding: to hundredths downwards, after the scores above 0.9 are stretched by a twentieth, so that
a perfect 1 can be reached. The page's score is the mean weighted by FCP 10, LCP 25, TBT 30 and
CLS 25, times 100. Speed Index, weight 10 in Lighthouse, needs a film of the page and is left out;
the others share its weight in proportion.

Lighthouse scores a load that it throttles; this scores the load as it was, with the test's cache,
network and processor. So the two do not agree for the same page, and are not meant to.

Sources: https://developer.chrome.com/docs/lighthouse/performance/performance-scoring and the
audits ``core/audits/metrics/*.js`` of the npm package lighthouse 10.4.0.
"""

from __future__ import annotations

from math import erfc, floor, inf, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

INVERSE_ERFC_OF_A_FIFTH = 0.9061938024368232
BLOCKING_MS = 50.0
QUIET_MS = 5_000.0

WEIGHTS = {"fcp_ms": 10, "lcp_ms": 25, "tbt_ms": 30, "cls": 25}
DESKTOP = {
    "fcp_ms": (934.0, 1_600.0),
    "lcp_ms": (1_200.0, 2_400.0),
    "tbt_ms": (150.0, 350.0),
    "cls": (0.1, 0.25),
}
"""For each metric the values that score 0.9 and 0.5."""
MOBILE = {
    "fcp_ms": (1_800.0, 3_000.0),
    "lcp_ms": (2_500.0, 4_000.0),
    "tbt_ms": (200.0, 600.0),
    "cls": (0.1, 0.25),
}

Task = tuple[float, float]
"""A long task: when it started, and how long it took, in milliseconds."""


def performance_score(values: dict[str, float], *, mobile: bool) -> float | None:
    """Return a page's score from 0 to 100; None unless all four metrics were measured.

    Args:
        values: Metrics by name; those without a weight are ignored.
        mobile: Whether the page was shown as on a telephone, which has its own curves.
    """
    if not WEIGHTS.keys() <= values.keys():
        return None
    curves = MOBILE if mobile else DESKTOP
    total = sum(weight * score(values[name], *curves[name]) for name, weight in WEIGHTS.items())
    return floor(total / sum(WEIGHTS.values()) * 100 + 0.5)


def score(value: float, p10: float, median: float) -> float:
    """Return the score of one metric from 0 to 1, in hundredths."""
    if value <= 0:
        return 1.0
    part = erfc(log(value / median) / log(median / p10) * INVERSE_ERFC_OF_A_FIFTH) / 2
    # at the control points themselves rounding errors must not decide
    if value <= p10:
        part = max(part, 0.9)
    elif value <= median:
        part = max(part, 0.5)
    stretched = part + 0.05 * max(part - 0.9, 0)
    return floor(stretched * 100) / 100


def total_blocking_ms(tasks: Sequence[Task], first_paint_ms: float, ready_ms: float) -> float:
    """Return the total blocking time: of each long task what goes beyond 50 ms.

    Counted are tasks, or the parts of them, after the first contentful paint and until the page
    is quiet: until five seconds without a long task have passed since the paint and the end of
    DOMContentLoaded. Lighthouse also asks for a quiet network.

    Args:
        tasks: The long tasks in order.
        first_paint_ms: When the first content was painted.
        ready_ms: When DOMContentLoaded ended; infinite where it did not.
    """
    total = 0.0
    busy_until = max(first_paint_ms, 0.0 if ready_ms == inf else ready_ms)
    for start, duration in tasks:
        end = start + duration
        if end <= first_paint_ms:
            continue
        if ready_ms != inf and start - busy_until >= QUIET_MS:
            break
        total += max(end - max(start, first_paint_ms) - BLOCKING_MS, 0.0)
        busy_until = max(busy_until, end)
    return total
