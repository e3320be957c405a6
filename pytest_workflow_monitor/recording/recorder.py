"""The record of one attempt while it is being made."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from math import inf
from operator import attrgetter
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import (
    Artifact,
    Attempt,
    AttemptStarted,
    Error,
    Event,
    Metric,
    Output,
    Page,
    Phase,
    Status,
    Step,
    Workflow,
)
from pytest_workflow_monitor.recording.context import enclosing_step
from pytest_workflow_monitor.recording.flight import StepEnded, StepStarted, TimerSet
from pytest_workflow_monitor.recording.plain import Ended, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_workflow_monitor.recording.flight import FlightRecorder

MAX_STEPS = 5_000
MAX_NAME = 500
MAX_REASONS = 100
MAX_MESSAGE = 10_000
MAX_EVENTS = 200
_STATUSES = {status.value: status for status in Status}
_INDEX = attrgetter("index")
_AT = attrgetter("at_ms")


class OpenStep:
    """A step between its start and its end."""

    __slots__ = (
        "ended_ns",
        "error_message",
        "groups",
        "index",
        "name",
        "optional",
        "outer",
        "parent",
        "phase",
        "pictured",
        "recorder",
        "shadowed",
        "slower_than",
        "started_ns",
        "status",
    )

    def __init__(
        self, recorder: Recorder, name: str, *, optional: bool, slower_than: float | None
    ) -> None:
        self.recorder = recorder
        self.name = name
        self.optional = optional
        self.slower_than = slower_than
        self.index = -1
        self.outer = enclosing_step(recorder)
        self.parent = _kept_index(self.outer)
        self.phase = recorder.phase
        self.status = Status.RUNNING
        self.error_message = ""
        self.groups: list[Any] = []
        self.pictured: BaseException | None = None
        self.shadowed: OpenStep | None = None
        self.ended_ns = 0
        self.started_ns = 0


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
        workflow: The workflow as its marker describes it.
        dimensions: Parameters that do not split history, such as the browser.
        run_id: The execution that the attempt belongs to.
        number: The attempt's number, from 1.

    Attributes:
        requests: Of each API request how long it took, in milliseconds, and whether it failed.
    """

    __slots__ = (
        "_flight",
        "_indexes",
        "_secrets",
        "_started",
        "artifacts",
        "degraded",
        "dimensions",
        "equipment",
        "errors",
        "events",
        "events_dropped",
        "labels",
        "metrics",
        "number",
        "pages",
        "phase",
        "requests",
        "run_id",
        "started_at",
        "started_ns",
        "steps",
        "timer",
        "workflow",
    )

    def __init__(
        self,
        equipment: Equipment,
        workflow: Workflow,
        dimensions: dict[str, str],
        run_id: str,
        number: int,
    ) -> None:
        self.equipment = equipment
        self.workflow = workflow
        self.dimensions = dimensions
        self.run_id = run_id
        self.number = number
        self.phase = Phase.SETUP
        self.steps: list[OpenStep] = []
        self._indexes = count()
        self.metrics: list[Metric] = []
        self.artifacts: list[Artifact] = []
        self.degraded: list[str] = []
        self.labels: dict[str, str] = {}
        self.errors: list[Error] = []
        self.events: list[Event] = []
        self.events_dropped = 0
        self.pages: list[Page] = []
        self.requests: list[tuple[float, bool]] = []
        self.timer: tuple[float, float] | None = None
        self.started_at = datetime.now(UTC)
        self.started_ns = perf_counter_ns()
        self._secrets = known.count
        started = AttemptStarted(
            run_id=run_id,
            number=number,
            workflow=workflow,
            started_at=self.started_at,
            worker=equipment.worker,
            dimensions=dimensions,
        )
        self._started = known.sealed(started)[1]
        self._flight = equipment.flight
        if self._flight is not None:
            self._flight.restart(self._started)

    def elapsed_ms(self) -> float:
        """Milliseconds since the attempt began."""
        return (perf_counter_ns() - self.started_ns) / 1e6

    def start_step(self, name: str, *, optional: bool, slower_than: float | None) -> OpenStep:
        """Open a step inside the innermost open step of this context."""
        step = OpenStep(self, known.cut(name, MAX_NAME), optional=optional, slower_than=slower_than)
        index = next(self._indexes)
        if index < MAX_STEPS:
            step.index = index
            self.steps.append(step)
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
        return _kept_index(enclosing_step(self))

    def step_at(self, at_ms: float) -> int | None:
        """The index of the innermost step that was open at an instant of the attempt."""
        instant_ns = self.started_ns + int(at_ms * 1e6)
        for step in reversed(self.steps):
            if step.started_ns <= instant_ns and not 0 < step.ended_ns < instant_ns:
                return step.index
        return None

    def note(self, event: Event) -> None:
        """Keep an event; of very many the first and the last ones.

        One that differs from the event before it only in time counts as its repetition.
        """
        events = self.events
        if events:
            last = events[-1]
            if event == replace(last, at_ms=event.at_ms, duration_ms=event.duration_ms, repeated=0):
                events[-1] = replace(last, repeated=last.repeated + 1)
                return
        events.append(event)
        if len(events) > MAX_EVENTS:
            del events[MAX_EVENTS // 2]
            self.events_dropped += 1

    def degrade(self, reason: str) -> None:
        """Make a pass count as degraded; a reason is kept once, and only the first of very many."""
        reason = known.cut(reason, MAX_MESSAGE)
        if len(self.degraded) < MAX_REASONS and reason not in self.degraded:
            self.degraded.append(reason)

    def set_timer(self, set_ns: int, seconds: float) -> None:
        """Note a time limit that started at ``set_ns`` of the performance counter."""
        self.timer = (self._ms(set_ns), seconds)
        if self._flight is not None:
            self._flight.append(TimerSet(seconds=seconds, at_ms=self.timer[0]))

    def sealed(
        self,
        *,
        status: Status,
        phases_ms: dict[str, float],
        will_retry: bool,
        skip_reason: str,
        outputs: tuple[Output, ...],
    ) -> tuple[Attempt | Ended, bytes]:
        """Return the complete attempt, or how a plain one ended, and the attempt encoded."""
        is_plain = known.count == self._secrets and not (
            skip_reason
            or outputs
            or self.steps
            or self.metrics
            or self.artifacts
            or self.errors
            or self.degraded
            or self.labels
            or self.events
            or self.pages
        )
        if not is_plain:
            attempt = self.freeze(
                status=status,
                phases_ms=phases_ms,
                will_retry=will_retry,
                skip_reason=skip_reason,
                outputs=outputs,
            )
            return known.sealed(attempt)
        ended = Ended(
            self.run_id,
            status,
            sum(phases_ms.values()),
            phases_ms.get("setup", 0.0),
            phases_ms.get("call", 0.0),
            phases_ms.get("teardown", 0.0),
            will_retry,
        )
        return ended, encoded(ended, self._started)

    def freeze(
        self,
        *,
        status: Status,
        phases_ms: dict[str, float],
        will_retry: bool,
        skip_reason: str,
        outputs: tuple[Output, ...],
    ) -> Attempt:
        """Return the complete attempt; its duration is that of its phases together."""
        steps = sorted(self.steps, key=_INDEX)  # threads may swap neighbours
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
            will_retry=will_retry,
            skip_reason=skip_reason,
            worker=self.equipment.worker,
            dimensions=self.dimensions,
            errors=tuple(self.errors),
            degraded=tuple(self.degraded),
            labels=self.labels,
            steps=tuple([self._frozen(step) for step in steps]),
            steps_dropped=max(next(self._indexes) - MAX_STEPS, 0),
            metrics=tuple(self.metrics),
            artifacts=tuple(self.artifacts),
            outputs=outputs,
            events=tuple(sorted(self.events, key=_AT)),
            events_dropped=self.events_dropped,
            pages=tuple(self.pages),
        )

    def finish(self, encoded: bytes) -> None:
        """Leave the complete attempt in the flight recorder until the next one begins.

        Steps that end later, in a fixture of the session or a thread, no longer belong there.
        """
        flight, self._flight = self._flight, None
        if flight is not None:
            flight.restart(encoded)

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


def _kept_index(step: OpenStep | None) -> int | None:
    """The index of a step; None for none, and for one beyond the number that is kept."""
    return step.index if step is not None and step.index >= 0 else None
