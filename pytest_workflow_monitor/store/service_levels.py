"""What service levels ask of executions and their sums, which have to be up to date."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.analysis.period.facts import Key
from pytest_workflow_monitor.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from psycopg.rows import DictRow

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Scope(NamedTuple):
    """Whose executions."""

    project: str
    environments: Sequence[str]
    workflow_ids: Sequence[str]


class Count(NamedTuple):
    """Executions: all that were judged, those that went well, and those that did so at once."""

    judged: int = 0
    good: int = 0
    at_once: int = 0


class Recent(NamedTuple):
    """An execution of the last hours."""

    at: datetime
    is_good: bool
    is_flaky: bool


class Failure(NamedTuple):
    """An execution that went wrong, or only went well when retried."""

    at: datetime
    next_at: datetime | None
    is_retried: bool


class ServiceLevels(Database):
    """The questions."""

    def has_objectives(self, project: str) -> bool:
        """Tell whether the marker of any workflow sets a service level."""
        (row,) = self.fetch("slo_has_objectives", project=project)
        return bool(row["has_objectives"])

    def first_judged(
        self, project: str, workflow_ids: Collection[str], environments: Sequence[str] | None
    ) -> dict[Key, datetime]:
        """Tell when the first execution of each workflow in each environment began."""
        rows = self.fetch(
            "slo_since",
            project=project,
            workflow_ids=list(workflow_ids),
            environments=None if environments is None else list(environments),
        )
        return {_key(row): row["since"] for row in rows}

    def counts(self, scope: Scope, start: datetime, end: datetime) -> dict[Key, Count]:
        """Count what was judged from an instant until before another, at least an hour later."""
        first_hour, last_hour = _ceiling(start, HOUR), _floor(end, HOUR)
        first_day, last_day = _ceiling(first_hour, DAY), _floor(last_hour, DAY)
        if first_day > last_day:
            first_day = last_day = first_hour
        rows = self.fetch(
            "slo_counts",
            start=start,
            first_hour=first_hour,
            first_day=first_day,
            last_day=last_day,
            last_hour=last_hour,
            end=end,
            **scope._asdict(),
        )
        return {_key(row): _count(row) for row in rows}

    def counts_between(
        self, project: str, spans: Iterable[tuple[Key, datetime, datetime]]
    ) -> dict[Key, Count]:
        """Count what was judged in spans of time, which do not overlap for the same workflow."""
        found = list(spans)
        rows = self.fetch(
            "slo_counts_between",
            project=project,
            environments=[key.environment for key, _, _ in found],
            workflow_ids=[key.workflow_id for key, _, _ in found],
            begins=[begin for _, begin, _ in found],
            ends=[end for _, _, end in found],
        )
        return {_key(row): _count(row) for row in rows}

    def recent(self, scope: Scope, start: datetime, end: datetime) -> dict[Key, list[Recent]]:
        """Read the executions of a window, of workflows with which anything went wrong in it."""
        found: dict[Key, list[Recent]] = {}
        for row in self.fetch("slo_recent", start=start, end=end, **scope._asdict()):
            recent = Recent(row["at"], row["is_good"], row["is_flaky"])
            found.setdefault(_key(row), []).append(recent)
        return found

    def failures(self, scope: Scope, start: datetime, end: datetime) -> dict[Key, list[Failure]]:
        """Read when workflows went wrong in a window, and when each was executed next."""
        found: dict[Key, list[Failure]] = {}
        for row in self.fetch("slo_failures", start=start, end=end, **scope._asdict()):
            failure = Failure(row["at"], row["next_at"], row["is_retried"])
            found.setdefault(_key(row), []).append(failure)
        return found

    def burning(self, project: str, environments: Sequence[str] | None) -> tuple[Key, ...]:
        """List the workflows with an open alert about their error budget."""
        rows = self.fetch(
            "slo_burning",
            project=project,
            environments=None if environments is None else list(environments),
        )
        return tuple(_key(row) for row in rows)


def _key(row: DictRow) -> Key:
    return Key(environment=row["environment"], workflow_id=row["workflow_id"])


def _count(row: DictRow) -> Count:
    return Count(row["judged"], row["good"], row["at_once"])


def _floor(moment: datetime, unit: timedelta) -> datetime:
    """Cut an instant in UTC to its hour or day."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour.replace(hour=0) if unit == DAY else hour


def _ceiling(moment: datetime, unit: timedelta) -> datetime:
    floor = _floor(moment, unit)
    return floor if floor == moment else floor + unit
