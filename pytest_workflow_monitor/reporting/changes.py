"""Finds since when workflows take longer or shorter, by which step, and what came with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import Cause, CauseKind, attribute, find_changes
from pytest_workflow_monitor.analysis.period.facts import LevelChange, StepShare
from pytest_workflow_monitor.analysis.period.figures import LEAST_SAMPLE
from pytest_workflow_monitor.analysis.series.sample import quantile
from pytest_workflow_monitor.store.periods import TREND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.analysis import Change
    from pytest_workflow_monitor.analysis.period.facts import Key, Moment, PeriodFacts
    from pytest_workflow_monitor.store import Store

LATELY = timedelta(days=7)
"""Changes from before the period that are older than that at its end are no news any more."""

LEAST_SHARE = 0.1
LEAST_MS = 100.0
"""A smaller change of the median is not worth acting on."""

HINT = 0.05
HINT_SPREADS = 5.0
"""Workflows whose days differ from those before by less than this share, or by less than so many
times what days usually do, are not looked at closer."""

HINT_QUANTILE = 0.75
"""Of each day: what changed in the afternoon does not show in the median yet."""

LEAST_DAYS = 7
"""Fewer days before a long period do not say what is usual: all days do then."""

MOST_LOOKED_AT = 30
WEEK = timedelta(days=7)
NEARLY_ALL = 0.9
"""Of two steps that explain so much of a change, the outer one is named."""


def level_changes(store: Store, facts: PeriodFacts) -> Iterator[LevelChange]:
    """Find the last change of each workflow's level, if it is recent and matters."""
    causes = _causes(facts)
    for key in _hinted(facts):
        found = _change(store, facts, key, causes)
        if found is not None:
            yield found


def _causes(facts: PeriodFacts) -> dict[str, list[Cause]]:
    """What may have changed something, by environment; the first commit of all tells nothing."""
    found: dict[str, list[Cause]] = {}
    for deployment in facts.deployments:
        cause = Cause(kind=CauseKind.DEPLOYMENT, name=deployment.name, at=deployment.deployed_at)
        found.setdefault(deployment.environment, []).append(cause)
    seen: set[str] = set()
    for it in facts.commits_seen:
        if it.environment in seen:
            cause = Cause(kind=CauseKind.COMMIT, name=it.git_commit, at=it.first_at)
            found.setdefault(it.environment, []).append(cause)
        seen.add(it.environment)
    return found


def _since(facts: PeriodFacts) -> datetime:
    """From when on a change is told: the period, and a week at least, as far as days are known."""
    end = facts.period.end
    return max(min(facts.period.start, end - LATELY), end - TREND)


def _hinted(facts: PeriodFacts) -> list[Key]:
    """The workflows that took longer or shorter on some day lately than they usually do."""
    since = _since(facts)
    days: dict[Key, tuple[list[float], list[float]]] = {}
    for day in facts.days:
        value = day.sums.durations.quantile(HINT_QUANTILE)
        if value is not None and day.key in facts.workflows:
            before, lately = days.setdefault(day.key, ([], []))
            (lately if day.starts_at >= since else before).append(value)
    hints = []
    for key, (before, lately) in days.items():
        if lately:
            normal = before if len(before) >= LEAST_DAYS else [*before, *lately]
            old = quantile(sorted(normal), 0.5)
            usual = quantile(sorted(abs(it - old) for it in normal), 0.5)
            difference = max(abs(it - old) for it in lately)
            if difference >= max(HINT * old, HINT_SPREADS * usual, LEAST_MS / 2):
                hints.append((-difference / old if old else 0.0, key))
    return [key for _, key in sorted(hints)[:MOST_LOOKED_AT]]


def _change(
    store: Store, facts: PeriodFacts, key: Key, causes: dict[str, list[Cause]]
) -> LevelChange | None:
    end = facts.period.end
    start = _since(facts) - TREND
    values = store.durations(facts.project, key, start, end)
    found = find_changes([it.at for it in values], [it.value for it in values])
    place = next(
        (
            number
            for number, it in reversed(list(enumerate(found)))
            if it.at >= _since(facts) and _matters(it.before, it.after) and _is_new(values, it.at)
        ),
        None,
    )
    if place is None:
        return None
    last = found[place]
    steady = found[place - 1].at if place else start
    before = sorted(it.value for it in values if steady <= it.at < last.at)
    after = sorted(it.value for it in values if it.at >= last.at)
    cause = attribute(last, causes.get(key.environment, ()))
    return LevelChange(
        key=key,
        at=last.at,
        before_ms=last.before,
        after_ms=last.after,
        p95_before_ms=quantile(before, 0.95),
        p95_after_ms=quantile(after, 0.95),
        confidence=last.confidence,
        steps=_steps(store, facts, key, last),
        git_commit=_commit(facts, key, cause),
        deployment=cause.name if cause and cause.kind is CauseKind.DEPLOYMENT else "",
    )


def _matters(before: float, after: float) -> bool:
    return abs(after - before) >= max(LEAST_SHARE * before, LEAST_MS)


def _is_new(values: Sequence[Moment], at: datetime) -> bool:
    """Whether a level was another at the same hours a week earlier.

    If not, it is the season's; and within the first week nobody can tell.
    """
    since, until = max(at, values[0].at + WEEK), min(values[-1].at, at + WEEK)
    after = sorted(it.value for it in values if since <= it.at <= until)
    earlier = sorted(it.value for it in values if since - WEEK <= it.at <= until - WEEK)
    if min(len(after), len(earlier)) < LEAST_SAMPLE:
        return False
    return _matters(quantile(earlier, 0.5), quantile(after, 0.5))


def _commit(facts: PeriodFacts, key: Key, cause: Cause | None) -> str:
    if cause is None or cause.kind is CauseKind.COMMIT:
        return cause.name if cause else ""
    return next(
        it.git_commit
        for it in facts.deployments
        if (it.environment, it.name, it.deployed_at) == (key.environment, cause.name, cause.at)
    )


def _steps(store: Store, facts: PeriodFacts, key: Key, change: Change) -> tuple[StepShare, ...]:
    """Compare the steps before and after, the one that changed most in the same direction first.

    Where a step and those inside of it changed alike, the outer one comes first.
    """
    steps = store.step_durations(
        facts.project, key, change.at - WEEK, min(change.at + WEEK, facts.period.end)
    )
    shares = []
    for name, moments in steps.items():
        before, after = _split(moments, change.at)
        if before and after:
            share = StepShare(
                name=name, before_ms=quantile(before, 0.5), after_ms=quantile(after, 0.5)
            )
            shares.append(share)
    sign = 1 if change.after > change.before else -1
    most = max((sign * (it.after_ms - it.before_ms) for it in shares), default=0.0)

    def rank(it: StepShare) -> tuple[bool, float]:
        explained = sign * (it.after_ms - it.before_ms)
        is_outer = explained >= NEARLY_ALL * most
        return not is_outer, -it.after_ms if is_outer else -explained

    shares = [it for it in shares if sign * (it.after_ms - it.before_ms) >= LEAST_MS / 2]
    return tuple(sorted(shares, key=rank))


def _split(moments: Iterable[Moment], at: datetime) -> tuple[list[float], list[float]]:
    before: list[float] = []
    after: list[float] = []
    for it in moments:
        (after if it.at >= at else before).append(it.value)
    return sorted(before), sorted(after)
