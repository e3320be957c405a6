"""The failing step beside the last good one."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pytest_workflow_monitor.analysis import evidence
from pytest_workflow_monitor.model import (
    Artifact,
    Attempt,
    Error,
    Execution,
    Phase,
    Status,
    Step,
    StepNormal,
)
from tests.report import sample

FAILED = (
    Step(index=0, name="Pay", status=Status.FAILED, duration_ms=7_000),
    Step(index=1, name="Submit", parent=0, status=Status.FAILED, duration_ms=6_000),
)
PASSED = tuple(replace(step, status=Status.PASSED) for step in FAILED)
NORMAL = StepNormal(path=("Pay", "Submit"), median_ms=900, p95_ms=1_100, sample_size=20)
ERROR = Error(phase=Phase.CALL, message="no")


def picture(name: str, step: int | None, **changes: Any) -> Artifact:
    """Make a screenshot."""
    return Artifact(name=name, kind="screenshot", step=step, path=name, **changes)


def tried(status: Status, steps: tuple[Step, ...], *artifacts: Artifact, **changes: Any) -> Attempt:
    """Make an attempt."""
    return sample.attempt(
        sample.run_id(1),
        sample.workflow("one"),
        status,
        steps=steps,
        artifacts=artifacts,
        **changes,
    )


def failing(*artifacts: Artifact, passed: Attempt | None = None, **changes: Any) -> Execution:
    """Make an execution that failed in a step, with the last pass."""
    fields: dict[str, Any] = {"steps": FAILED, "errors": (ERROR,)} | changes
    made = sample.combined(tried(Status.FAILED, fields.pop("steps"), *artifacts, **fields))
    return replace(made, last_passed=passed, normal_steps=(NORMAL,))


def compared(execution: Execution) -> tuple[str, str]:
    """Name the pictures that are compared."""
    found = evidence.compare(execution, execution.attempts[-1])
    assert found
    return found.now.name if found.now else "", found.before.name if found.before else ""


def test_the_same_step_of_the_last_pass_is_compared() -> None:
    """Known by the names around it, although it had another number."""
    before = (
        Step(index=0, name="New"),
        *(
            replace(step, index=step.index + 1, parent=None if step.parent is None else 1)
            for step in PASSED
        ),
    )
    passed = tried(Status.PASSED, before, picture("good", 2), picture("end", None))
    assert compared(failing(picture("bad", 1), passed=passed)) == ("bad", "good")


def test_a_repeated_step_is_compared_with_the_same_round() -> None:
    """The second of equal names with the second, the third with the last there is."""

    def rounds(*statuses: Status) -> tuple[Step, ...]:
        return tuple(Step(index=n, name="Add", status=status) for n, status in enumerate(statuses))

    passed = tried(
        Status.PASSED, rounds(Status.PASSED, Status.PASSED), picture("1", 0), picture("2", 1)
    )
    second = failing(steps=rounds(Status.PASSED, Status.FAILED), passed=passed)
    third = failing(steps=rounds(Status.PASSED, Status.PASSED, Status.FAILED), passed=passed)
    assert [compared(second)[1], compared(third)[1]] == ["2", "2"]


def test_without_a_picture_of_the_step_the_one_of_the_end_is_shown() -> None:
    """It was taken when the step had failed; of a pass the end would show something else."""
    passed = tried(Status.PASSED, PASSED, picture("end of pass", None))
    assert compared(failing(picture("end", None), passed=passed)) == ("end", "end of pass")
    elsewhere = tried(Status.PASSED, (Step(index=0, name="Other"),), picture("other", 0))
    assert compared(failing(picture("end", None), passed=elsewhere)) == ("end", "")


def test_a_failure_outside_of_steps_compares_the_ends() -> None:
    """The pictures that belong to no step."""
    passed = tried(Status.PASSED, PASSED, picture("step", 1), picture("good end", None))
    execution = failing(picture("bad end", None), steps=(), passed=passed)
    assert compared(execution) == ("bad end", "good end")


def test_a_picture_with_content_is_preferred_to_one_without() -> None:
    """Among several of a step the last that can be shown, else the reason of the last."""
    shown, missing = picture("shown", 1), picture("missing", 1, problem="gone")
    assert compared(failing(shown, missing))[0] == "shown"
    assert compared(failing(missing))[0] == "missing"


def test_what_went_well_is_not_compared() -> None:
    """A pass has no failing step, and nothing known means nothing shown."""
    passed = sample.combined(tried(Status.PASSED, PASSED, picture("a", 1)))
    assert evidence.compare(passed, passed.attempts[0]) is None
    alone = replace(failing(), normal_steps=())
    assert evidence.compare(alone, alone.attempts[0]) is None


def test_the_step_is_held_against_what_it_normally_takes() -> None:
    """From three passes on."""
    execution = failing()
    found = evidence.compare(execution, execution.attempts[0])
    assert found
    assert evidence.step_against_normal(found) == "normally 900 ms, now 6.0 s"
    few = replace(execution, normal_steps=(replace(NORMAL, sample_size=2),))
    assert evidence.compare(few, few.attempts[0]) is None


@pytest.mark.parametrize(
    ("duration_ms", "late"), [(None, False), (1_200, False), (1_400, True), (1_000, False)]
)
def test_late_is_beyond_nearly_all_and_clearly_beyond_the_middle(
    duration_ms: float | None, *, late: bool
) -> None:
    """A step that is slower than its 95th percentile by a hair is not late."""
    assert evidence.is_late(duration_ms, NORMAL) is late


def test_paths_survive_damaged_records() -> None:
    """Circles and unknown parents end a path."""
    steps = (
        Step(index=0, name="a", parent=1),
        Step(index=1, name="b", parent=0),
        Step(index=2, name="c", parent=99),
        Step(index=3, name="d", parent=2),
    )
    assert evidence.step_paths(steps) == {0: ("b", "a"), 1: ("a", "b"), 2: ("c",), 3: ("c", "d")}
