"""That what is put together from beginning and end is the attempt it stands for."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_workflow_monitor.journal import decode
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Attempt, AttemptStarted, Status, Workflow
from pytest_workflow_monitor.recording.flight import FlightRecorder, complete, read_frames, running
from pytest_workflow_monitor.recording.plain import Beginning, Definition, Passed
from pytest_workflow_monitor.recording.recorder import Equipment, Recorder

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = Workflow(
    workflow_id="x", name="X {}", nodeid="test_a.py::test_x", file="test_a.py", tags=("a", "b")
)
PHASES_MS = {"setup": 1.5, "call": 2.25, "teardown": 4.0}


def recorder(folder: Path, worker: str, dimensions: dict[str, str]) -> Recorder:
    flight = FlightRecorder(folder / "flight.bin")
    equipment = Equipment(artifact_dir=folder, flight=flight, worker=worker)
    return Recorder(equipment, Beginning(WORKFLOW, dimensions, worker), "run", 3)


@pytest.mark.parametrize("worker", ["", "gw1"])
@pytest.mark.parametrize("dimensions", [{}, {"browser": 'a "b"'}])
def test_a_plain_attempt_is_written_as_any_other(
    tmp_path: Path, worker: str, dimensions: dict[str, str]
) -> None:
    """Whoever reads the flight recorder or the journal sees no difference."""
    made = recorder(tmp_path, worker, dimensions)
    assert read_frames(tmp_path / "flight.bin") == [
        AttemptStarted(
            run_id="run",
            number=3,
            workflow=WORKFLOW,
            started_at=made.started_at,
            worker=worker,
            dimensions=dimensions,
        )
    ]
    path = tmp_path / "flight.bin"
    assert (running(path), complete(path)) == (read_frames(path)[0], None)
    attempt = decode(made.passed(PHASES_MS))
    assert attempt == made.freeze(status=Status.PASSED, phases_ms=PHASES_MS)
    assert (running(path), complete(path)) == (None, attempt)


@pytest.mark.parametrize(
    "instant",
    [
        "1970-01-01T00:00:00.000000",
        "2026-12-31T23:59:59.999999",
        "2027-01-01T00:00:00.000001",
        "2026-02-28T12:03:04.500000",
    ],
)
def test_the_instant_it_began_is_written_to_the_microsecond(instant: str) -> None:
    """Also in another minute than the one before, and back again when the clock is set."""
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    time_us = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    started = AttemptStarted(run_id="run", number=1, workflow=WORKFLOW, started_at=at)
    written = Beginning(WORKFLOW, {}).started("run", 1, time_us)
    assert msgspec.json.decode(written, type=AttemptStarted) == started


def test_what_is_asked_for_makes_an_attempt_more_than_a_plain_pass(tmp_path: Path) -> None:
    """Whoever asks for one of its collections may put something in, now or later."""
    bare, made = recorder(tmp_path, "", {}), recorder(tmp_path, "", {})
    made.details.labels["season"] = "winter"
    assert (bare.is_empty, made.is_empty) == (True, False)
    attempt = decode(made.sealed(status=Status.PASSED, phases_ms=PHASES_MS))
    assert isinstance(attempt, Attempt)
    assert attempt.labels == {"season": "winter"}
    assert complete(tmp_path / "flight.bin") == attempt


def test_threads_that_ask_first_at_once_get_the_same_collection(tmp_path: Path) -> None:
    """Else what one of them puts in would be lost."""
    for _ in range(50):
        made = recorder(tmp_path, "", {})
        barrier = Barrier(8)

        def add(made: Recorder = made, barrier: Barrier = barrier) -> None:
            barrier.wait()
            made.details.degraded.append("x")

        threads = [Thread(target=add) for _ in range(barrier.parties)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made.details.degraded) == barrier.parties


def test_what_a_recorder_does_not_have_is_said_by_its_name(tmp_path: Path) -> None:
    """A misspelt attribute is no collection."""
    with pytest.raises(AttributeError, match="degradd"):
        getattr(recorder(tmp_path, "", {}), "degradd")  # noqa: B009 - mypy knows better


@pytest.mark.parametrize(
    ("workflow", "has_limits", "may_be_plain"),
    [
        (WORKFLOW, False, True),
        (WORKFLOW, True, False),
        (msgspec.structs.replace(WORKFLOW, budgets={"page_load_ms": 1.0}), False, False),
        (msgspec.structs.replace(WORKFLOW, degraded_after_seconds=0.0), False, False),
    ],
)
def test_a_limit_has_to_be_looked_at(
    workflow: Workflow, has_limits: bool, may_be_plain: bool
) -> None:
    """A pass beyond one is no plain pass."""
    assert Beginning(workflow, {}, has_limits=has_limits).may_be_plain is may_be_plain


def test_a_secret_learnt_meanwhile_is_masked_in_what_was_known_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beginning tells that it was written when less was known; the whole is masked anew."""
    made = recorder(tmp_path, "", {"tenant": "zq-hidden-tenant"})
    for name, value in vars(known).items():
        monkeypatch.setattr(known, name, copy(value) if isinstance(value, dict | list) else value)
    known.learn("zq-hidden-tenant")
    assert made.beginning.secrets != known.count
    attempt = decode(made.sealed(status=Status.PASSED, phases_ms=PHASES_MS))
    assert isinstance(attempt, Attempt)
    assert attempt.dimensions == {"tenant": "[masked]"}
    again = Beginning(WORKFLOW, {"tenant": "zq-hidden-tenant"}).started("run", 1, 0)
    assert b"zq-hidden-tenant" not in again


def test_beginning_and_end_have_nothing_in_common() -> None:
    """JSON with a name twice would depend on who reads it; names and types are the attempt's."""
    known_before, beginning, end, whole = (
        {it.name: it.type for it in msgspec.structs.fields(record)}
        for record in (Definition, AttemptStarted, Passed, Attempt)
    )
    assert not beginning.keys() & end.keys()
    assert {**beginning, **end}.items() <= whole.items()
    assert known_before.items() <= beginning.items()
