"""What reports over time read: sums of windows, and what happened in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from pytest_workflow_monitor.analysis.condition.runs import Run
from pytest_workflow_monitor.analysis.distribution import Distribution
from pytest_workflow_monitor.analysis.period.facts import (
    Anomaly,
    CommitSeen,
    Day,
    Deployment,
    ErrorGroup,
    Hour,
    Key,
    Known,
    Last,
    Moment,
    PeriodFacts,
    Retried,
    SeriesKey,
    SeriesSums,
    SlotCount,
    Sums,
    Suppressed,
)
from pytest_workflow_monitor.store.database import Database
from pytest_workflow_monitor.words.alerts import Alert, Silence

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from psycopg.rows import DictRow

    from pytest_workflow_monitor.words.periods import Period

HEAT = timedelta(days=7)
"""How far back the hours go at least."""

TREND = timedelta(days=35)
"""How far back the days go."""

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


_Wanted = TypeVar("_Wanted")


_runs = msgspec.json.Decoder(tuple[Run, ...]).decode


class Window(NamedTuple):
    """What a question is about."""

    project: str
    environments: list[str]
    workflow_ids: list[str] | None
    start: datetime
    end: datetime


class Periods(Database):
    """The questions."""

    def environments(self, project: str) -> tuple[str, ...]:
        """List the environments that a project has executions in."""
        rows = self.fetch("period_environments", project=project)
        return tuple(sorted(row["environment"] for row in rows))

    def period_facts(
        self,
        project: str,
        environments: Sequence[str],
        period: Period,
        now: datetime,
        workflow_ids: Collection[str] | None = None,
    ) -> PeriodFacts:
        """Read all that a report is made of; the sums have to be up to date.

        Args:
            project: Whose workflows.
            environments: In which environments they ran.
            period: The window.
            now: When this is.
            workflow_ids: Only of these workflows; None for all.
        """
        ids = None if workflow_ids is None else sorted(workflow_ids)
        before, week_before = period.before(), period.week_before()

        def window(start: datetime, end: datetime) -> Window:
            return Window(project, list(environments), ids, start, end)

        asked = window(period.start, period.end)
        earlier = window(before.start, before.end)
        workflows = self.window_workflows(asked)
        return PeriodFacts(
            project=project,
            environment=", ".join(environments),
            period=period,
            generated_at=now,
            known=self.known_workflows(project),
            workflows=workflows,
            before=self.window_workflows(earlier),
            week_before=self.window_workflows(window(week_before.start, week_before.end))
            if week_before
            else {},
            series=self.window_series(asked),
            series_before=self.window_series(earlier),
            hours=self.window_hours(window(min(period.start, period.end - HEAT), period.end)),
            days=self.window_days(window(_midnight(period.end - TREND), period.end)),
            last=self.last_results(project, environments),
            alerts=self.window_alerts(asked),
            alerts_before=self.window_alerts(earlier),
            errors=self._errors(asked, before.start),
            slots=self._read("period_slots", asked, tuple[SlotCount, ...]),
            suppressed=self._read("period_suppressed", asked, tuple[Suppressed, ...]),
            silences=self._read("period_silences", asked, tuple[Silence, ...]),
            anomalies=self._read("period_anomalies", asked, tuple[Anomaly, ...]),
            deployments=self.deployments(window(_midnight(period.end - TREND), period.end)),
            commits_seen=self.commits_seen(window(_midnight(period.end - TREND), period.end)),
        )

    def window_workflows(self, window: Window) -> dict[Key, Sums]:
        """Add up the executions of each workflow in a window."""
        if _is_whole(window.start, HOUR) and _is_whole(window.end, HOUR):
            rows = self._rows("period_workflows", window, by_days=_is_of_days(window))
        else:
            rows = self._rows("period_workflows_of_executions", window)
        return {_key(row): _sums(row) for row in rows}

    def window_series(self, window: Window) -> dict[SeriesKey, SeriesSums]:
        """Add up the steps and metrics in a window; hours that are in it in part count whole."""
        whole = window._replace(start=_floor(window.start), end=_ceiling(window.end))
        rows = self._rows("period_series", whole, by_days=_is_of_days(whole))
        return {msgspec.convert(row, SeriesKey): _series(row) for row in rows}

    def window_hours(self, window: Window) -> tuple[Hour, ...]:
        """Count what was judged in each hour of a window."""
        return self._read("period_hours", window, tuple[Hour, ...])

    def window_days(self, window: Window) -> tuple[Day, ...]:
        """Read the days of each workflow in a window."""
        return tuple(
            Day(key=_key(row), starts_at=row["starts_at"], sums=_sums(row))
            for row in self._rows("period_days", window)
        )

    def window_alerts(self, window: Window) -> tuple[Alert, ...]:
        """List the alerts that were open in a window; of all workflows, or of those asked for."""
        found = self._read("period_alerts", window, tuple[Alert, ...])
        if window.workflow_ids is None:
            return found
        return tuple(it for it in found if it.workflow_id in window.workflow_ids)

    def known_workflows(self, project: str) -> dict[str, Known]:
        """Read what is known of a project's workflows, by their id."""
        rows = msgspec.convert(self.fetch("period_known", project=project), tuple[Known, ...])
        return {it.workflow_id: it for it in rows}

    def last_results(self, project: str, environments: Sequence[str]) -> dict[Key, Last]:
        """Tell how each workflow stands now."""
        rows = self.fetch("period_last", project=project, environments=list(environments))
        found = {_key(row): row for row in rows}
        return {
            key: msgspec.convert({**row, "key": {**_parts(row)}}, Last)
            for key, row in found.items()
        }

    def durations(
        self, project: str, key: Key, start: datetime, end: datetime
    ) -> tuple[Moment, ...]:
        """Read how long a workflow took each time it passed, in milliseconds, oldest first."""
        rows = self.fetch(
            "period_durations", project=project, start=start, end=end, **_parts_of(key)
        )
        return msgspec.convert(rows, tuple[Moment, ...])

    def step_durations(
        self, project: str, key: Key, start: datetime, end: datetime
    ) -> dict[str, tuple[Moment, ...]]:
        """Read how long each step of a workflow took when it passed, by the step's name."""
        rows = self.fetch("period_steps", project=project, start=start, end=end, **_parts_of(key))
        found: dict[str, list[Moment]] = {}
        for row in rows:
            moment = Moment(at=row["at"], value=row["value"], run_id=row["run_id"])
            found.setdefault(row["name"], []).append(moment)
        return {name: tuple(moments) for name, moments in found.items()}

    def last_runs(
        self, project: str, keys: Sequence[Key], end: datetime, limit: int
    ) -> dict[Key, tuple[Run, ...]]:
        """Read the last executions of some workflows before an instant, the newest first."""
        rows = self.fetch(
            "period_runs",
            project=project,
            end=end,
            limit=limit,
            asked_environments=[key.environment for key in keys],
            asked_ids=[key.workflow_id for key in keys],
        )
        return {_key(row): _runs(row["runs"]) for row in rows}

    def retried(self, project: str, keys: Sequence[Key], period: Period) -> dict[Key, Retried]:
        """Tell which error most of the retried executions of some workflows had in a period."""
        rows = self.fetch(
            "period_retried",
            project=project,
            start=period.start,
            end=period.end,
            asked_environments=[key.environment for key in keys],
            asked_ids=[key.workflow_id for key in keys],
        )
        return {_key(row): Retried(message=row["message"], count=row["count"]) for row in rows}

    def limits(self, window: Window) -> dict[SeriesKey, float]:
        """Read the budget of each metric, as the latest execution of its workflow had it."""
        rows = self._rows("period_limits", window)
        return {msgspec.convert(row, SeriesKey): row["threshold"] for row in rows}

    def series_by_day(
        self, project: str, series: Sequence[SeriesKey], start: datetime, end: datetime
    ) -> dict[SeriesKey, list[tuple[datetime, Distribution]]]:
        """Read how steps' durations or metrics' values were spread on each day of a window."""
        rows = self.fetch(
            "period_series_by_day",
            project=project,
            start=start,
            end=end,
            of_environments=[it.environment for it in series],
            of_workflows=[it.workflow_id for it in series],
            kinds=[it.kind for it in series],
            names=[it.name for it in series],
            units=[it.unit for it in series],
        )
        found: dict[SeriesKey, list[tuple[datetime, Distribution]]] = {}
        for row in rows:
            key = series[row["position"] - 1]
            found.setdefault(key, []).append((row["starts_at"], _spread(row)))
        return found

    def deployments(self, window: Window) -> tuple[Deployment, ...]:
        """List what was deployed in a window, the oldest first."""
        return self._read("period_deployments", window, tuple[Deployment, ...])

    def commits_seen(self, window: Window) -> tuple[CommitSeen, ...]:
        """Tell when each commit was first run in a window."""
        return self._read("period_commits_seen", window, tuple[CommitSeen, ...])

    def _errors(self, window: Window, before: datetime) -> tuple[ErrorGroup, ...]:
        rows = self.fetch("period_errors", before=before, **window._asdict())
        return msgspec.convert(rows, tuple[ErrorGroup, ...])

    def _read(self, statement: str, window: Window, wanted: type[_Wanted]) -> _Wanted:
        rows = self._rows(statement, window)
        return msgspec.convert(
            [{**row, "key": _parts(row)} if "workflow_id" in row else row for row in rows], wanted
        )

    def _rows(self, statement: str, window: Window, **more: Any) -> list[DictRow]:
        return self.fetch_binary(statement, **window._asdict(), **more)


