from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor import metric, step
from pytest_workflow_monitor.model import Attempt, Status, Workflow
from pytest_workflow_monitor.recording.browser.steps import StepEvidence
from pytest_workflow_monitor.recording.context import current_step, process
from pytest_workflow_monitor.recording.flight import FlightRecorder, StepEnded, read_frames
from pytest_workflow_monitor.recording.plain import Beginning
from pytest_workflow_monitor.recording.recorder import Equipment, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    Begin = Callable[[], Recorder]

WORKFLOW = Workflow(workflow_id="x", name="X", nodeid="test_a.py::test_x", file="test_a.py")


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begin an attempt in this process, whatever is being recorded of this very test."""
    flight = FlightRecorder(tmp_path / "flight.bin")
    outer, outer_step = process.recorder, current_step.get()

    def make() -> Recorder:
        process.recorder = Recorder(
            Equipment(artifact_dir=tmp_path, flight=flight), Beginning(WORKFLOW, {}), "run", 1
        )
        return process.recorder

    yield make
    process.recorder = outer
    current_step.set(outer_step)
    flight.close()


def frozen(recorder: Recorder) -> Attempt:
    return recorder.freeze(
        status=Status.PASSED,
        phases_ms={"setup": 1.0, "call": 2.0, "teardown": 4.0},
    )


def test_an_attempt_is_its_phases_together(begin: Begin) -> None:
    """The duration is what set-up, call and tear-down took, without the pauses between."""
    attempt = frozen(begin())
    assert attempt.duration_ms == 7.0
    assert (attempt.setup_ms, attempt.call_ms, attempt.teardown_ms) == (1.0, 2.0, 4.0)


def test_a_step_that_ends_after_its_attempt_leaves_the_next_one_alone(
    begin: Begin, tmp_path: Path
) -> None:
    """A session's fixture closes its step long after: the flight recorder has moved on by then."""
    first = begin()
    late = step("session fixture").__enter__()
    first.sealed(status=Status.PASSED, phases_ms={})
    begin()
    with step("of the second attempt"):
        late.__exit__(None, None, None)
        metric("rows", 1)
    frames = read_frames(tmp_path / "flight.bin")
    assert len(frames) == 3
    assert [frame for frame in frames if isinstance(frame, StepEnded)] == frames[2:]
    assert process.recorder is not None
    assert process.recorder.details.metrics[0].step == 0


def test_threads_never_number_two_steps_alike(begin: Begin) -> None:
    """However often the interpreter switches between them."""
    recorder = begin()
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        for _ in range(200):
            with step("x"):
                pass

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(work) for _ in range(4)]:
                future.result()
    finally:
        sys.setswitchinterval(interval)
    assert [s.index for s in frozen(recorder).steps] == list(range(800))


class Stopped(BaseException):
    """As a time limit or Ctrl-C in the middle of a call to the browser."""


class Tracing:
    """A trace in which something happens."""

    def __init__(self, *, opening: BaseException | None, closing: BaseException | None) -> None:
        self.opening = opening
        self.closing = closing
        self.tracing = self

    def group(self, name: str) -> None:
        """Open a group."""
        if self.opening:
            raise self.opening

    def group_end(self) -> None:
        """Close it."""
        if self.closing:
            raise self.closing


def trace(recorder: Recorder, **what: Any) -> None:
    tracing = Tracing(**{"opening": None, "closing": None, **what})
    recorder.equipment.contexts = [(tracing, threading.get_ident())]
    recorder.equipment.step_evidence = StepEvidence(is_tracing=True)


@pytest.mark.parametrize("what", ["opening", "closing"])
def test_a_browser_that_fails_does_not_fail_the_step(begin: Begin, what: str) -> None:
    """An error of Playwright about a group is not the workflow's."""
    recorder = begin()
    trace(recorder, **{what: RuntimeError("closed")})
    with step("x"):
        pass
    assert [s.status for s in frozen(recorder).steps] == [Status.PASSED]


@pytest.mark.parametrize("what", ["opening", "closing"])
def test_a_stop_while_the_browser_is_spoken_to_closes_the_step(begin: Begin, what: str) -> None:
    """A time limit in the middle of a group's call goes through, and leaves no step open."""
    recorder = begin()
    trace(recorder, **{what: Stopped()})
    with pytest.raises(Stopped), step("x"):
        pass
    recorder.equipment.contexts = []
    with step("next"):
        pass
    first, second = frozen(recorder).steps
    assert first.duration_ms is not None
    assert second.parent is None


def test_groups_of_another_thread_are_left_alone(begin: Begin) -> None:
    """Playwright may only be called from the thread that started it."""
    recorder = begin()
    tracing = Tracing(opening=Stopped(), closing=None)
    recorder.equipment.contexts = [(tracing, threading.get_ident() + 1)]
    recorder.equipment.step_evidence = StepEvidence(is_tracing=True)
    with step("x"):
        pass
    finish(asynchronous_step())
    assert [s.status for s in frozen(recorder).steps] == [Status.PASSED] * 2


def finish(coroutine: Coroutine[None, None, None]) -> None:
    """Run a coroutine that never waits; Playwright may have left a loop running in this thread."""
    with suppress(StopIteration):
        coroutine.send(None)


async def asynchronous_step() -> None:
    async with step("y"):
        pass
