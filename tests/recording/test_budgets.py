from __future__ import annotations

import pytest

from pytest_workflow_monitor.model import Metric
from pytest_workflow_monitor.recording.measurements.budgets import judge, unmeasured
from pytest_workflow_monitor.words.metric_names import check_budgets


def lcp(value: float, page: str) -> Metric:
    return Metric(name="lcp_ms", value=value, unit="ms", page=page)


def test_what_is_beyond_is_said_with_its_page() -> None:
    """The reason names the worst visit of each page; each metric tells its limit and whether."""
    metrics = [lcp(2_600, "/cart"), lcp(3_100.4, "/cart"), lcp(2_500, "/"), lcp(9_000, "/pay")]
    judged, reasons = judge(metrics, {"lcp_ms": 2_500})
    assert reasons == [
        "lcp_ms is 3,100 ms on /cart, beyond its budget of 2,500 ms",
        "lcp_ms is 9,000 ms on /pay, beyond its budget of 2,500 ms",
    ]
    assert [(m.threshold_value, m.is_within_threshold) for m in judged] == [
        (2_500, False),
        (2_500, False),
        (2_500, True),
        (2_500, False),
    ]


@pytest.mark.parametrize(
    ("metric", "limit", "reason"),
    [
        (
            Metric(name="cls", value=0.1234, page="/"),
            0.1,
            "cls is 0.1234 on /, beyond its budget of 0.1",
        ),
        (Metric(name="console_errors", value=2), 0, "console_errors is 2, beyond its budget of 0"),
        (
            Metric(name="lcp_ms", value=2_500.25, unit="ms", page="/"),
            2_500,
            "lcp_ms is 2,500.25 ms on /, beyond its budget of 2,500 ms",
        ),
        (
            Metric(name="performance_score", value=61, page="/"),
            90,
            "performance_score is 61 on /, below its budget of 90",
        ),
    ],
    ids=["fraction", "count", "close", "more is better"],
)
def test_reasons_read_well(metric: Metric, limit: float, reason: str) -> None:
    """Numbers are as long as they must be; of the performance score more is better."""
    assert judge([metric], {metric.name: limit}).reasons == [reason]


def test_a_good_score_is_within_its_budget() -> None:
    """The budget of the performance score is the smallest good value."""
    (judged,), reasons = judge(
        [Metric(name="performance_score", value=95)], {"performance_score": 90}
    )
    assert judged.is_within_threshold is True
    assert reasons == []


def test_a_threshold_of_the_test_s_own_stays() -> None:
    """What `metric(…, threshold=…)` said is closer than a budget."""
    metric = Metric(name="cart_ms", value=5, threshold_value=9, is_within_threshold=True)
    assert judge([metric], {"cart_ms": 1}) == ([metric], [])


def test_what_was_not_measured_is_said() -> None:
    """A budget without a number to hold against it does not look as if it held."""
    assert unmeasured([lcp(1, "/")], {"lcp_ms": 1, "search_ms": 1_500}) == [
        "search_ms was not measured, so that its budget of 1,500 could not be checked"
    ]


@pytest.mark.parametrize("name", ["lpc_ms", "lcp", "LCP_ms", "api_p95", "console_error"])
def test_a_misspelt_name_is_noticed(name: str) -> None:
    """A name that is nearly a known one is a mistake, and the known one is named."""
    with pytest.raises(ValueError, match=r"did you mean '(lcp_ms|api_p95_ms|console_errors)'\?"):
        check_budgets({name: 1})


def test_names_of_own_metrics_are_allowed() -> None:
    """A test measures what it likes."""
    assert check_budgets({"search_ms": 800, "cart_total": 1}) == {
        "search_ms": 800.0,
        "cart_total": 1.0,
    }


@pytest.mark.parametrize("limit", [-1, float("inf"), float("nan"), True, "800", None])
def test_budgets_are_numbers_from_zero(limit: object) -> None:
    """Anything else is a mistake."""
    with pytest.raises(ValueError, match="expected a number from 0"):
        check_budgets({"lcp_ms": limit})
