"""What badges say."""

from __future__ import annotations

import pytest

from pytest_workflow_monitor.analysis.badges import Badge, Score, badge
from pytest_workflow_monitor.model import Status

DAYS_30 = 30 * 86_400.0


def score(status: Status = Status.PASSED, succeeded: int = 999, failed: int = 1) -> Score:
    """Return how a workflow did."""
    return Score(workflow_id="login", status=status, succeeded=succeeded, failed=failed)


@pytest.mark.parametrize(
    ("scores", "message", "status"),
    [
        ((score(),), "passing 99.9 % 30 d", Status.PASSED),
        ((score(succeeded=7, failed=0),), "passing 100 % 30 d", Status.PASSED),
        ((score(Status.TIMED_OUT),), "failing 99.9 % 30 d", Status.FAILED),
        ((score(Status.DEGRADED),), "degraded 99.9 % 30 d", Status.DEGRADED),
        ((score(), score()), "passing 99.9 % 30 d", Status.PASSED),
        (
            (score(), score(Status.FAILED, 1, 99), score(Status.DEGRADED)),
            "1 of 3 failing 95.1 % 30 d",
            Status.FAILED,
        ),
        ((score(), score(Status.DEGRADED)), "1 of 2 degraded 99.9 % 30 d", Status.DEGRADED),
        ((), "no data", Status.SKIPPED),
    ],
)
def test_a_badge_says_the_worst_and_how_often_all_went_well(
    scores: tuple[Score, ...], message: str, status: Status
) -> None:
    """Only exactly all is 100 %."""
    assert badge("login", scores, DAYS_30) == Badge(label="login", message=message, status=status)


def test_the_window_is_told() -> None:
    """As people say durations."""
    assert badge("login", (score(),), 43_200).message == "passing 99.9 % 12 h"
