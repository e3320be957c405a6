"""Scores of pages. The expected numbers were computed by the npm package lighthouse 10.4.0."""

from __future__ import annotations

from math import inf

import pytest

from pytest_workflow_monitor.recording.measurements.lighthouse import (
    DESKTOP,
    MOBILE,
    WEIGHTS,
    performance_score,
    score,
    total_blocking_ms,
)

SCORED_BY_LIGHTHOUSE = [
    (False, (500, 700, 40, 0.02), (1, 0.99, 1, 1), 100),
    (False, (934, 1200, 150, 0.1), (0.9, 0.9, 0.9, 0.9), 90),
    (False, (1800, 2500, 200, 0.1), (0.38, 0.46, 0.8, 0.9), 69),
    (False, (1600, 2400, 350, 0.25), (0.5, 0.5, 0.5, 0.5), 50),
    (False, (3000, 4000, 600, 0.25), (0.06, 0.17, 0.2, 0.5), 26),
    (False, (5000, 9000, 2000, 0.6), (0, 0, 0, 0.11), 3),
    (False, (1200, 3100, 90, 0.05), (0.75, 0.31, 0.98, 0.99), 77),
    (True, (500, 700, 40, 0.02), (1, 1, 1, 1), 100),
    (True, (934, 1200, 150, 0.1), (1, 1, 0.94, 0.9), 95),
    (True, (1800, 2500, 200, 0.1), (0.9, 0.9, 0.9, 0.9), 90),
    (True, (1600, 2400, 350, 0.25), (0.94, 0.91, 0.73, 0.5), 74),
    (True, (3000, 4000, 600, 0.25), (0.5, 0.5, 0.5, 0.5), 50),
    (True, (5000, 9000, 2000, 0.6), (0.1, 0.01, 0.08, 0.11), 7),
    (True, (1200, 3100, 90, 0.05), (0.99, 0.75, 0.99, 0.99), 92),
]


@pytest.mark.parametrize(("mobile", "measured", "scores", "total"), SCORED_BY_LIGHTHOUSE)
def test_scores_are_lighthouse_s(
    *, mobile: bool, measured: tuple[float, ...], scores: tuple[float, ...], total: float
) -> None:
    """Each metric scores as in Lighthouse 10; the page is their mean without the Speed Index."""
    values = dict(zip(WEIGHTS, measured, strict=True))
    curves = MOBILE if mobile else DESKTOP
    assert tuple(score(values[name], *curves[name]) for name in WEIGHTS) == scores
    assert performance_score(values, mobile=mobile) == total


def test_nothing_at_all_is_perfect() -> None:
    """A page without shifts and blocking scores 1 there, not an error of the logarithm."""
    assert score(0, 0.1, 0.25) == 1


def test_a_score_needs_all_four_metrics() -> None:
    """A browser that does not measure one of them gets no score rather than a wrong one."""
    assert performance_score({"fcp_ms": 1, "lcp_ms": 1, "tbt_ms": 0}, mobile=False) is None


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([], 0),
        ([(1_000, 50)], 0),
        ([(1_000, 80), (1_200, 150)], 130),
        ([(0, 300)], 0),
        ([(400, 200)], 50),
        ([(460, 80)], 0),
        ([(1_000, 100), (6_000, 100)], 100),
        ([(1_000, 100), (6_200, 100)], 50),
    ],
    ids=[
        "none",
        "short ones do not block",
        "what goes beyond 50 ms",
        "before the paint nobody waits",
        "the part after the paint",
        "a short part after the paint",
        "not yet quiet",
        "after five quiet seconds the page is ready",
    ],
)
def test_total_blocking_time(tasks: list[tuple[float, float]], expected: float) -> None:
    """Of long tasks between first paint and quiet, what goes beyond 50 ms; painted at 500 ms."""
    assert total_blocking_ms(tasks, 500, 600) == expected


def test_a_page_that_never_got_ready_is_never_quiet() -> None:
    """Without DOMContentLoaded all tasks count."""
    assert total_blocking_ms([(20_000, 150)], 500, inf) == 100
