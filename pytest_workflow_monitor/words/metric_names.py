"""What is measured without being asked for: one name and one unit each, everywhere."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from math import inf
from typing import Any

PAGE_UNITS = {
    "ttfb_ms": "ms",
    "fcp_ms": "ms",
    "lcp_ms": "ms",
    "cls": "",
    "inp_ms": "ms",
    "tbt_ms": "ms",
    "dom_content_loaded_ms": "ms",
    "load_ms": "ms",
    "transfer_bytes": "bytes",
    "requests": "",
    "performance_score": "",
}
"""Measured on every visit of a page."""

ATTEMPT_UNITS = {
    "api_count": "",
    "api_median_ms": "ms",
    "api_p95_ms": "ms",
    "api_slowest_ms": "ms",
    "failed_requests": "",
    "console_errors": "",
    "network_bytes": "bytes",
    "browser_peak_memory_mb": "MB",
    "browser_cpu_seconds": "s",
    "process_peak_memory_mb": "MB",
    "process_cpu_seconds": "s",
}
"""Measured once for each attempt."""

UNITS = {**PAGE_UNITS, **ATTEMPT_UNITS}

MORE_IS_BETTER = frozenset({"performance_score"})
"""Of these a budget is the smallest good value."""

_NEAR = 0.8
"""How alike two names are that one is taken for a slip of the pen."""


def check_budgets(value: Any) -> dict[str, float]:
    """Return budgets as numbers by the names of metrics.

    Any name is allowed, for a test may measure what it likes, but one that is nearly that of a
    known metric.

    Raises:
        ValueError: Something else was given; the message says what and what is allowed.
    """
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ValueError("expected a dict of metric names and their largest good values")
    for name, limit in value.items():
        is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
        if not is_number or not 0 <= limit < inf:
            raise ValueError(f"the budget of {name!r} is {limit!r}; expected a number from 0")
        near = _nearest(name)
        if near is not None:
            raise ValueError(
                f"unknown metric {name!r}; did you mean {near!r}? "
                "A metric of your own needs a name less like it"
            )
    return {name: float(limit) for name, limit in value.items()}


def _nearest(name: str) -> str | None:
    """Return the known name that was probably meant; None for a known name and for one's own."""
    if name in UNITS:
        return None
    plain = name.lower()
    near = difflib.get_close_matches(plain, UNITS, n=1, cutoff=_NEAR)
    without_unit = [known for known in UNITS if known.rpartition("_")[0] == plain]
    return next(iter([*near, *without_unit]), None)
