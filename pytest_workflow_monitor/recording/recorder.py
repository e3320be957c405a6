"""The record of one attempt while it is being made."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from math import inf
from operator import attrgetter
from time import perf_counter_ns, process_time, time_ns
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import (
    Attempt,
    Event,
    Output,
    Phase,
    Status,
    Step,
    Workflow,
)
from pytest_workflow_monitor.recording.context import enclosing_step
from pytest_workflow_monitor.recording.details import Details, OpenStep, kept_index
from pytest_workflow_monitor.recording.flight import StepEnded, StepStarted, TimerSet
from pytest_workflow_monitor.recording.plain import passed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_workflow_monitor.recording.flight import FlightRecorder
    from pytest_workflow_monitor.recording.plain import Beginning

MAX_STEPS = 5_000
MAX_NAME = 500
MAX_REASONS = 100
MAX_MESSAGE = 10_000
MAX_EVENTS = 200
_STATUSES = {status.value: status for status in Status}
_INDEX = attrgetter("index")
_AT = attrgetter("at_ms")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_making = threading.Lock()


class Equipment:
    """What a test process lends to each of its attempts.

    Args:
        worker: The xdist worker's name, or empty.
        flight: Where to keep the attempt in progress; None where no file could be made.
        artifact_dir: Folder for attached files.
        contexts: Open browser contexts, each with its thread.
        step_evidence: What steps are to leave there, a `StepEvidence`.
        slow_request_ms: From when on an answered request counts as slow.
    """

    __slots__ = (
        "artifact_dir",
        "contexts",
        "flight",
        "slow_request_ms",
        "step_evidence",
        "worker",
    )

    def __init__(
        self,
        *,
        artifact_dir: Path,
        worker: str = "",
        flight: FlightRecorder | None = None,
        contexts: Sequence[Any] = (),
        step_evidence: Any = None,
        slow_request_ms: float = inf,
    ) -> None:
        self.artifact_dir = artifact_dir
        self.worker = worker
        self.flight = flight
        self.contexts = contexts
        self.step_evidence = step_evidence
        self.slow_request_ms = slow_request_ms


class Recorder:
    """Collects what one attempt of a workflow does.

    Args:
        equipment: What the process lends to it.
        beginning: What is known of the attempt beforehand.
        run_id: The execution that the attempt belongs to.
        number: The attempt's number, from 1.

    Attributes:
        cpu_since: How many seconds of processor time this process had used at the beginning.
        is_empty: Whether there is nothing to tell but how it ended, and nothing to measure.
        status: What became of it, once it has ended.
        will_retry: Whether another attempt follows.
    """

    __slots__ = (
        "_details",
        "_flight",
        "_started",
        "_started_us",
        "beginning",
        "cpu_since",
        "equipment",
        "is_empty",
        "number",
        "phase",
        "run_id",
        "started_ns",
        "status",
        "timer",
        "will_retry",
    )

    def __init__(
        self, equipment: Equipment, beginning: Beginning, run_id: str, number: int
    ) -> None:
        self.equipment = equipment
        self.beginning = beginning
        self.run_id = run_id
        self.number = number
        self.is_empty = True
        self.phase = Phase.SETUP
        self._details: Details | None = None
        self.timer: tuple[float, float] | None = None
        self.status = Status.RUNNING
        self.will_retry = False
        self._started_us = time_ns() // 1000
        self.started_ns = perf_counter_ns()
        self._started = beginning.started(run_id, number, self._started_us)
        self._flight = equipment.flight
        if self._flight is not None:
            self._flight.restart(self._started)
        self.cpu_since = process_time()

    @property
    def details(self) -> Details:
        """What it has to tell; made when it is first asked for, after which it is not empty."""
        details = self._details
        if details is None:
            self.is_empty = False
            with _making:
                details = self._details = self._details or Details()
        return details

    @property
    def workflow(self) -> Workflow:
        """The workflow as its marker describes it."""
        return self.beginning.workflow

    @property
    def started_at(self) -> datetime:
        """When the attempt began."""
        return _EPOCH + timedelta(microseconds=self._started_us)

    def elapsed_ms(self) -> float:
        """Milliseconds since the attempt began."""
        return (perf_counter_ns() - self.started_ns) / 1e6

    def start_step(self, name: str, *, optional: bool, slower_than: float | None) -> OpenStep:
        """Open a step inside the innermost open step of this context."""
        step = OpenStep(self, known.cut(name, MAX_NAME), optional=optional, slower_than=slower_than)
        details = self.details
        index = next(details.indexes)
        if index < MAX_STEPS:
            step.index = index
            details.steps.append(step)
        step.started_ns = perf_counter_ns()
        flight = self._flight
        if flight is not None and step.index >= 0:
            flight.append(
                StepStarted(
                    index=step.index,
                    name=step.name,
                    parent=step.parent,
                    phase=step.phase,
                    started_ms=self._ms(step.started_ns),
                )
            )
        return step

    def end_step(self, step: OpenStep, status: str, error_message: str = "") -> None:
        """Close a step; a step slower than its limit degrades the attempt."""
        step.ended_ns = step.ended_ns or perf_counter_ns()
        duration_ms = (step.ended_ns - step.started_ns) / 1e6
        step.status = _STATUSES[status]
        step.error_message = known.cut(error_message, MAX_MESSAGE)
        if (
            step.slower_than is not None
            and step.status is Status.PASSED
            and duration_ms > step.slower_than * 1000
        ):
            step.status = Status.DEGRADED
            self.degrade(
                f"step {step.name!r} took {duration_ms / 1000:.1f} s, "
                f"slower than {step.slower_than:g} s"
            )
        flight = self._flight
        if flight is not None and step.index >= 0:
            flight.append(
                StepEnded(
                    index=step.index,
                    status=step.status,
                    duration_ms=duration_ms,
                    error_message=known.cut(step.error_message, MAX_NAME),
                )
            )

    def step_index(self) -> int | None:
        """The index of the innermost open step of this context."""
        return kept_index(enclosing_step(self))

    def step_at(self, at_ms: float) -> int | None:
        """The index of the innermost step that was open at an instant of the attempt."""
        instant_ns = self.started_ns + int(at_ms * 1e6)
        for step in reversed(self.details.steps):
            if step.started_ns <= instant_ns and not 0 < step.ended_ns < instant_ns:
                return step.index
        return None

    def note(self, event: Event) -> None:
        """Keep an event; of very many the first and the last ones.

        One that differs from the event before it only in time counts as its repetition.
        """
        events = self.details.events
        if events:
            last = events[-1]
            if event == replace(last, at_ms=event.at_ms, duration_ms=event.duration_ms, repeated=0):
                events[-1] = replace(last, repeated=last.repeated + 1)
                return
        events.append(event)
        if len(events) > MAX_EVENTS:
            del events[MAX_EVENTS // 2]
            self.details.events_dropped += 1

    def degrade(self, reason: str) -> None:
        """Make a pass count as degraded; a reason is kept once, and only the first of very many."""
        reason = known.cut(reason, MAX_MESSAGE)
        reasons = self.details.degraded
        if len(reasons) < MAX_REASONS and reason not in reasons:
            reasons.append(reason)

    def set_timer(self, set_ns: int, seconds: float) -> None:
        """Note a time limit that started at ``set_ns`` of the performance counter."""
        self.timer = (self._ms(set_ns), seconds)
        if self._flight is not None:
            self._flight.append(TimerSet(seconds=seconds, at_ms=self.timer[0]))

    def passed(self, phases_ms: dict[str, float]) -> bytes:
        """Return a pass that has nothing more to tell, masked and encoded.

        The flight recorder holds it, too, until the next attempt begins. Steps that end later, in
        a fixture of the session or a thread, no longer belong to this one.
        """
        self.status = Status.PASSED
        flight, self._flight = self._flight, None
        end, encoded = passed(self._started, phases_ms)
        if flight is not None:
            flight.append_encoded(end)
        return encoded

    def sealed(
        self,
        *,
        status: Status,
        phases_ms: dict[str, float],
        skip_reason: str = "",
        outputs: tuple[Output, ...] = (),
    ) -> bytes:
        """Return the complete attempt, masked and encoded; the flight recorder holds it, too."""
        self.status = status
        flight, self._flight = self._flight, None
        attempt = self.freeze(
            status=status, phases_ms=phases_ms, skip_reason=skip_reason, outputs=outputs
        )
        encoded = known.sealed(attempt)[1]
        if flight is not None:
            flight.restart(encoded)
        return encoded

    def freeze(
        self,
        *,
        status: Status,
        phases_ms: dict[str, float],
        skip_reason: str = "",
        outputs: tuple[Output, ...] = (),
    ) -> Attempt:
        """Return the complete attempt; its duration is that of its phases together."""
        details = self.details
        steps = sorted(details.steps, key=_INDEX)  # threads may swap neighbours
        return Attempt(
            run_id=self.run_id,
            number=self.number,
            workflow=self.workflow,
            status=status,
            started_at=self.started_at,
            duration_ms=sum(phases_ms.values()),
            setup_ms=phases_ms.get("setup", 0.0),
            call_ms=phases_ms.get("call", 0.0),
            teardown_ms=phases_ms.get("teardown", 0.0),
            will_retry=self.will_retry,
            skip_reason=skip_reason,
            worker=self.equipment.worker,
            dimensions=self.beginning.dimensions,
            errors=tuple(details.errors),
            degraded=tuple(details.degraded),
            labels=details.labels,
            steps=tuple([self._frozen(step) for step in steps]),
            steps_dropped=max(next(details.indexes) - MAX_STEPS, 0),
            metrics=tuple(details.metrics),
            artifacts=tuple(details.artifacts),
            outputs=outputs,
            events=tuple(sorted(details.events, key=_AT)),
            events_dropped=details.events_dropped,
            pages=tuple(details.pages),
        )

    def _ms(self, instant_ns: int) -> float:
        return (instant_ns - self.started_ns) / 1e6

    def _frozen(self, step: OpenStep) -> Step:
        return Step(
            index=step.index,
            name=step.name,
            parent=step.parent,
            phase=step.phase,
            status=step.status,
            started_ms=self._ms(step.started_ns),
            duration_ms=(step.ended_ns - step.started_ns) / 1e6 if step.ended_ns else None,
            error_message=step.error_message,
            optional=step.optional,
            slower_than_seconds=step.slower_than,
        )
