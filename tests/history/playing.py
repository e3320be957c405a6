"""The sessions of a history, as the shop's schedules would have run them."""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from typing import TYPE_CHECKING
from uuid import UUID

from pytest_workflow_monitor import cron
from pytest_workflow_monitor.model import (
    Attempt,
    Event,
    EventKind,
    Metric,
    SessionEnded,
    SessionStarted,
    Status,
    Step,
    Trigger,
)
from tests.history.noise import Noise, season_at
from tests.history.shop import SHOP, STAGING, US, Habit, StepHabit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.history.truth import Blip, Breach, Drift, Failure, Season, Truth

PROJECT = "shop"
SLOWER_IN = {STAGING: 1.25, US: 1.4}
TEARDOWN_MS = 35.0


@dataclass(frozen=True)
class Played:
    """A session with what it recorded; ``is_quiet`` when everything passed at once."""

    session: SessionStarted
    attempts: tuple[Attempt, ...]
    ended: SessionEnded
    is_quiet: bool


@dataclass(frozen=True)
class Skipped:
    """A slot at which nothing ran."""

    slot_at: datetime
    environment: str
    habits: tuple[Habit, ...]


def play(truth: Truth) -> Iterator[Played | Skipped]:
    """Run the schedules through a history, in order of time."""
    stages: dict[tuple[str, str], _Stage] = {}
    for slot_at, environment, location, habits in _slots(truth):
        if any(it.environment == environment and it.holds(slot_at) for it in truth.missed):
            yield Skipped(slot_at, environment, habits)
            continue
        place = environment, location
        if place not in stages:
            stages[place] = _Stage(truth, environment, location)
        yield stages[place].session(slot_at, habits)


def _slots(truth: Truth) -> Iterator[tuple[datetime, str, str, tuple[Habit, ...]]]:
    """Merge what is due in all places; what is due together runs in one session."""
    streams = [
        _times(truth, expression, place, index)
        for index, habit in enumerate(SHOP)
        for place, expression in habit.runs_in.items()
    ]
    for (at, place), due in groupby(heapq.merge(*streams), key=lambda it: it[:2]):
        yield at, *place, tuple(SHOP[index] for _, _, index in due)


def _times(
    truth: Truth, expression: str, place: tuple[str, str], index: int
) -> Iterator[tuple[datetime, tuple[str, str], int]]:
    before = truth.start_at - timedelta(microseconds=1)
    until = truth.end_at - timedelta(minutes=3)  # so that everything has ended at the end
    times = takewhile(lambda it: it < until, cron.times(expression, "UTC", before))
    return ((at, place, index) for at in times)


class _Stage:
    """One environment as seen from one location."""

    def __init__(self, truth: Truth, environment: str, location: str) -> None:
        self._truth = truth.within(truth.start_at, truth.end_at, environment)
        self._environment = environment
        self._location = location
        self._chance = random.Random(f"{truth.seed} {environment} {location}")
        self._slower = SLOWER_IN.get(environment, 1.0) * SLOWER_IN.get(location, 1.0)
        self._runs = {
            habit.workflow_id: _Runs(self._truth, habit, environment, location, self._slower)
            for habit in SHOP
        }
        deployed = self._truth.deployments
        self._deployed_at = [it.at for it in deployed]
        self._commits = [deployed[0].commit if deployed else "", *(it.commit for it in deployed)]

    def session(self, slot_at: datetime, habits: tuple[Habit, ...]) -> Played:
        chance = self._chance
        lateness = chance.lognormvariate(0.7, 0.4)
        started_at = slot_at + timedelta(seconds=lateness)
        clock = started_at + timedelta(seconds=chance.uniform(0.8, 1.2))
        commit = self._commits[bisect_right(self._deployed_at, slot_at)]
        is_elsewhere = self._location == US  # where crontab starts pytest, and no scheduler is
        attempts: list[Attempt] = []
        for habit in habits:
            new = self._runs[habit.workflow_id].run(clock, slot_at)
            clock = new[-1].started_at + timedelta(milliseconds=new[-1].duration_ms + 20)
            attempts += new
        has_failed = any(it.status.is_problem and not it.will_retry for it in attempts)
        return Played(
            session=SessionStarted(
                session_id=_uuid(chance),
                project=PROJECT,
                environment=self._environment,
                location=self._location,
                started_at=started_at,
                trigger=Trigger.CRON if is_elsewhere else Trigger.SCHEDULE,
                host=f"runner-{self._location}",
                pid=chance.randrange(300, 60_000),
                rootdir="/srv/shop",
                git_commit=commit,
                git_branch="main",
                notifies=True,
                slot_at=None if is_elsewhere else slot_at,
                lateness_seconds=None if is_elsewhere else lateness,
                versions={"python": "3.12", "pytest": "9.2"},
            ),
            attempts=tuple(attempts),
            ended=SessionEnded(
                ended_at=clock + timedelta(seconds=0.3),
                exit_status=int(has_failed),
                tests_collected=len(habits),
            ),
            is_quiet=all(it.status is Status.PASSED for it in attempts),
        )


