from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Event, EventKind, Status, Workflow
from pytest_workflow_monitor.recording.plain import Beginning
from pytest_workflow_monitor.recording.recorder import MAX_EVENTS, Equipment, Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.model import Attempt


def recorder(tmp_path: Path) -> Recorder:
    workflow = Workflow(workflow_id="x", name="X", nodeid="test_a.py::test_x", file="test_a.py")
    return Recorder(Equipment(artifact_dir=tmp_path), Beginning(workflow, {}), "run", 1)


def said(text: str, at_ms: float) -> Event:
    return Event(kind=EventKind.CONSOLE, at_ms=at_ms, text=text)


def frozen(made: Recorder) -> Attempt:
    return made.freeze(status=Status.PASSED, phases_ms={})


def test_of_very_many_events_the_first_and_the_last_stay(tmp_path: Path) -> None:
    """What began the trouble and what ended the test are both worth more than the middle."""
    made = recorder(tmp_path)
    for number in range(1000):
        made.note(said(str(number), number))
    attempt = frozen(made)
    half = MAX_EVENTS // 2
    kept = [event.text for event in attempt.events]
    assert kept == [str(n) for n in [*range(half), *range(1000 - half, 1000)]]
    assert attempt.events_dropped == 1000 - MAX_EVENTS


def test_equal_neighbours_are_one_event(tmp_path: Path) -> None:
    """It keeps the time of the first, and counts the others."""
    made = recorder(tmp_path)
    for at_ms, text in enumerate(["a", "a", "a", "b", "a"]):
        made.note(said(text, at_ms))
    assert [(e.text, e.at_ms, e.repeated) for e in frozen(made).events] == [
        ("a", 0, 2),
        ("b", 3, 0),
        ("a", 4, 0),
    ]


def test_events_are_in_the_order_of_their_beginning(tmp_path: Path) -> None:
    """A request is heard of when it ends, and stands where it began."""
    made = recorder(tmp_path)
    made.note(said("later", 5))
    made.note(said("earlier", 2))
    assert [event.text for event in frozen(made).events] == ["earlier", "later"]


def test_an_instant_falls_into_the_innermost_step(tmp_path: Path) -> None:
    """Steps that had ended, or not begun, do not count."""
    made = recorder(tmp_path)
    outer = made.start_step("outer", optional=False, slower_than=None)
    inner = made.start_step("inner", optional=False, slower_than=None)
    for step, (start, stop) in {outer: (10, 50), inner: (20, 30)}.items():
        step.started_ns = made.started_ns + start * 1_000_000
        step.ended_ns = made.started_ns + stop * 1_000_000
    assert [made.step_at(at_ms) for at_ms in (5, 15, 25, 40, 60)] == [None, 0, 1, 0, None]
