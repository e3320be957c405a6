"""What a badge says: how workflows stand, and how often they succeeded lately."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import Record, Status

if TYPE_CHECKING:
    from collections.abc import Sequence


class Score(Record, frozen=True, kw_only=True):
    """How a workflow did: its latest status with a verdict, and counts of its executions."""

    workflow_id: str
    status: Status
    succeeded: int
    failed: int


class Badge(Record, frozen=True, kw_only=True):
    """A badge: whose it is, what it says, and the status that gives it mark and colour."""

    label: str
    message: str
    status: Status


def badge(label: str, scores: Sequence[Score], window_seconds: float) -> Badge:
    """Say how one workflow stands, or how many of several do not pass.

    Args:
        label: Whose badge it is.
        scores: The workflows that ran.
        window_seconds: How far back they were counted.
    """
    executions = sum(it.succeeded + it.failed for it in scores)
    if not executions:
        return Badge(label=label, message="no data", status=Status.SKIPPED)
    share = wording.percent(sum(it.succeeded for it in scores) / executions)
    for status, word, bad in (
        (Status.FAILED, "failing", [it for it in scores if it.status.is_problem]),
        (Status.DEGRADED, "degraded", [it for it in scores if it.status is Status.DEGRADED]),
    ):
        if bad:
            return _made(label, status, _of(len(bad), scores, word), share, window_seconds)
    return _made(label, Status.PASSED, "passing", share, window_seconds)


def _made(label: str, status: Status, stand: str, share: str, window_seconds: float) -> Badge:
    window = wording.duration(window_seconds * 1000)
    return Badge(label=label, message=f"{stand} {share} {window}", status=status)


def _of(count: int, scores: Sequence[Score], word: str) -> str:
    return word if len(scores) == 1 else f"{count:,} of {len(scores):,} {word}"
