"""The geometry of small pictures, and the order of nested steps."""

from __future__ import annotations

import pytest

from pytest_workflow_monitor.model import Status, Step
from pytest_workflow_monitor.report import pictures
from pytest_workflow_monitor.report.cases import nested
from tests.report import sample


def test_the_strip_ends_with_this_run() -> None:
    """At most 20 marks, the newest last."""
    execution = sample.combined(
        sample.attempt(sample.run_id(1), sample.workflow("one"), Status.FAILED),
        past=sample.history("f" + "p" * 25),
    )
    assert pictures.recent_letters(execution) == "p" * 19 + "f"


def test_every_status_has_a_letter_and_a_shape() -> None:
    """No status of a history can break a report."""
    for status in Status:
        letter = pictures.letter(status, is_flaky=False)
        assert pictures.strip(letter)
        assert pictures.strip_words(letter).startswith("this run: 1 ")


def test_a_short_history_is_at_the_right_edge() -> None:
    """The newest mark is always at the same place."""
    (shape,) = pictures.strip("f")
    assert shape.path == "M95 0h3v16h-3z"


def test_a_bar_never_loses_a_part() -> None:
    """One failure of 10,000 is still visible, and the parts fill the width."""
    first, second = pictures.proportions({"failed": 1, "passed": 9_999})
    assert first.width > 5
    assert second.start + second.width == pytest.approx(1_000, abs=0.1)
    assert pictures.proportions({}) == []


@pytest.mark.parametrize(
    ("placed", "expected"),
    [
        ((0, 500, 1_000), (0, 50)),
        ((500, 500, 1_000), (50, 50)),
        ((990, 500, 1_000), (99, 1)),
        ((2_000, 1, 1_000), (99.5, 0.5)),
        ((-5, 0, 1_000), (0, 0.5)),
        ((0, 0, 0), (0, 100)),
    ],
)
def test_a_span_stays_inside_the_waterfall(
    placed: tuple[float, float, float], expected: tuple[float, float]
) -> None:
    """However odd the times are, a bar is inside and visible."""
    assert pictures.span(*placed) == expected


def test_steps_are_walked_in_order_of_nesting() -> None:
    """Children follow their parent, each step comes once, and circles do not matter."""
    steps = [
        Step(index=0, name="a"),
        Step(index=1, name="b"),
        Step(index=2, name="a1", parent=0),
        Step(index=3, name="a11", parent=2),
        Step(index=4, name="lost", parent=99),
        Step(index=5, name="circle", parent=6),
        Step(index=6, name="other half", parent=5),
        Step(index=7, name="own parent", parent=7),
    ]
    walked = [(step.name, depth) for step, depth in nested(steps)]
    assert walked == [
        ("a", 0),
        ("a1", 1),
        ("a11", 2),
        ("b", 0),
        ("lost", 0),
        ("own parent", 0),
        ("circle", 0),
        ("other half", 1),
    ]


def test_what_is_drawn_of_a_strip_ends_where_the_newest_run_does() -> None:
    """A case with a short history has no gap before its marks."""
    for letters, box in (("ppf", "85 0 13 16"), ("p" * 20, "0 0 98 16")):
        assert pictures.strip_box(letters) == box
        assert pictures.strip(letters)[0].path.startswith(f"M{box.split()[0]} ")
