"""The few facts of an execution that states and risks are told from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.series.sample import quantile
from pytest_workflow_monitor.model import PROBLEMS, Record, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GOOD = frozenset({Status.PASSED, Status.DEGRADED})


class Run(Record, frozen=True, kw_only=True):
    """One execution of a workflow.

    ``commit`` is "" where none is known; such runs count as one commit. ``attempts`` counts all
    tries, so that a pass with two was masked by a retry. ``duration_ms`` is the deciding one's.
    ``error`` is what its error is known by, such as a fingerprint; "" where that is not known.
    """

    at: datetime
    status: Status
    commit: str = ""
    attempts: int = 1
    duration_ms: float | None = None
    error: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether it ended as a problem, after all its attempts."""
        return self.status in PROBLEMS

    @property
    def was_masked(self) -> bool:
        """Whether it passed, but not at the first attempt."""
        return self.status in _GOOD and self.attempts > 1


def decided(runs: Iterable[Run]) -> list[Run]:
    """Select those with a verdict, oldest first: neither skipped nor running nor interrupted."""
    told = (_GOOD | PROBLEMS) - {Status.INTERRUPTED}
    return sorted((run for run in runs if run.status in told), key=lambda run: run.at)


def durations(runs: Iterable[Run]) -> list[float]:
    """Return the durations of the passes, in order."""
    return [run.duration_ms for run in runs if run.status in _GOOD and run.duration_ms is not None]


def median(values: Sequence[float]) -> float:
    """Return the median of at least one value."""
    return quantile(sorted(values), 0.5)
