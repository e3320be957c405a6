"""Service levels as a service: worked out from the store, and told when a budget burns."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

from pytest_workflow_monitor import cron
from pytest_workflow_monitor.alert_keeping.others import Problem, clear_problems, report_problems
from pytest_workflow_monitor.alerting.matching import matches
from pytest_workflow_monitor.alerting.rules import rules_of
from pytest_workflow_monitor.alerts import AlertKind
from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.period.facts import NOTHING, Key
from pytest_workflow_monitor.analysis.service_levels import (
    LOOK_BACK,
    Spent,
    Subject,
    Verdict,
    down_seconds,
    service_level,
)
from pytest_workflow_monitor.slo_rules import WINDOW_SECONDS, Objective
from pytest_workflow_monitor.store.periods import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_workflow_monitor.alerting.matching import Facts
    from pytest_workflow_monitor.analysis.period.facts import Known, Sums
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.slo_rules import Burn, ServiceLevel
    from pytest_workflow_monitor.store import Store

OF_MARKER = "marker"
"""The name of the objective that a workflow's own marker sets."""


def service_levels(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    environments: Sequence[str] | None = None,
) -> tuple[ServiceLevel, ...]:
    """Work out every service level of the project; sums have to be up to date.

    Args:
        store: The database.
        settings: The objectives, and the maintenance windows that do not count.
        now: The end of every window.
        environments: Only in these; by default in all.
    """
    known = store.known_workflows(settings.project)
    if not settings.slos and not any(it.slo is not None for it in known.values()):
        return ()
    first = store.first_days(settings.project, known)
    keys = sorted(
        it
        for it in first
        if it.workflow_id in known and (environments is None or it.environment in environments)
    )
    asked = [
        (objective, key)
        for key in keys
        for objective in _objectives(settings, known[key.workflow_id], key.environment)
    ]
    reader = _Reader(store, settings, now, {key for _, key in asked})
    return tuple(
        service_level(
            objective,
            _subject(known[key.workflow_id], key),
            reader.spent(objective, key, known[key.workflow_id], first[key]),
            reader.recent(objective, key, known[key.workflow_id]),
            since=first[key],
            now=now,
        )
        for objective, key in asked
    )


def watch(store: Store, settings: Settings, now: datetime) -> tuple[ServiceLevel, ...]:
    """Work the service levels out, and open or resolve the alerts about budgets that burn."""
    store.sum_up(settings.project)
    found = service_levels(store, settings, now)
    rules = rules_of(settings)
    by_environment: dict[str, list[ServiceLevel]] = {}
    for it in found:
        by_environment.setdefault(it.environment, []).append(it)
    for environment, levels in by_environment.items():
        problems = {
            it.workflow_id: _problem(it, burning) for it in levels if (burning := it.burning)
        }
        scope = settings.project, environment
        report_problems(store, rules, *scope, tuple(problems.values()), now)
        calm = {it.workflow_id for it in levels} - problems.keys()
        clear_problems(store, rules, *scope, calm, AlertKind.BURNING, "it burns no more", now)
    return found


def said_burn(level: ServiceLevel, burning: Burn) -> str:
    """Say that a budget burns: how quickly, and what is left."""
    hours = wording.duration(burning.long_seconds * 1000)
    left = "" if level.left is None else f"; {wording.percent(level.left)} of it is left"
    return (
        f"the error budget of {level.target:g} % burns {burning.long_rate:.1f} times too quickly, "
        f"over {hours}{left}"
    )


def _problem(level: ServiceLevel, burning: Burn) -> Problem:
    return Problem(
        key=level.workflow_id,
        kind=AlertKind.BURNING,
        reason=said_burn(level, burning),
        name=level.workflow_name,
        priority=level.priority,
    )


def _objectives(settings: Settings, known: Known, environment: str) -> Iterator[Objective]:
    if known.slo is not None:
        yield Objective(
            name=OF_MARKER,
            target=known.slo,
            window_seconds=known.slo_window_seconds or WINDOW_SECONDS,
        )
    for objective in settings.slos:
        holds = not objective.environments or environment in objective.environments
        if holds and matches(objective.match, _facts(settings, known, environment)):
            yield objective


def _subject(known: Known, key: Key) -> Subject:
    return Subject(key.environment, key.workflow_id, known.workflow_name, known.priority)


def _facts(settings: Settings, known: Known, environment: str) -> Facts:
    return {
        "project": (settings.project,),
        "environment": (environment,),
        "workflow": (known.workflow_id,),
        "priority": (known.priority.value,),
        "owner": (known.owner,),
        "tag": known.tags,
    }


