"""How likely a workflow's next execution fails, from its recent ones, and why.

The risk is one less the product of what each reason leaves over ("noisy or", Pearl 1988):

    risk = 1 - (1 - failing) (1 - retried / 2) (1 - slower / 4) (1 - near_timeout / 2)

The parts, each from 0 to 1: ``failing`` is the share of failed runs and ``retried`` the share of
passes by retry, both with weights halving every five runs and as if half a good run more had been
seen; ``slower`` is how much longer the last five passes took than those before (0 at the same, 1 at
twice the time); ``near_timeout`` grows from 0 where the slowest of the last ten passes took 70 % of
the timeout to 1 where it took all of it.
"""

from __future__ import annotations

from itertools import count
from math import exp2, prod
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.condition.runs import Run, decided, durations, median
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST_RUNS = 100
HALF_LIFE = 5.0
PRIOR = 0.5
LATEST = 5
LEAST_EARLIER = 5
LATEST_NEAR_TIMEOUT = 10
CALM_SHARE = 0.7
TELLING = 0.01
"""A part that is less does not count: the reasons named are all there are."""


class Reason(Record, frozen=True, kw_only=True):
    """One reason of a risk.

    ``kind`` is ``failing``, ``retried``, ``slower`` or ``near timeout``; ``part`` what it alone
    would make of the risk, ``text`` what was seen.
    """

    kind: str
    part: float
    text: str


class Risk(Record, frozen=True, kw_only=True):
    """How likely the next execution fails: 0 to 1, with the reasons, the heaviest first."""

    score: float
    reasons: tuple[Reason, ...] = ()
    sample_size: int = 0


def risk_of(runs: Iterable[Run], *, timeout_ms: float | None = None) -> Risk:
    """Return the risk of one workflow in one environment.

    Args:
        runs: Its recent executions, in any order; the last 100 count.
        timeout_ms: After how long an attempt is given up.
    """
    recent = decided(runs)[-MOST_RUNS:]
    parts = [_failing(recent), _retried(recent), _slower(recent), _near_timeout(recent, timeout_ms)]
    telling = sorted((one for one in parts if one.part >= TELLING), key=lambda one: -one.part)
    score = 1 - prod(1 - reason.part for reason in telling)
    return Risk(score=score, reasons=tuple(telling), sample_size=len(recent))


def rank_risks(
    workflows: Mapping[str, Iterable[Run]], *, timeouts_ms: Mapping[str, float] | None = None
) -> tuple[tuple[str, Risk], ...]:
    """Rank workflows by their risk, the highest first; equal ones by name."""
    limits = timeouts_ms or {}
    risks = {name: risk_of(runs, timeout_ms=limits.get(name)) for name, runs in workflows.items()}
    return tuple(sorted(risks.items(), key=lambda pair: (-pair[1].score, pair[0])))


def _weighted(flags: Sequence[bool]) -> float:
    """Return the share of true ones, the latest counting most."""
    weights = [exp2(-age / HALF_LIFE) for age, _ in zip(count(), flags, strict=False)]
    hits = sum(weight for weight, flag in zip(weights, reversed(flags), strict=True) if flag)
    return hits / (sum(weights) + PRIOR)


def _failing(runs: Sequence[Run]) -> Reason:
    failed = [run.has_failed for run in runs]
    text = f"{sum(failed)} of the last {wording.plural(len(runs), 'run')} failed"
    return Reason(kind="failing", part=_weighted(failed), text=text)


def _retried(runs: Sequence[Run]) -> Reason:
    masked = [run.was_masked for run in runs if not run.has_failed]
    text = f"{sum(masked)} of {len(masked)} passes needed a retry"
    return Reason(kind="retried", part=_weighted(masked) / 2, text=text)


def _slower(runs: Sequence[Run]) -> Reason:
    took = durations(runs)
    earlier, latest = took[:-LATEST], took[-LATEST:]
    part, text = 0.0, ""
    if len(earlier) >= LEAST_EARLIER and median(earlier) > 0:
        before, now = median(earlier), median(latest)
        part = min(max(now / before - 1, 0.0), 1.0) / 4
        took_now, took_before = wording.duration(now), wording.duration(before)
        text = f"the last {LATEST} passes took {took_now}, before {took_before}"
    return Reason(kind="slower", part=part, text=text)


def _near_timeout(runs: Sequence[Run], timeout_ms: float | None) -> Reason:
    took = durations(runs)[-LATEST_NEAR_TIMEOUT:]
    part, text = 0.0, ""
    if took and timeout_ms:
        share = max(took) / timeout_ms
        part = min(max((share - CALM_SHARE) / (1 - CALM_SHARE), 0.0), 1.0) / 2
        text = f"a pass took {wording.duration(max(took))} of {wording.duration(timeout_ms)}"
    return Reason(kind="near timeout", part=part, text=text)
