"""Response times of the API requests of an attempt, by pages and by HTTP clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.recording.recorder import Recorder


def response_times(requests: Sequence[tuple[float, bool]]) -> dict[str, float]:
    """Return count, median, 95th percentile and the slowest; nothing where there were none.

    The percentile is the smallest duration that at least 95 % of the requests do not exceed (the
    nearest rank), so that it is one that was measured. Failed requests count as well.

    Args:
        requests: Of each request how long it took, in milliseconds, and whether it failed.
    """
    if not requests:
        return {}
    from statistics import median

    durations = sorted(duration for duration, _ in requests)
    rank = -(-len(durations) * 95 // 100)
    return {
        "api_count": float(len(durations)),
        "api_median_ms": median(durations),
        "api_p95_ms": durations[rank - 1],
        "api_slowest_ms": durations[-1],
    }


def failures(recorder: Recorder) -> dict[str, float]:
    """Count the requests that failed, and what pages reported as errors of their scripts."""
    requests = errors = 0
    for event in recorder.details.events:
        if event.level != "error":
            continue
        if event.kind is EventKind.REQUEST:
            requests += 1 + event.repeated
        elif event.kind in {EventKind.CONSOLE, EventKind.PAGE_ERROR}:
            errors += 1 + event.repeated
    return {"failed_requests": float(requests), "console_errors": float(errors)}
