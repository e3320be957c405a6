"""Looks closer where the sums show that something changed, heads for a limit, or wavers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.analysis import (
    Cause,
    CauseKind,
    assess,
    attribute,
    find_changes,
    forecast,
    risk_of,
)
from pytest_workflow_monitor.analysis.period.facts import (
    Key,
    LevelChange,
    Outlook,
    StepShare,
)
from pytest_workflow_monitor.analysis.period.figures import LEAST_SAMPLE
from pytest_workflow_monitor.analysis.series.sample import quantile
from pytest_workflow_monitor.store.periods import TREND, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.analysis import Change, Forecast
    from pytest_workflow_monitor.analysis.period.facts import (
        Day,
        Moment,
        PeriodFacts,
        SeriesSums,
        Sums,
    )
    from pytest_workflow_monitor.store import Store

LATELY = timedelta(days=7)
"""Changes from before the period that are older than that at its end are no news any more."""

LEAST_SHARE = 0.1
LEAST_MS = 100.0
"""A smaller change of the median is not worth acting on."""

HINT = 0.05
"""Workflows whose days differ by less from those before are not looked at closer."""

HINT_QUANTILE = 0.75
"""Of each day: what changed in the afternoon does not show in the median yet."""

MOST_LOOKED_AT = 30
RUNS = 100
STEP_WINDOW = timedelta(days=7)
NEARLY_ALL = 0.9
WEEK = timedelta(days=7)
LEAST_POINTS = 8
"""Of so many days a forecast is made at least."""


NEAR = 0.5
"""A metric that has not used half of its budget is not looked at: it would have to double."""

HINT_SPREADS = 5.0
"""Nor those that differ by less than so many times what days usually do."""


def dig(store: Store, facts: PeriodFacts) -> PeriodFacts:
    """Add what takes a closer look: changes of level, outlooks, states and risks."""
    causes = _causes(facts)
    troubled = [
        key for key in facts.workflows if any(it.bad or it.flaky for it in _sums(facts, key))
    ]
    runs = store.last_runs(facts.project, troubled, facts.period.end, RUNS) if troubled else {}
    retried = [key for key, sums in facts.workflows.items() if sums.flaky]
    return replace(
        facts,
        changes=tuple(
            found
            for key in _hinted(facts)
            if (found := _change(store, facts, key, causes)) is not None
        ),
        outlooks=(*_metric_outlooks(store, facts), *_workflow_outlooks(facts)),
        assessments={key: assess(it) for key, it in runs.items()},
        retried=store.retried(facts.project, retried, facts.period) if retried else {},
        risks={key: risk_of(it) for key, it in runs.items()},
    )


def _sums(facts: PeriodFacts, key: Key) -> list[Sums]:
    return [it for it in (facts.workflows.get(key), facts.before.get(key)) if it is not None]


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
    """The workflows that took longer or shorter on some day lately than on those before."""
    since = _since(facts)
    days: dict[Key, tuple[list[float], list[float]]] = {}
    for day in facts.days:
        value = day.sums.durations.quantile(HINT_QUANTILE)
        if value is not None and day.key in facts.workflows:
            before, lately = days.setdefault(day.key, ([], []))
            (lately if day.starts_at >= since else before).append(value)
    hints = []
    for key, (before, lately) in days.items():
        if before and lately:
            old = quantile(sorted(before), 0.5)
            usual = quantile(sorted(abs(it - old) for it in before), 0.5)
            difference = max(abs(it - old) for it in lately)
            if difference >= max(HINT * old, HINT_SPREADS * usual, LEAST_MS / 2):
                hints.append((-difference / old if old else 0.0, key))
    return [key for _, key in sorted(hints)[:MOST_LOOKED_AT]]


def _change(
    store: Store, facts: PeriodFacts, key: Key, causes: dict[str, list[Cause]]
) -> LevelChange | None:
    """Find the last change of a workflow's level, if it is recent and matters."""
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
        facts.project, key, change.at - STEP_WINDOW, min(change.at + STEP_WINDOW, facts.period.end)
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


def _metric_outlooks(store: Store, facts: PeriodFacts) -> Iterable[Outlook]:
    end = facts.period.end
    window = Window(
        facts.project,
        sorted({key.environment for key in facts.workflows}),
        sorted({key.workflow_id for key in facts.workflows}),
        end - TREND,
        end,
    )
    limits = {
        series: limit
        for series, limit in store.limits(window).items()
        if _is_near(facts.series.get(series), limit)
    }
    known = store.series_by_day(facts.project, list(limits), window.start, end)
    for series, days in known.items():
        medians = [it.quantile(0.5) for _, it in days]
        found = _outlook([at for at, _ in days], medians, limits[series], end)
        if found:
            key = Key(environment=series.environment, workflow_id=series.workflow_id)
            yield _as_outlook(key, series.kind, series.name, series.unit, found)


def _is_near(sums: SeriesSums | None, limit: float) -> bool:
    median = sums.values.quantile(0.5) if sums else None
    return median is not None and median >= NEAR * limit


def _workflow_outlooks(facts: PeriodFacts) -> Iterable[Outlook]:
    end = facts.period.end
    by_key: dict[Key, list[Day]] = {}
    for day in facts.days:
        by_key.setdefault(day.key, []).append(day)
    for key in facts.workflows:
        known = facts.known.get(key.workflow_id)
        if known is None or known.degraded_after_seconds is None:
            continue
        days = by_key.get(key, [])
        found = _outlook(
            [it.starts_at for it in days],
            [it.sums.durations.quantile(0.5) for it in days],
            known.degraded_after_seconds * 1000,
            end,
        )
        if found:
            yield _as_outlook(key, "workflow", "", "ms", found)


def _outlook(
    instants: Sequence[datetime], values: Sequence[float | None], limit: float, now: datetime
) -> Forecast | None:
    """A forecast that both the whole series and its younger half give: a step is no slope."""
    pairs = [(at, it) for at, it in zip(instants, values, strict=True) if it is not None]
    half = pairs[-max(len(pairs) // 2, LEAST_POINTS) :]
    if forecast([at for at, _ in half], [it for _, it in half], limit, now=now) is None:
        return None
    return forecast([at for at, _ in pairs], [it for _, it in pairs], limit, now=now)


def _as_outlook(key: Key, kind: str, name: str, unit: str, found: Forecast) -> Outlook:
    return Outlook(
        key=key,
        kind=kind,
        name=name,
        unit=unit,
        limit=found.limit,
        value=found.level,
        per_day=found.slope_per_day,
        at=found.breaks_at,
        earliest=found.earliest_at,
        latest=found.latest_at,
    )
