"""What the earlier executions of a workflow tell about this one: what is normal, and since when.

Pure functions; histories are oldest first and do not hold the execution itself.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import PROBLEMS, Record, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.model import Execution, HistoryPoint

RECENT_RUNS = 20
MINIMUM_SAMPLE = 3
"""Passed runs that history must hold before a duration is called normal."""

SLOW_FACTOR = 1.5
"""A duration beyond the normal range counts as slow from this multiple of the median."""

_WITHOUT_VERDICT = frozenset({Status.SKIPPED, Status.RUNNING})


class Normal(Record, frozen=True, kw_only=True):
    """What is normal for a duration: median, 10th and 90th percentile of the earlier passes."""

    median_ms: float
    low_ms: float
    high_ms: float
    sample_size: int

    def is_exceeded_by(self, duration_ms: float | None) -> bool:
        """Tell whether a duration is beyond the range and clearly above the median."""
        return (
            duration_ms is not None
            and duration_ms > self.high_ms
            and duration_ms >= SLOW_FACTOR * self.median_ms
        )


class Streak(Record, frozen=True, kw_only=True):
    """How long a problem lasts: ``runs`` in a row with this one, the first at ``since_at``.

    ``runs_before`` counts the runs in a row without the problem before that, as far as known; 0
    means that it may have begun earlier.
    """

    runs: int
    since_at: datetime
    runs_before: int


def normal_duration(history: Sequence[HistoryPoint]) -> Normal | None:
    """Compute the normal duration from the passes in a history; None from fewer than three.

    Percentiles interpolate linearly between the closest ranks.
    """
    passed = sorted(
        point.duration_ms
        for point in history
        if point.status is Status.PASSED and point.duration_ms is not None
    )
    if len(passed) < MINIMUM_SAMPLE:
        return None
    return Normal(
        median_ms=_percentile(passed, 0.5),
        low_ms=_percentile(passed, 0.1),
        high_ms=_percentile(passed, 0.9),
        sample_size=len(passed),
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def against_normal(execution: Execution) -> str:
    """Say ``normally 4.2 s, now 9.8 s``; "" when nothing is known to compare with."""
    normal = normal_duration(execution.history)
    if normal is None or execution.duration_ms is None:
        return ""
    usual, now = wording.duration(normal.median_ms), wording.duration(execution.duration_ms)
    return f"normally {usual}, now {now}"


def streak(execution: Execution) -> Streak | None:
    """Count the runs in a row that failed, or that were degraded, up to this one.

    Skipped and running ones are passed over. None for an execution without that problem, and for
    one without history.
    """
    status = execution.status
    points = [point for point in execution.history if point.status not in _WITHOUT_VERDICT]
    if not points or not (status in PROBLEMS or status is Status.DEGRADED):
        return None
    wanted = PROBLEMS if status in PROBLEMS else frozenset({Status.DEGRADED})
    same = _trailing([point.status in wanted for point in points])
    before = _trailing([point.status not in wanted for point in points[: len(points) - same]])
    since_at = points[-same].started_at if same else execution.started_at
    return Streak(runs=same + 1, since_at=since_at, runs_before=before)


def _trailing(flags: Sequence[bool]) -> int:
    """Count how many flags at the end are all true."""
    return next((n for n, flag in enumerate(reversed(flags)) if not flag), len(flags))


def since(execution: Execution, *, zone: tzinfo = UTC) -> str:
    """Say since when: ``failing since 14:20 (3 runs)``; "" when the history does not tell."""
    before, moment, after = since_parts(execution)
    if moment is None:
        return before
    said = wording.instant(moment, reference=execution.started_at, zone=zone)
    return f"{before} {said} {after}"


def since_parts(execution: Execution) -> tuple[str, datetime | None, str]:
    """Say since when, with the instant apart, for pages that show it in the reader's zone."""
    found = streak(execution)
    if found is None:
        return flakiness(execution), None, ""
    if found.runs == 1:
        return f"new in this run, not in the {found.runs_before:,} before", None, ""
    at_least = "" if found.runs_before else " at least"
    return f"{since_word(execution)} since{at_least}", found.since_at, f"({found.runs:,} runs)"


def since_word(execution: Execution) -> str:
    """Name the problem as something that goes on: ``failing`` or ``degraded``."""
    return "failing" if execution.status in PROBLEMS else "degraded"


def flakiness(execution: Execution) -> str:
    """Say how often a flaky workflow was flaky lately; "" when it is not or never was before."""
    recent = execution.history[-(RECENT_RUNS - 1) :]
    if not execution.is_flaky or not recent:
        return ""
    count = 1 + sum(point.is_flaky for point in recent)
    return f"flaky in {count} of the last {len(recent) + 1} runs"