def _is_of_days(window: Window) -> bool:
    return _is_whole(window.start, DAY) and _is_whole(window.end, DAY)


def _is_whole(moment: datetime, unit: timedelta) -> bool:
    return moment.timestamp() % unit.total_seconds() == 0


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _ceiling(moment: datetime) -> datetime:
    floor = _floor(moment)
    return floor if floor == moment else floor + HOUR


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _parts(row: DictRow) -> dict[str, Any]:
    return {"environment": row["environment"], "workflow_id": row["workflow_id"]}


def _parts_of(key: Key) -> dict[str, str]:
    return {"environment": key.environment, "workflow_id": key.workflow_id}


def _key(row: DictRow) -> Key:
    return Key(environment=row["environment"], workflow_id=row["workflow_id"])


def _spread(row: DictRow) -> Distribution:
    return Distribution(buckets=tuple(row["buckets"]), counts=tuple(row["counts"]))


def _sums(row: DictRow) -> Sums:
    return Sums(
        durations=_spread(row),
        **{name: row[name] for name in Sums.__struct_fields__ if name != "durations"},
    )


def _series(row: DictRow) -> SeriesSums:
    return SeriesSums(
        values=_spread(row),
        **{name: row[name] for name in SeriesSums.__struct_fields__ if name != "values"},
    )
