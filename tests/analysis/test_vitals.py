"""How good measurements are."""

from __future__ import annotations

import pytest

from pytest_workflow_monitor.analysis import vitals
from pytest_workflow_monitor.words.metric_names import UNITS


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("lcp_ms", 2_500, "good"),
        ("lcp_ms", 2_501, "needs improvement"),
        ("lcp_ms", 4_000, "needs improvement"),
        ("lcp_ms", 4_001, "poor"),
        ("cls", 0.1, "good"),
        ("cls", 0.26, "poor"),
        ("inp_ms", 200, "good"),
        ("inp_ms", 501, "poor"),
        ("fcp_ms", 1_900, "needs improvement"),
        ("ttfb_ms", 800, "good"),
        ("tbt_ms", 601, "poor"),
        ("performance_score", 90, "good"),
        ("performance_score", 89, "needs improvement"),
        ("performance_score", 49, "poor"),
        ("cart_total", 1, None),
    ],
)
def test_web_vitals_are_rated_by_their_published_limits(
    name: str, value: float, word: str | None
) -> None:
    """The limits of web.dev and Lighthouse; both ends belong to the better word."""
    assert vitals.rating(name, value) == word


def test_everything_that_is_measured_has_a_name() -> None:
    """What people read beside the name that budgets use."""
    assert vitals.NAMES.keys() == UNITS.keys()


def test_a_verdict_says_the_budget() -> None:
    """Of a score more is better; without a budget there is nothing to say."""
    assert vitals.verdict("lcp_ms", "2.5 s", is_within=False) == "beyond 2.5 s"
    assert vitals.verdict("lcp_ms", "2.5 s", is_within=True) == "within 2.5 s"
    assert vitals.verdict("performance_score", "90", is_within=False) == "below 90"
    assert vitals.verdict("performance_score", "90", is_within=True) == "at least 90"
    assert vitals.verdict("lcp_ms", "", is_within=None) == ""