class _Runs:
    """The runs of one workflow in one place."""

    def __init__(
        self, truth: Truth, habit: Habit, environment: str, location: str, slower: float
    ) -> None:
        workflow_id = habit.workflow_id
        self._truth = truth
        self._habit = habit
        self._environment = environment
        self._location = location
        self._slower = slower
        self._noise = Noise(f"{truth.seed} {environment} {location} {workflow_id}")
        self._changes = [it for it in truth.changes if it.workflow_id == workflow_id]
        self._season: Season | None = next(
            (it for it in truth.seasons if it.workflow_id == workflow_id), None
        )
        self._breaches = [it for it in truth.breaches if it.workflow_id == workflow_id]
        self._drifts = [it for it in truth.drifts if it.workflow_id == workflow_id]
        self._flaky = [it for it in truth.flaky if it.failure.workflow_id == workflow_id]
        self._masked = [it for it in truth.masked if it.failure.workflow_id == workflow_id]
        self._blips = [it for it in truth.blips if it.failure.workflow_id == workflow_id][::-1]

    def run(self, clock: datetime, slot_at: datetime) -> list[Attempt]:
        """Run once, with as many attempts as that takes."""
        run_id = _uuid(self._noise.chance)
        failures = self._failures(slot_at)
        attempts: list[Attempt] = []
        for number, failure in enumerate(failures, 1):
            attempt = self._attempt(run_id, number, clock, failure, len(failures) > number)
            clock = attempt.started_at + timedelta(milliseconds=attempt.duration_ms + 15)
            attempts.append(attempt)
        return attempts

    def _failures(self, slot_at: datetime) -> list[Failure | None]:
        """Tell how each attempt fails; None for one that passes."""
        workflow = self._habit.workflow
        certain = self._truth.failing(self._environment, workflow.workflow_id, slot_at)
        if certain is not None:
            return [certain] * (workflow.retries + 1)
        blip = self._blip(slot_at)
        if blip is not None:
            return [blip.failure, None]
        for masked in self._masked:
            if masked.holds(slot_at):
                return [masked.failure, None]
        for flaky in self._flaky:
            if flaky.holds(slot_at) and self._noise.chance.random() < flaky.share:
                return [flaky.failure] * (workflow.retries + 1)
        return [None]

    def _blip(self, slot_at: datetime) -> Blip | None:
        if self._location != US and self._blips and self._blips[-1].at <= slot_at:
            return self._blips.pop()
        return None

    def _attempt(
        self,
        run_id: str,
        number: int,
        clock: datetime,
        failure: Failure | None,
        will_retry: bool,
    ) -> Attempt:
        noise, habit = self._noise, self._habit
        load = noise.next_load() * self._slower * season_at(self._season, clock)
        breach = next((it for it in self._breaches if it.holds(clock)), None)
        setup_ms = noise.step_ms(habit.setup_ms) * load
        steps: list[Step] = []
        now_ms = setup_ms
        for outer in habit.steps:
            now_ms = self._take(steps, outer, None, now_ms, load, failure, breach, clock)
            if failure is not None and failure.step == outer.name:
                break
        call_ms = now_ms - setup_ms
        teardown_ms = TEARDOWN_MS * load
        metrics, degraded = self._metrics(steps, clock, breach)
        status = failure.status if failure else Status.DEGRADED if degraded else Status.PASSED
        return Attempt(
            run_id=run_id,
            number=number,
            workflow=habit.workflow,
            status=status,
            started_at=clock,
            duration_ms=round(setup_ms + call_ms + teardown_ms, 3),
            setup_ms=round(setup_ms, 3),
            call_ms=round(call_ms, 3),
            teardown_ms=round(teardown_ms, 3),
            will_retry=will_retry,
            errors=(failure.error,) if failure else (),
            degraded=() if failure else degraded,
            dimensions={"browser": "chromium"} if habit.workflow.type == "browser" else {},
            steps=tuple(steps),
            metrics=metrics,
            events=_events(failure, setup_ms),
        )

    def _take(
        self,
        steps: list[Step],
        habit: StepHabit,
        parent: int | None,
        now_ms: float,
        load: float,
        failure: Failure | None,
        breach: Breach | None,
        clock: datetime,
    ) -> float:
        """Take a step with its parts, and return when it ended."""
        index = len(steps)
        steps.append(Step(index=index, name=habit.name))
        fails = failure is not None and failure.step == habit.name
        end_ms = now_ms
        for part in habit.parts:
            end_ms = self._take(steps, part, index, end_ms, load, None, None, clock)
        if not habit.parts:
            median_ms = habit.median_ms
            for change in self._changes:
                if change.part == habit.name and clock >= change.at:
                    median_ms *= change.factor
            if breach is not None and breach.step == habit.name:
                median_ms = breach.median / load
            end_ms += self._noise.step_ms(median_ms) * load
        if fails and failure is not None:
            end_ms = max(end_ms, now_ms + self._noise.around(failure.takes_ms, 0.02))
        steps[index] = Step(
            index=index,
            name=habit.name,
            parent=parent,
            status=failure.status if fails and failure else Status.PASSED,
            started_ms=round(now_ms, 3),
            duration_ms=round(end_ms - now_ms, 3),
            error_message=failure.message if fails and failure else "",
            optional=habit.optional,
            slower_than_seconds=habit.slower_than_seconds,
        )
        return end_ms

    def _metrics(
        self, steps: list[Step], clock: datetime, breach: Breach | None
    ) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
        found, degraded = [], []
        index_of = {step.name: step.index for step in steps}
        for habit in self._habit.metrics:
            step = index_of.get(self._habit.steps[habit.step].name)
            if step is None:  # the attempt failed before
                continue
            median = habit.median
            drift: Drift | None = next((it for it in self._drifts if it.metric == habit.name), None)
            if drift is not None:
                median = drift.value_at(clock)
            for change in self._changes:
                if change.part == self._habit.steps[habit.step].name and clock >= change.at:
                    median *= change.factor
            if breach is not None and breach.metric == habit.name:
                median = breach.median
            value = round(self._noise.around(median, habit.spread), 3)
            within = None if habit.threshold is None else value <= habit.threshold
            if within is False:
                degraded.append(
                    f"{habit.name} is {value:g} {habit.unit}, "
                    f"beyond its threshold of {habit.threshold:g} {habit.unit}"
                )
            found.append(
                Metric(
                    name=habit.name,
                    value=value,
                    unit=habit.unit,
                    threshold_value=habit.threshold,
                    is_within_threshold=within,
                    step=step,
                    recorded_ms=steps[step].started_ms + (steps[step].duration_ms or 0.0),
                )
            )
        return tuple(found), tuple(degraded)


def _events(failure: Failure | None, at_ms: float) -> tuple[Event, ...]:
    if failure is None or not failure.url:
        return ()
    return (
        Event(
            kind=EventKind.REQUEST,
            at_ms=round(at_ms, 3),
            url=failure.url,
            method="GET",
            failure="net::ERR_CONNECTION_REFUSED",
        ),
    )


def _uuid(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))
