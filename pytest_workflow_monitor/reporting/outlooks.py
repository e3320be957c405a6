"""Forecasts when metrics and workflows pass their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import forecast
from pytest_workflow_monitor.analysis.period.facts import Key, Outlook
from pytest_workflow_monitor.store.periods import TREND, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.analysis import Forecast
    from pytest_workflow_monitor.analysis.period.facts import Day, PeriodFacts, SeriesSums
    from pytest_workflow_monitor.store import Store

LEAST_POINTS = 8
"""Of so many days a forecast is made at least."""

NEAR = 0.5
"""A metric that has not used half of its budget is not looked at: it would have to double."""


def outlooks(store: Store, facts: PeriodFacts) -> Iterator[Outlook]:
    """Forecast what passes its limit if it goes on like that, from the medians of days."""
    yield from _of_metrics(store, facts)
    yield from _of_workflows(facts)


def _of_metrics(store: Store, facts: PeriodFacts) -> Iterator[Outlook]:
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


def _of_workflows(facts: PeriodFacts) -> Iterator[Outlook]:
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
