"""What earlier runs tell about this one."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from pytest_workflow_monitor.analysis.history import (
    against_normal,
    normal_duration,
    since,
    streak,
)
from pytest_workflow_monitor.model import Execution, HistoryPoint, Status
from tests.report import sample


def execution(letters: str, status: Status = Status.FAILED) -> Execution:
    """Make a workflow with a history in letters that now ends with ``status``."""
    tried = sample.attempt(sample.run_id(1), sample.workflow("one"), status)
    return sample.combined(tried, past=sample.history(letters))


@pytest.mark.parametrize(
    ("letters", "said"),
    [
        ("ppff", "failing since 13:40 (3 runs)"),
        ("ppef", "failing since 13:40 (3 runs)"),
        ("ppfsf", "failing since 13:20 (3 runs)"),
        ("ffff", "failing since at least 13:00 (5 runs)"),
        ("fpppp", "new in this run, not in the 4 before"),
        ("pppd", "new in this run, not in the 4 before"),
        ("ssss", ""),
        ("", ""),
    ],
)
def test_a_failure_says_since_when(letters: str, said: str) -> None:
    """Any failure continues a streak, skips are passed over, and what is not known is not said."""
    assert since(execution(letters)) == said


def test_a_degraded_run_has_a_streak_of_its_own() -> None:
    """Failures before it are another problem."""
    assert since(execution("pfdd", Status.DEGRADED)) == "degraded since 13:40 (3 runs)"


def test_a_pass_has_no_streak() -> None:
    """There is nothing to say of a workflow that passes."""
    assert streak(execution("ppff", Status.PASSED)) is None
    assert since(execution("ppff", Status.PASSED)) == ""


def test_a_flaky_run_counts_the_flaky_ones() -> None:
    """Of the last 20 runs, this one included."""
    assert since(sample.login_flaky()) == "flaky in 3 of the last 17 runs"


def test_since_is_said_in_the_readers_zone() -> None:
    """The terminal says local time."""
    assert "14:40" in since(execution("ppff"), zone=ZoneInfo("Europe/Berlin"))


def points(*durations_ms: float, status: Status = Status.PASSED) -> tuple[HistoryPoint, ...]:
    """Make a history of durations."""
    return tuple(
        HistoryPoint(
            run_id=str(number),
            status=status,
            started_at=sample.STARTED_AT - timedelta(hours=number),
            duration_ms=duration_ms,
        )
        for number, duration_ms in enumerate(durations_ms)
    )


def test_normal_is_the_median_of_the_passes() -> None:
    """With the 10th and 90th percentile; failures and missing durations do not count."""
    failed = points(90_000, 80_000, status=Status.FAILED)
    normal = normal_duration((*points(*range(0, 1_100, 100)), *failed))
    assert normal is not None
    assert (normal.low_ms, normal.median_ms, normal.high_ms) == (100, 500, 900)
    assert normal.sample_size == 11


def test_two_passes_are_not_a_normal() -> None:
    """Three are needed."""
    assert normal_duration(points(100, 200)) is None
    assert normal_duration(points(100, 200, 300)) is not None


@pytest.mark.parametrize(
    ("duration_ms", "is_slow"), [(None, False), (1_400, False), (1_499, False), (1_500, True)]
)
def test_slow_is_beyond_the_range_and_clearly_above_the_median(
    duration_ms: float | None, *, is_slow: bool
) -> None:
    """A duration within noise of the range is not called slow."""
    normal = normal_duration(points(900, 1_000, 1_100))
    assert normal is not None
    assert normal.is_exceeded_by(duration_ms) is is_slow


def test_now_is_held_against_normal() -> None:
    """In the words of the reports; silent when there is nothing to compare with."""
    assert against_normal(sample.order_failing()) == "normally 4.1 s, now 9.8 s"
    assert against_normal(execution("")) == ""
