"""What measurements of a page are called, and how good their values are.

The limits are those of https://web.dev/articles/vitals and, for the total blocking time and the
performance score, of Lighthouse (https://developer.chrome.com/docs/lighthouse/performance).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Rating(StrEnum):
    """How good a value is for people who use the page."""

    GOOD = "good"
    NEEDS_IMPROVEMENT = "needs improvement"
    POOR = "poor"


class Vital(NamedTuple):
    """A measurement with the last value that is good and the last that is not yet poor."""

    name: str
    good: float
    poor: float


VITALS = {
    "ttfb_ms": Vital("Time to first byte", 800, 1_800),
    "fcp_ms": Vital("First contentful paint", 1_800, 3_000),
    "lcp_ms": Vital("Largest contentful paint", 2_500, 4_000),
    "cls": Vital("Layout shift", 0.1, 0.25),
    "inp_ms": Vital("Interaction to next paint", 200, 500),
    "tbt_ms": Vital("Total blocking time", 200, 600),
    "performance_score": Vital("Performance score", 90, 50),
}
"""The rated metrics by name. Of all but the score, less is better."""

NAMES = {name: vital.name for name, vital in VITALS.items()} | {
    "dom_content_loaded_ms": "Document ready",
    "load_ms": "Loaded",
    "transfer_bytes": "Transferred",
    "requests": "Requests",
}


def rating(name: str, value: float) -> Rating | None:
    """Rate a metric; None for one that nobody has published limits of."""
    vital = VITALS.get(name)
    if vital is None:
        return None
    sign = 1 if vital.good < vital.poor else -1
    if sign * value <= sign * vital.good:
        return Rating.GOOD
    return Rating.NEEDS_IMPROVEMENT if sign * value <= sign * vital.poor else Rating.POOR
