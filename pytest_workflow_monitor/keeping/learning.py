"""Learns what is normal from sessions that are over, and notes what was not.

Runs after a session was stored and told about (in the shipper), and in the scheduler. Each value of
a series is seen once, in the order of the executions' starts; an execution that is stored late,
after younger ones of its series were learned from, is left out. One process at a time learns of a
project, and what it learned from is noted with what it learned: killed at any time, it leaves
neither half of that.
"""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from pytest_workflow_monitor.analysis import Detector, Judgement, Scale, SeriesOptions
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.store.learning import NewAnomaly, NewBaseline, SeriesId

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pytest_workflow_monitor.analysis import Baseline, Verdict
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.store.learning import Observed, Remembered

EXECUTIONS_AT_ONCE = 1_000
"""How many executions one transaction learns from, or a single session if that has more."""

WORKFLOWS_AT_ONCE = 250
"""Of how many workflows what is known is held in memory."""

LEAST_MS = 10.0
"""What takes less is not worth watching: unit tests, and steps that do nothing."""

LEAST_DIFFERENCE_MS = 50.0
"""A duration that is off by less is never unusual, whatever the series' own noise."""

POSITIVE_UNITS = frozenset({"ms", "s", "B", "bytes", "kB", "MB"})
"""Metrics with these units are compared as ratios, others as differences."""

_encoder = msgspec.json.Encoder()


class Learned(Record, frozen=True, kw_only=True):
    """What was done: sessions, values, and how many of the values were anomalous."""

    sessions: int = 0
    values: int = 0
    anomalies: int = 0

    def __add__(self, other: Learned) -> Learned:
        return Learned(
            sessions=self.sessions + other.sessions,
            values=self.values + other.values,
            anomalies=self.anomalies + other.anomalies,
        )


def learn(store: Store, settings: Settings, *, seconds: float | None = None) -> Learned:
    """Learn from every session of the project that is over and has not been learned from.

    Args:
        store: The database.
        settings: Whose sessions, and how values are judged.
        seconds: After how long not to begin with more sessions.

    Raises:
        StoreError: The database cannot be used; what was learned until then stays.
    """
    done, until = Learned(), None if seconds is None else monotonic() + seconds
    while (step := _learn_some(store, settings)).sessions:
        done += step
        if until is not None and monotonic() > until:
            break
    return done


def _learn_some(store: Store, settings: Settings) -> Learned:
    with store.transaction():
        session_ids = store.take_unlearned(settings.project, EXECUTIONS_AT_ONCE)
        done = Learned(sessions=len(session_ids))
        workflow_ids = store.workflows_to_learn(session_ids, LEAST_MS) if session_ids else ()
        for start in range(0, len(workflow_ids), WORKFLOWS_AT_ONCE):
            some = workflow_ids[start : start + WORKFLOWS_AT_ONCE]
            done += _learn_of(store, settings, session_ids, some)
    return done


def _learn_of(
    store: Store, settings: Settings, session_ids: Sequence[str], workflow_ids: Sequence[str]
) -> Learned:
    values = store.values_to_learn(session_ids, workflow_ids, LEAST_MS)
    environments = {it.series.environment for it in values}
    known = store.states_of_series(settings.project, environments, workflow_ids)
    lesson = _Lesson(settings, known)
    for value in values:
        lesson.take(value)
    store.set_baselines(settings.project, lesson.baselines())
    store.add_anomalies(settings.project, lesson.anomalies)
    return Learned(values=lesson.count, anomalies=len(lesson.anomalies))


class _Lesson:
    """What some sessions teach.

    Attributes:
        anomalies: The values that were not normal.
        count: How many values were learned from.
    """

    def __init__(self, settings: Settings, known: dict[SeriesId, Remembered]) -> None:
        self._false_alarms = settings.anomaly_false_alarms
        self._zone = ZoneInfo(settings.timezone)
        self._known = known
        self._detectors: dict[SeriesId, Detector] = {}
        self._last: dict[SeriesId, datetime] = {}
        self.anomalies: list[NewAnomaly] = []
        self.count = 0

    def take(self, observed: Observed) -> None:
        """Judge a value and learn from it, unless a younger one has been learned from."""
        series = observed.series
        remembered = self._known.get(series)
        latest = self._last.get(series) or (remembered.last_run_at if remembered else None)
        if latest is not None and observed.at <= latest:
            return
        verdict = self._detector(series, remembered).feed(
            observed.at.astimezone(self._zone), observed.value
        )
        self._last[series] = observed.at
        self.count += 1
        if verdict.is_anomalous:
            self.anomalies.append(_anomaly(observed, verdict))

    def baselines(self) -> Sequence[NewBaseline]:
        """Return what is known now of each series that something was learned about."""
        return [
            _row(series, detector, self._last[series])
            for series, detector in self._detectors.items()
        ]

    def _detector(self, series: SeriesId, remembered: Remembered | None) -> Detector:
        found = self._detectors.get(series)
        if found is None:
            options = options_of(series, self._false_alarms)
            found = self._detectors[series] = _continued(remembered, options)
        return found


def _continued(remembered: Remembered | None, options: SeriesOptions) -> Detector:
    """Go on from what is remembered; begin anew where another version remembered it otherwise."""
    if remembered is not None:
        with suppress(msgspec.DecodeError):
            return Detector.decode(remembered.state, options)
    return Detector(options)


def options_of(series: SeriesId, false_alarms: float) -> SeriesOptions:
    """Say how a series is judged."""
    if series.kind != "metric":
        return SeriesOptions(false_alarms=false_alarms, least_difference=LEAST_DIFFERENCE_MS)
    scale = Scale.LOG if series.unit in POSITIVE_UNITS else Scale.LINEAR
    return SeriesOptions(scale=scale, false_alarms=false_alarms)


def _row(series: SeriesId, detector: Detector, last: datetime) -> NewBaseline:
    baseline = detector.baseline()
    return NewBaseline(
        workflow_id=series.workflow_id,
        environment=series.environment,
        location=series.location,
        kind=series.kind,
        name=series.name,
        unit=series.unit,
        baseline_avg_ms=baseline.mean if baseline else None,
        baseline_median_ms=baseline.median if baseline else None,
        baseline_spread_ms=baseline.spread if baseline else None,
        baseline_p95_ms=baseline.p95 if baseline else None,
        sample_size=baseline.sample_size if baseline else 0,
        seasons=msgspec.Raw(_seasons(baseline)),
        state=msgspec.Raw(detector.encode()),
        last_run_at=last,
    )


def _seasons(baseline: Baseline | None) -> bytes:
    if baseline is None or not baseline.hours:
        return b"{}"
    return _encoder.encode({"season": baseline.season, "hours": baseline.hours})


def _anomaly(observed: Observed, verdict: Verdict) -> NewAnomaly:
    series = observed.series
    return NewAnomaly(
        run_id=observed.run_id,
        environment=series.environment,
        workflow_id=series.workflow_id,
        kind=series.kind,
        name=series.name,
        unit=series.unit,
        value=observed.value,
        expected_low=verdict.low,
        expected_high=verdict.high,
        score=verdict.score,
        direction="high" if verdict.judgement is Judgement.HIGH else "low",
        observed_at=observed.at,
    )
