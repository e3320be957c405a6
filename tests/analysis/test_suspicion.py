"""When a pass should not be believed: pure decisions."""

from __future__ import annotations

import pytest

from pytest_workflow_monitor.analysis.suspicion import Pass, counted_steps, suspicions
from pytest_workflow_monitor.model import Phase, Step

USUAL = ("Open", "Search", "Choose", "Fill", "Pay", "Check", "Cancel")


def a_pass(*names: str, ms: float = 3000.0, more: tuple[Step, ...] = ()) -> Pass:
    """Return a pass with these steps, all of whose time is the test's own."""
    steps = tuple(Step(index=index, name=name) for index, name in enumerate(names or USUAL))
    return Pass(duration_ms=ms, call_ms=ms, steps=steps + more)


def twenty(ms: float = 3000.0) -> list[Pass]:
    return [a_pass(ms=ms)] * 20


def test_a_pass_like_all_others_is_believed() -> None:
    """The same steps in another order, others besides, and a little quicker."""
    assert suspicions(a_pass(), twenty()) == ()
    assert suspicions(a_pass(*reversed(USUAL), "Look around", ms=1500.0), twenty()) == ()


def test_missing_steps_are_counted_and_named() -> None:
    """The first few by name."""
    (reason,) = suspicions(a_pass(*USUAL[:3]), twenty())
    assert reason == "3 of 7 usual steps ran; without 'Fill', 'Pay', 'Check' and 1 more"
    (reason,) = suspicions(a_pass(*USUAL[:-1]), twenty())
    assert reason == "6 of 7 usual steps ran; without 'Cancel'"
    (reason,) = suspicions(Pass(duration_ms=3000.0, call_ms=3000.0), [a_pass("Ask")] * 20)
    assert reason == "0 of 1 usual step ran; without 'Ask'"


@pytest.mark.parametrize(("size", "is_told"), [(0, False), (9, False), (10, True)])
def test_few_earlier_passes_tell_nothing(size: int, is_told: bool) -> None:
    """Ten are needed."""
    quick_and_short = a_pass("Open", ms=1.0)
    assert bool(suspicions(quick_and_short, twenty()[:size])) is is_told


@pytest.mark.parametrize(("without", "is_told"), [(0, True), (3, True), (4, False)])
def test_a_step_is_usual_that_nine_of_ten_passes_ran(without: int, is_told: bool) -> None:
    """So 27 of 30, and not 26."""
    earlier = [a_pass()] * (30 - without) + [a_pass(*USUAL[:-1])] * without
    assert bool(suspicions(a_pass(*USUAL[:-1]), earlier)) is is_told


def test_a_changed_test_is_soon_believed() -> None:
    """Suspicious passes are part of the history: after four of them the new steps are usual."""
    history = [a_pass()] * 30
    verdicts = []
    for _ in range(8):
        this = a_pass(*USUAL[:3], ms=900.0)
        verdicts.append(bool(suspicions(this, history[-30:])))
        history.append(this)
    assert verdicts == [True] * 4 + [False] * 4


OPTIONAL = (
    Step(index=10, name="Log in", optional=True, duration_ms=2500.0),
    Step(index=11, name="Enter the password", parent=10, duration_ms=2000.0),
    Step(index=12, name="Look at it", parent=11, optional=True, duration_ms=500.0),
)
SHARED = (
    Step(index=20, name="Start the shop", phase=Phase.SETUP),
    Step(index=21, name="Stop the shop", phase=Phase.TEARDOWN),
)


def test_optional_steps_and_fixtures_are_not_counted() -> None:
    """Neither what is in optional steps, nor the steps of set-up and tear-down."""
    earlier = [a_pass(more=OPTIONAL + SHARED, ms=3200.0)] * 20
    assert suspicions(a_pass(ms=700.0), earlier) == ()
    assert [step.name for step in counted_steps(earlier[0].steps)] == list(USUAL)


@pytest.mark.parametrize(
    ("ms", "before_ms", "is_told"),
    [
        (999.0, 3000.0, True),
        (1000.0, 3000.0, False),
        (100.0, 600.0, True),
        (101.0, 600.0, False),
        (1.0, 400.0, False),
    ],
)
def test_too_quick_is_a_third_and_half_a_second(ms: float, before_ms: float, is_told: bool) -> None:
    """Of the quickest of all, not of most."""
    earlier = [*twenty(ms=60_000.0), a_pass(ms=before_ms)]
    assert bool(suspicions(a_pass(ms=ms), earlier)) is is_told


def test_too_quick_is_said_in_seconds() -> None:
    """With what it is compared to."""
    (reason,) = suspicions(a_pass(ms=400.0), twenty(ms=5100.0))
    assert reason == "took 0.4 s; the quickest of the last 20 passes took 5.1 s"


def test_a_set_up_that_others_share_does_not_make_a_pass_quick() -> None:
    """A browser that was started already, for example."""
    earlier = [Pass(duration_ms=5000.0, call_ms=1000.0, steps=a_pass().steps)] * 20
    this = Pass(duration_ms=1000.0, call_ms=950.0, steps=a_pass().steps)
    assert suspicions(this, earlier) == ()


def test_steps_and_time_are_two_reasons() -> None:
    """Both are said."""
    assert len(suspicions(a_pass("Open", ms=10.0), twenty())) == 2