class _Reader:
    """Reads what the windows hold, without what happened during maintenance."""

    def __init__(self, store: Store, settings: Settings, now: datetime, keys: set[Key]) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._hour = now.replace(minute=0, second=0, microsecond=0)
        self._environments = sorted({it.environment for it in keys})
        self._ids = sorted({it.workflow_id for it in keys})
        self._sums: dict[float, dict[Key, Sums]] = {}
        self._recent = (
            store.recent_verdicts(settings.project, self._ids, now - LOOK_BACK, now) if keys else {}
        )

    def spent(self, objective: Objective, key: Key, known: Known, since: datetime) -> Spent:
        """Count what went wrong in a window, as executions or as seconds."""
        start = max(self._now - timedelta(seconds=objective.window_seconds), since)
        breaks = list(self._maintenance(key, known, start))
        if objective.by == "time":
            return self._time(objective, key, start, breaks)
        sums = self._window(objective.window_seconds).get(key, NOTHING)
        good = sums.first_attempt if objective.attempt == "first" else sums.good
        bad, total = sums.judged - good, sums.judged
        for begin, end in breaks:
            apart = self._between(begin, end).get(key, NOTHING)
            apart_good = apart.first_attempt if objective.attempt == "first" else apart.good
            bad, total = bad - (apart.judged - apart_good), total - apart.judged
        return Spent(max(bad, 0), max(total, 0))

    def recent(self, objective: Objective, key: Key, known: Known) -> list[Verdict]:
        """Return the verdicts of the last hours."""
        breaks = list(self._maintenance(key, known, self._now - LOOK_BACK))
        return [
            Verdict(at, at_once if objective.attempt == "first" else is_good)
            for at, is_good, at_once in self._recent.get(key, ())
            if not any(begin <= at < end for begin, end in breaks)
        ]

    def _time(
        self,
        objective: Objective,
        key: Key,
        start: datetime,
        breaks: Sequence[tuple[datetime, datetime]],
    ) -> Spent:
        bad = self._store.failures_of(
            self._settings.project,
            key,
            start,
            self._now,
            first=objective.attempt == "first",
        )
        down = down_seconds(bad, start, self._now)
        total = (self._now - start).total_seconds()
        for begin, end in breaks:
            begin, end = max(begin, start), min(end, self._now)  # noqa: PLW2901 - clipped
            down -= sum(
                max((min(_until(it, self._now), end) - max(it[0], begin)).total_seconds(), 0.0)
                for it in bad
            )
            total -= max((end - begin).total_seconds(), 0.0)
        return Spent(max(down, 0.0), max(total, 0.0))

    def _window(self, seconds: float) -> dict[Key, Sums]:
        """The sums of a window that ends now; its first hour counts whole."""
        if seconds not in self._sums:
            start = (self._now - timedelta(seconds=seconds)).replace(
                minute=0, second=0, microsecond=0
            )
            whole = self._between(start, self._hour)
            young = self._between(self._hour, self._now) if self._hour < self._now else {}
            self._sums[seconds] = {
                key: whole.get(key, NOTHING) + young.get(key, NOTHING)
                for key in whole.keys() | young.keys()
            }
        return self._sums[seconds]

    def _between(self, start: datetime, end: datetime) -> dict[Key, Sums]:
        return self._store.window_workflows(
            Window(self._settings.project, self._environments, self._ids, start, end)
        )

    def _maintenance(
        self, key: Key, known: Known, start: datetime
    ) -> Iterator[tuple[datetime, datetime]]:
        """The times of maintenance of a workflow since an instant, none of them twice."""
        facts = _facts(self._settings, known, key.environment)
        spans = [
            (opened, opened + timedelta(seconds=it.duration_seconds))
            for it in self._settings.maintenance
            if matches(it.match, facts)
            for opened in takewhile(
                lambda at: at < self._now,
                cron.times(
                    it.cron, it.timezone, start - timedelta(seconds=it.duration_seconds), it.name
                ),
            )
        ]
        yield from _united(spans)


def _until(failure: tuple[datetime, datetime | None], now: datetime) -> datetime:
    return failure[1] or now


def _united(spans: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    begin = end = None
    for start, until in sorted(spans):
        if end is None or begin is None:
            begin, end = start, until
        elif start <= end:
            end = max(end, until)
        else:
            yield begin, end
            begin, end = start, until
    if begin is not None and end is not None:
        yield begin, end
