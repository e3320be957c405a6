from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zlib import adler32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_workflow_monitor.model import Attempt, AttemptStarted, Phase, Status, Workflow
from pytest_workflow_monitor.recording.flight import (
    SIZE,
    FlightRecorder,
    StepEnded,
    StepStarted,
    TimerSet,
    complete,
    read_frames,
    recover,
    running,
)
from pytest_workflow_monitor.recording.plain import Passed
from pytest_workflow_monitor.support.wire import encode

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORKFLOW = Workflow(workflow_id="x", name="X", nodeid="test_a.py::test_x", file="test_a.py")
HEAD = AttemptStarted(
    run_id="run", number=2, workflow=WORKFLOW, started_at=START, worker="gw1", dimensions={"a": "b"}
)
STEPS: list[StepStarted | StepEnded] = [
    StepStarted(index=0, name="Outer", phase=Phase.SETUP, started_ms=1.0),
    StepStarted(index=1, name="Inner", parent=0, started_ms=2.0),
    StepEnded(index=1, status=Status.FAILED, duration_ms=3.0, error_message="no"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flight-main.bin"


@pytest.fixture
def flight(path: Path) -> FlightRecorder:
    return FlightRecorder(path)


def recovered(path: Path, *, after: float = 10.0) -> Attempt | None:
    return recover(
        path,
        died_at=START + timedelta(seconds=after),
        status=Status.CRASHED,
        message="the worker died",
    )


def test_what_was_written_can_be_read_while_it_is_written(
    path: Path, flight: FlightRecorder
) -> None:
    """Every frame is in the file at once: a killed process leaves it behind."""
    assert read_frames(path) == []
    flight.restart(encode(HEAD))
    assert read_frames(path) == [HEAD]
    for count, frame in enumerate(STEPS, 1):
        flight.append(frame)
        assert read_frames(path) == [HEAD, *STEPS[:count]]
    assert running(path) == HEAD
    assert complete(path) is None


def test_a_dead_attempt_is_rebuilt_with_its_steps(path: Path, flight: FlightRecorder) -> None:
    """Ended steps keep their verdict, an open one is interrupted; the message says why."""
    flight.restart(encode(HEAD))
    for frame in STEPS:
        flight.append(frame)
    attempt = recovered(path)
    assert attempt is not None
    assert (attempt.run_id, attempt.number, attempt.worker) == ("run", 2, "gw1")
    assert attempt.workflow == WORKFLOW
    assert attempt.dimensions == {"a": "b"}
    assert attempt.status is Status.CRASHED
    assert attempt.duration_ms == 10_000
    outer, inner = attempt.steps
    assert (outer.name, outer.status, outer.duration_ms) == ("Outer", Status.INTERRUPTED, None)
    assert (inner.status, inner.parent, inner.error_message) == (Status.FAILED, 0, "no")
    assert inner.duration_ms == 3.0
    (error,) = attempt.errors
    assert error.message == "the worker died"


def test_a_clock_that_went_back_makes_no_negative_duration(
    path: Path, flight: FlightRecorder
) -> None:
    """A duration is never less than nothing."""
    flight.restart(encode(HEAD))
    attempt = recovered(path, after=-5)
    assert attempt is not None
    assert attempt.duration_ms == 0


@pytest.mark.parametrize(("after", "status"), [(1.9, Status.CRASHED), (2.1, Status.TIMED_OUT)])
def test_a_time_limit_that_had_run_out_explains_the_death(
    path: Path, flight: FlightRecorder, after: float, status: Status
) -> None:
    """pytest-timeout's thread method ends the process: that is a time-out, not a crash."""
    flight.restart(encode(HEAD))
    flight.append(TimerSet(seconds=60, at_ms=0))
    flight.append(TimerSet(seconds=1.5, at_ms=500))
    attempt = recovered(path, after=after)
    assert attempt is not None
    assert attempt.status is status
    assert attempt.errors[0].type == status.value


def test_the_next_attempt_forgets_the_last(path: Path, flight: FlightRecorder) -> None:
    """One attempt at a time: what is longer leaves no remains behind what is shorter."""
    flight.restart(encode(HEAD))
    for frame in STEPS * 10:
        flight.append(frame)
    flight.restart(encode(HEAD))
    assert read_frames(path) == [HEAD]
    flight.clear()
    assert read_frames(path) == []
    assert recovered(path) is None


def test_a_complete_attempt_waits_there_until_it_has_been_sent(
    path: Path, flight: FlightRecorder
) -> None:
    """Between the end of a test and the controller, a killed worker loses nothing."""
    attempt = Attempt(
        run_id="run",
        number=2,
        workflow=WORKFLOW,
        status=Status.PASSED,
        started_at=START,
        duration_ms=1.0,
    )
    flight.restart(encode(HEAD))
    flight.restart(encode(attempt))
    assert complete(path) == attempt
    assert running(path) is None
    assert recovered(path) is None
    flight.restart(encode(HEAD))
    flight.append_encoded(
        encode(Passed(duration_ms=1.0, setup_ms=0.0, call_ms=0.0, teardown_ms=0.0))
    )
    whole_again = complete(path)
    assert whole_again is not None
    assert whole_again.status is Status.PASSED
    assert whole_again.workflow == WORKFLOW
    assert running(path) is None
    assert recovered(path) is None
    flight.restart(b"x" * SIZE)
    assert read_frames(path) == []


def test_a_full_file_drops_what_comes_and_stays_readable(
    path: Path, flight: FlightRecorder
) -> None:
    """The file never grows; ends of steps whose start was dropped make no step."""
    flight.restart(encode(HEAD))
    for index in range(3000):
        flight.append(StepStarted(index=index, name="n" * 500))
    for index in range(3000):
        flight.append(StepEnded(index=index, status=Status.PASSED, duration_ms=1))
    attempt = recovered(path)
    assert attempt is not None
    assert 1500 < len(attempt.steps) < 3000
    assert path.stat().st_size == SIZE


def test_hostile_names_are_kept_safe(path: Path, flight: FlightRecorder) -> None:
    """Surrogates, NULs and line feeds do not end a frame early."""
    flight.restart(encode(HEAD))
    flight.append(StepStarted(index=0, name="\0\n\ud800 \0\0\0\0"))
    flight.append(STEPS[1])
    attempt = recovered(path)
    assert attempt is not None
    assert [step.name for step in attempt.steps] == ["\0\n? \0\0\0\0", "Inner"]


def test_a_closed_recorder_takes_what_a_late_thread_writes(
    path: Path, flight: FlightRecorder
) -> None:
    """A thread that outlives the session meets no exception of ours."""
    flight.restart(encode(HEAD))
    flight.close()
    flight.append(STEPS[0])
    assert read_frames(path) == [HEAD]


def test_no_file_is_no_attempt(tmp_path: Path) -> None:
    """A missing or empty file, or a folder, holds nothing."""
    assert read_frames(tmp_path / "none.bin") == []
    assert read_frames(tmp_path) == []
    (tmp_path / "empty.bin").touch()
    assert recovered(tmp_path / "empty.bin") is None


def whole() -> bytes:
    frames = [encode(HEAD), *(encode(step) for step in STEPS)]
    return b"".join(struct.pack("<II", len(f), adler32(f)) + f for f in frames) + b"\0\0\0\0"


def test_the_file_is_as_its_description_says(path: Path, flight: FlightRecorder) -> None:
    """A killed session may be read by another release of this program."""
    flight.restart(encode(HEAD))
    for frame in STEPS:
        flight.append(frame)
    assert path.read_bytes() == whole().ljust(SIZE, b"\0")


@given(cut=st.integers(0, len(whole())))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_file_gives_what_came_before_the_tear(tmp_path: Path, cut: int) -> None:
    """Cut anywhere, the whole frames before are read, and nothing else."""
    path = tmp_path / "torn.bin"
    path.write_bytes(whole()[:cut])
    frames = read_frames(path)
    assert frames == [HEAD, *STEPS][: len(frames)]
    sizes = [8 + len(encode(frame)) for frame in (HEAD, *STEPS)]
    assert len(frames) == sum(sum(sizes[: i + 1]) <= cut for i in range(len(sizes)))


@given(position=st.integers(0, len(whole()) - 1), value=st.binary(min_size=1, max_size=30))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_corrupt_file_never_raises(tmp_path: Path, position: int, value: bytes) -> None:
    """Bytes overwritten anywhere: the attempt with the steps before, or none; never another one."""
    content = bytearray(whole())
    content[position : position + len(value)] = value
    path = tmp_path / "corrupt.bin"
    path.write_bytes(content)
    attempt = recovered(path)
    frames = read_frames(path)
    assert frames == [HEAD, *STEPS][: len(frames)]
    assert attempt is None or attempt.run_id == HEAD.run_id


@given(st.binary(max_size=300))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_foreign_file_never_raises(tmp_path: Path, content: bytes) -> None:
    """Whatever lies there under that name."""
    path = tmp_path / "foreign.bin"
    path.write_bytes(content)
    assert recovered(path) is None
