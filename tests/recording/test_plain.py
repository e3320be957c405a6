"""That what is put together from beginning and end is the attempt it stands for."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_workflow_monitor.journal import decode
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Attempt, AttemptStarted, Status, Workflow
from pytest_workflow_monitor.recording.flight import FlightRecorder, read_frames
from pytest_workflow_monitor.recording.plain import Ended
from pytest_workflow_monitor.recording.recorder import Equipment, Recorder

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = Workflow(
    workflow_id="x", name="X {}", nodeid="test_a.py::test_x", file="test_a.py", tags=("a", "b")
)
RESULT: dict[str, Any] = {
    "status": Status.PASSED,
    "phases_ms": {"setup": 1.5, "call": 2.25, "teardown": 4.0},
    "will_retry": False,
    "skip_reason": "",
    "outputs": (),
}


def recorder(folder: Path, worker: str, dimensions: dict[str, str]) -> Recorder:
    flight = FlightRecorder(folder / "flight.bin")
    equipment = Equipment(artifact_dir=folder, flight=flight, worker=worker)
    return Recorder(equipment, WORKFLOW, dimensions, "run", 3)


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
    for status in Status:
        result = {**RESULT, "status": status, "will_retry": status is Status.FAILED}
        ended, encoded = made.sealed(**result)
        assert isinstance(ended, Ended)
        assert decode(encoded) == made.freeze(**result)


def test_an_attempt_with_more_to_tell_is_complete(tmp_path: Path) -> None:
    """A reason, a label or an output is enough."""
    made = recorder(tmp_path, "", {})
    assert decode(made.sealed(**{**RESULT, "skip_reason": "why"})[1]) == made.freeze(
        **{**RESULT, "skip_reason": "why"}
    )
    made.labels["season"] = "winter"
    attempt = decode(made.sealed(**RESULT)[1])
    assert isinstance(attempt, Attempt)
    assert attempt.labels == {"season": "winter"}


def test_a_secret_learnt_meanwhile_is_masked_in_what_was_known_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fixed part is checked again when more is secret at the end than at the beginning."""
    made = recorder(tmp_path, "", {"tenant": "zq-hidden-tenant"})
    for name, value in vars(known).items():
        monkeypatch.setattr(known, name, copy(value) if isinstance(value, dict | list) else value)
    known.learn("zq-hidden-tenant")
    attempt = decode(made.sealed(**RESULT)[1])
    assert isinstance(attempt, Attempt)
    assert attempt.dimensions == {"tenant": "[masked]"}


def test_beginning_and_end_have_only_the_id_in_common() -> None:
    """JSON with a name twice would depend on who reads it; names and types are the attempt's."""
    beginning, end, whole = (
        {it.name: it.type for it in msgspec.structs.fields(record)}
        for record in (AttemptStarted, Ended, Attempt)
    )
    assert beginning.keys() & end.keys() == {"run_id"}
    assert next(iter(beginning)) == next(iter(end)) == "run_id"
    assert {**beginning, **end}.items() <= whole.items()
    assert Ended.__struct_config__.tag == Attempt.__struct_config__.tag
