"""Risks: they follow the formula, name their reasons and rank what fails before what does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.analysis import Run, State, rank_risks, risk_of
from pytest_workflow_monitor.model import Status
from tests.analysis.condition.test_states import runs
from tests.made_runs import START, life


def test_a_healthy_workflow_has_no_risk_and_no_reason() -> None:
    """Nor has one that never ran."""
    assert risk_of(runs(40 * ".")).score == 0
    assert risk_of(runs(40 * ".")).reasons == ()
    assert risk_of([]).score == 0


def test_failing_lately_weighs_more_than_long_ago() -> None:
    """Halved every five runs."""
    lately, before = risk_of(runs(30 * "." + "FF")), risk_of(runs("FF" + 30 * "."))
    assert lately.score > 0.2 > before.score
    (reason,) = lately.reasons
    assert reason.kind == "failing"
    assert reason.part == pytest.approx(lately.score)
    assert reason.text == "2 of the last 32 runs failed"


def test_always_failing_is_nearly_sure() -> None:
    """Nearly: half a good run is added."""
    assert 0.9 < risk_of(runs(30 * "F")).score < 1
    assert 0.5 < risk_of(runs("F")).score < 0.9


def test_retries_count_half() -> None:
    """They hid what would have failed."""
    found = risk_of(runs(30 * "." + "rr"))
    (reason,) = found.reasons
    assert reason.text == "2 of 32 passes needed a retry"
    assert found.score == pytest.approx(risk_of(runs(30 * "." + "FF")).score / 2, rel=0.01)


def test_slowing_down_is_a_risk() -> None:
    """Up to a quarter, at twice the time."""
    slower = runs(20 * ".") + runs(25 * ".", ms=1_500.0)[20:]
    (reason,) = risk_of(slower).reasons
    assert reason.part == pytest.approx(0.125, abs=0.01)
    assert reason.text == "the last 5 passes took 1.5 s, before 1.0 s"
    worst = runs(20 * ".") + runs(25 * ".", ms=9_000.0)[20:]
    assert risk_of(worst).score == 0.25


def test_a_pass_near_the_timeout_is_a_risk() -> None:
    """From 70 % of it on."""
    assert risk_of(runs(10 * ".", ms=994.0), timeout_ms=1_430).score == 0
    near = risk_of(runs(10 * ".", ms=994.0), timeout_ms=1_000)
    (reason,) = near.reasons
    assert near.score == pytest.approx(0.5)
    assert reason.text == "a pass took 1.0 s of 1.0 s"


def test_reasons_are_ranked_and_combined() -> None:
    """One less the product of what each leaves over."""
    found = risk_of(runs(20 * "." + "rFr.F"), timeout_ms=1_100)
    parts = [reason.part for reason in found.reasons]
    assert parts == sorted(parts, reverse=True)
    assert {reason.kind for reason in found.reasons} == {"failing", "retried", "near timeout"}
    left = 1.0
    for part in parts:
        left *= 1 - part
    assert found.score == pytest.approx(1 - left)
    assert found.sample_size == 25


def test_workflows_are_ranked_by_risk() -> None:
    """The broken first, the healthy last."""
    ranked = rank_risks({state: life(state, 1) for state in State if state is not State.UNKNOWN})
    names = [name for name, _ in ranked]
    assert names[0] == State.BROKEN
    assert names[-1] == State.HEALTHY
    scores = [risk.score for _, risk in ranked]
    assert scores == sorted(scores, reverse=True)
    near = rank_risks({"b": runs("....."), "a": runs(".....")}, timeouts_ms={"b": 1_000})
    assert [name for name, _ in near] == ["b", "a"]


@given(
    st.lists(
        st.builds(
            Run,
            at=st.integers(0, 10_000).map(lambda hours: START + hours * timedelta(hours=1)),
            status=st.sampled_from(Status),
            attempts=st.integers(1, 5),
            duration_ms=st.none() | st.floats(0, 1e9),
        ),
        max_size=60,
    ),
    st.none() | st.floats(1, 1e9),
)
def test_a_risk_is_a_probability(told: list[Run], timeout_ms: float | None) -> None:
    """Whatever ran."""
    found = risk_of(told, timeout_ms=timeout_ms)
    assert 0 <= found.score <= 1
    assert all(0 < reason.part <= 1 and reason.text for reason in found.reasons)
