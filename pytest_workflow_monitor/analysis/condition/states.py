"""What state a workflow is in, told from its recent executions; one word for one thing.

The rules, the first that fits being the state:

- ``broken``: the last three runs failed, all attempts of them.
- ``flaky``: passes and fails on the same commit: at least two separate bouts of failure with passes
  between them. One outage, however long, is no flakiness; nor are two with different errors.
- ``masked``: passes only by retry: two passes or more, and a tenth of them, needed one.
- ``changed``: since a commit the passes take another time: the level differs by a quarter or more
  from that of the commits before, beyond chance.
- ``slow``: the last five passes take half as long again, or more, as those before, or more than
  the limit, and no commit came with it.
- ``healthy``: none of these; ``unknown`` with fewer than three runs.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.condition.runs import Run, decided, durations, median
from pytest_workflow_monitor.analysis.series import ranks
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_RUNS = 100
LEAST_RUNS = 3
FAILED_IN_A_ROW = 3
LEAST_BOUTS = 2
LEAST_MASKED = 2
MASKED_SHARE = 0.1
LATEST = 5
LEAST_EARLIER = 10
SLOW_RATIO = 1.5
CHANGED_RATIO = 1.25
LEAST_WITH_COMMIT = 5
SIGNIFICANCE = 1e-3


class State(StrEnum):
    """What is to be said of a workflow, the most urgent first."""

    BROKEN = "broken"
    FLAKY = "flaky"
    MASKED = "masked"
    CHANGED = "changed"
    SLOW = "slow"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"


class Assessment(Record, frozen=True, kw_only=True):
    """The state of a workflow.

    Attributes:
        state: The first that fits.
        reason: What was seen, in one sentence; "" for healthy and unknown.
        also: The other states that fit, in their order.
        commit: The commit it is about: the flaky one, or the one that changed it.
        sample_size: Executions with a verdict that were looked at.
    """

    state: State
    reason: str = ""
    also: tuple[State, ...] = ()
    commit: str = ""
    sample_size: int = 0


class _Finding(Record, frozen=True, kw_only=True):
    state: State
    reason: str
    commit: str = ""


def assess(runs: Iterable[Run], *, limit_ms: float | None = None) -> Assessment:
    """Tell the state of one workflow in one environment.

    Args:
        runs: Its recent executions, in any order; the last 100 count.
        limit_ms: The duration from which a pass is degraded, if there is one.
    """
    recent = decided(runs)[-MOST_RUNS:]
    if len(recent) < LEAST_RUNS:
        return Assessment(state=State.UNKNOWN, sample_size=len(recent))
    looks = (_broken(recent), _flaky(recent), _masked(recent), _changed(recent))
    found = [finding for finding in looks if finding]
    if not any(finding.state is State.CHANGED for finding in found):
        found += filter(None, [_slow(recent, limit_ms)])
    if not found:
        return Assessment(state=State.HEALTHY, sample_size=len(recent))
    return Assessment(
        state=found[0].state,
        reason=found[0].reason,
        also=tuple(finding.state for finding in found[1:]),
        commit=found[0].commit,
        sample_size=len(recent),
    )


def _broken(runs: Sequence[Run]) -> _Finding | None:
    streak = next((n for n, run in enumerate(reversed(runs)) if not run.has_failed), len(runs))
    if streak < FAILED_IN_A_ROW:
        return None
    return _Finding(state=State.BROKEN, reason=f"the last {streak} runs failed")


def _flaky(runs: Sequence[Run]) -> _Finding | None:
    by_commit: dict[str, list[Run]] = {}
    for run in runs:
        by_commit.setdefault(run.commit, []).append(run)
    for commit, same in reversed(by_commit.items()):
        bouts = _bouts(same)
        if len(bouts) >= LEAST_BOUTS and not _are_events(bouts):
            failed = sum(run.has_failed for run in same)
            where = f"commit {commit[:10]}" if commit else "what is one commit as far as known"
            reason = f"{failed} of {len(same)} runs of {where} failed, {len(bouts)} times anew"
            return _Finding(state=State.FLAKY, reason=reason, commit=commit)
    return None


def _bouts(runs: Sequence[Run]) -> list[set[str]]:
    """The errors of each bout of failure."""
    return [
        {run.error for run in bout}
        for has_failed, bout in groupby(runs, key=lambda run: run.has_failed)
        if has_failed
    ]


def _are_events(bouts: Sequence[set[str]]) -> bool:
    """Whether there are only two bouts, and known errors that they do not share."""
    return len(bouts) == LEAST_BOUTS and "" not in bouts[0] | bouts[1] and not bouts[0] & bouts[1]


def _masked(runs: Sequence[Run]) -> _Finding | None:
    passed = [run for run in runs if not run.has_failed]
    masked = sum(run.was_masked for run in passed)
    if masked < LEAST_MASKED or masked < MASKED_SHARE * len(passed):
        return None
    return _Finding(state=State.MASKED, reason=f"{masked} of {len(passed)} passes needed a retry")


def _changed(runs: Sequence[Run]) -> _Finding | None:
    """Compare the passes since each change of commit with those before; the clearest counts."""
    best: tuple[float, _Finding] | None = None
    for place, (one, other) in enumerate(pairwise(runs), start=1):
        if one.commit == other.commit or not other.commit:
            continue
        before, after = durations(runs[:place]), durations(runs[place:])
        if min(len(before), len(after)) < LEAST_WITH_COMMIT or median(before) <= 0:
            continue
        deviation = abs(ranks.rank_sum(before, after)[0])
        ratio = median(after) / median(before)
        if ranks.two_sided(deviation) > SIGNIFICANCE or 1 / CHANGED_RATIO < ratio < CHANGED_RATIO:
            continue
        reason = (
            f"passes took {wording.duration(median(before))}, since commit {other.commit[:10]} "
            f"{wording.duration(median(after))}"
        )
        finding = _Finding(state=State.CHANGED, reason=reason, commit=other.commit)
        if best is None or deviation > best[0]:
            best = deviation, finding
    return best[1] if best else None


def _slow(runs: Sequence[Run], limit_ms: float | None) -> _Finding | None:
    took = durations(runs)
    earlier, latest = took[:-LATEST], took[-LATEST:]
    if len(latest) < LATEST:
        return None
    now = median(latest)
    seen = f"the last {LATEST} passes took {wording.duration(now)}"
    if limit_ms is not None and now > limit_ms:
        reason = f"{seen}, more than the limit of {wording.duration(limit_ms)}"
        return _Finding(state=State.SLOW, reason=reason)
    if len(earlier) < LEAST_EARLIER or now < SLOW_RATIO * median(earlier):
        return None
    before = wording.duration(median(earlier))
    return _Finding(state=State.SLOW, reason=f"{seen}, before {before}")
