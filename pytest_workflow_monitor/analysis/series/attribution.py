"""Which commit or deployment came with a change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_workflow_monitor.analysis.series.changes import Change


class CauseKind(StrEnum):
    """What may have caused a change."""

    COMMIT = "commit"
    DEPLOYMENT = "deployment"


class Cause(Record, frozen=True, kw_only=True):
    """Something that may have caused a change.

    Attributes:
        kind: A commit of the tests' repository, or a deployment of the system under test.
        name: The commit, or what the deployment is called.
        at: When it was first seen: the first execution with the commit, or the deployment itself.
    """

    kind: CauseKind
    name: str
    at: datetime


def first_seen(executions: Iterable[tuple[datetime, str]]) -> tuple[Cause, ...]:
    """Return each commit at the instant of the first execution with it, oldest first.

    The first commit of all is left out: nothing tells when it came. Executions without a commit
    ("") tell nothing.

    Args:
        executions: Instant and commit of each, in any order.
    """
    seen: dict[str, datetime] = {}
    for at, commit in sorted(executions):
        if commit:
            seen.setdefault(commit, at)
    causes = [Cause(kind=CauseKind.COMMIT, name=name, at=at) for name, at in seen.items()]
    return tuple(causes[1:])


def attribute(change: Change, causes: Iterable[Cause]) -> Cause | None:
    """Return what came with a change, if anything did.

    It is the first of those that came after the last value at the old level and not after the
    first one at the new level; where there is none, the one nearest to that within the uncertainty
    of the change's place. What came at another time is not blamed.
    """
    near = [cause for cause in causes if change.earliest_at < cause.at <= change.latest_at]
    return min(near, key=lambda cause: (_seconds_off(cause, change), cause.at), default=None)


def _seconds_off(cause: Cause, change: Change) -> float:
    if cause.at <= change.after_at:
        return (change.after_at - cause.at).total_seconds()
    return max((cause.at - change.at).total_seconds(), 0.0)
