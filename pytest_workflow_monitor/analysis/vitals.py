"""What measurements of a page are called, and how good their values are.

The limits are those of https://web.dev/articles/vitals and, for the total blocking time and the
performance score, of Lighthouse (https://developer.chrome.com/docs/lighthouse/performance).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pytest_workflow_monitor.words.metric_names import MORE_IS_BETTER


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
    "api_count": "API responses",
    "api_median_ms": "API response, median",
    "api_p95_ms": "API response, 95th percentile",
    "api_slowest_ms": "API response, slowest",
    "failed_requests": "Failed requests",
    "console_errors": "Console errors",
    "network_bytes": "Received by pages",
    "browser_peak_memory_mb": "Browser, most memory",
    "browser_cpu_seconds": "Browser, processor time",
    "process_peak_memory_mb": "Test process, most memory",
    "process_cpu_seconds": "Test process, processor time",
}
"""What people call the metrics that are measured without being asked for."""


def rating(name: str, value: float) -> Rating | None:
    """Rate a metric; None for one that nobody has published limits of."""
    vital = VITALS.get(name)
    if vital is None:
        return None
    sign = -1 if name in MORE_IS_BETTER else 1
    if sign * value <= sign * vital.good:
        return Rating.GOOD
    return Rating.NEEDS_IMPROVEMENT if sign * value <= sign * vital.poor else Rating.POOR


def verdict(name: str, budget: str, *, is_within: bool | None) -> str:
    """Say how a metric does against its budget: ``beyond 2.5 s``, ``within 2.5 s``."""
    if is_within is None or not budget:
        return ""
    if name in MORE_IS_BETTER:
        return f"at least {budget}" if is_within else f"below {budget}"
    return f"within {budget}" if is_within else f"beyond {budget}"
