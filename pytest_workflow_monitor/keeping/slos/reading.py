"""Reads what the windows of service levels hold, without what happened during maintenance."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.service_levels import (
    LONGEST_HOLD,
    LOOK_BACK,
    Spent,
    Verdict,
    down_seconds,
    is_within,
    judged_seconds,
)
from pytest_workflow_monitor.keeping.slos.maintenance import Breaks
from pytest_workflow_monitor.store.service_levels import Count, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.alerting.matching import Facts
    from pytest_workflow_monitor.analysis.period.facts import Key
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.slo_rules import Objective
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.store.service_levels import Failure

NOTHING = Count()


class Reader:
    """Asks once for each window, for all workflows together.

    Args:
        store: The database; its sums are up to date.
        settings: Whose executions, and the maintenance windows.
        now: The end of every window, in UTC.
        facts: What a match may ask, of each workflow in each environment.
    """

    def __init__(
        self, store: Store, settings: Settings, now: datetime, facts: Mapping[Key, Facts]
    ) -> None:
        self._store = store
        self._now = now
        self._facts = facts
        self._scope = Scope(
            settings.project,
            sorted({it.environment for it in facts}),
            sorted({it.workflow_id for it in facts}),
        )
        self._breaks = Breaks(settings.maintenance, now)
        self._counts: dict[datetime, dict[Key, Count]] = {}
        self._failures: dict[datetime, dict[Key, list[Failure]]] = {}
        self._recent = store.recent(self._scope, now - LOOK_BACK, now)

    def spent(self, objective: Objective, key: Key, since: datetime) -> Spent:
        """Count what went wrong in a window, as executions or as seconds."""
        start = self._now - timedelta(seconds=objective.window_seconds)
        if objective.by == "time":
            return self._seconds(objective, key, start, max(start, since))
        if start not in self._counts:
            self._counts[start] = self._count(start)
        count = self._counts[start].get(key, NOTHING)
        good = count.at_once if objective.attempt == "first" else count.good
        return Spent(count.judged - good, count.judged)

    def recent(self, objective: Objective, key: Key) -> list[Verdict]:
        """Return the verdicts of the last hours; none if nothing went wrong in them."""
        recent = self._recent.get(key)
        if not recent:
            return []
        breaks = self._breaks.of(self._facts[key], self._now - LOOK_BACK)
        return [
            Verdict(it.at, it.is_good and not (it.is_flaky and objective.attempt == "first"))
            for it in recent
            if not is_within(it.at, breaks)
        ]

    def _count(self, start: datetime) -> dict[Key, Count]:
        found = self._store.counts(self._scope, start, self._now)
        spans = [
            (key, begin, end)
            for key in found
            if key in self._facts
            for begin, end in self._breaks.of(self._facts[key], start)
        ]
        if spans:
            apart = self._store.counts_between(self._scope.project, spans)
            for key, count in apart.items():
                rest = map(int.__sub__, found[key], count)
                found[key] = Count(*(max(it, 0) for it in rest))
        return found

    def _seconds(self, objective: Objective, key: Key, start: datetime, begin: datetime) -> Spent:
        if start not in self._failures:
            self._failures[start] = self._store.failures(
                self._scope, start - LONGEST_HOLD, self._now
            )
        failures = [
            (it.at, it.next_at)
            for it in self._failures[start].get(key, ())
            if objective.attempt == "first" or not it.is_retried
        ]
        breaks = self._breaks.of(self._facts[key], begin - LONGEST_HOLD)
        return Spent(
            down_seconds(failures, begin, self._now, breaks),
            judged_seconds(begin, self._now, breaks),
        )
