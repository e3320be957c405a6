"""Which commit or deployment came with a change, and when none did."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_workflow_monitor.analysis import (
    Cause,
    CauseKind,
    Change,
    attribute,
    find_changes,
    first_seen,
)
from tests.made_series import START, made, step

HOUR = timedelta(hours=1)


def cause(hours: float, name: str = "release-7") -> Cause:
    return Cause(kind=CauseKind.DEPLOYMENT, name=name, at=START + hours * HOUR)


@pytest.fixture
def change() -> Change:
    """At hour 100, give or take three."""
    return Change(
        index=100,
        at=START + 100 * HOUR,
        after_at=START + 99 * HOUR,
        earliest_at=START + 97 * HOUR,
        latest_at=START + 102 * HOUR,
        before=1.0,
        after=2.0,
        ratio=2.0,
        confidence=1.0,
        sample_before=100,
        sample_after=100,
    )


def test_commits_are_first_seen_with_their_first_execution() -> None:
    """The first one of all may be older than the series; runs without a commit tell nothing."""
    executions = [(START + n * HOUR, name) for n, name in enumerate(["", "a", "a", "b", "", "b"])]
    assert first_seen(reversed(executions)) == (
        Cause(kind=CauseKind.COMMIT, name="b", at=START + 3 * HOUR),
    )
    assert first_seen([]) == ()


@pytest.mark.parametrize("hours", [99.5, 100])
def test_what_came_between_old_and_new_is_the_cause(change: Change, hours: float) -> None:
    """A deployment in between, or the commit of the first new value."""
    others = [cause(98, "earlier"), cause(101, "later"), cause(10), cause(180)]
    assert attribute(change, [*others, cause(hours, "it")]) == cause(hours, "it")


def test_the_first_of_several_is_named(change: Change) -> None:
    """Both came in between."""
    assert attribute(change, [cause(99.9, "second"), cause(99.1, "first")]) == cause(99.1, "first")


def test_the_nearest_within_the_uncertainty_is_next(change: Change) -> None:
    """Before or after."""
    assert attribute(change, [cause(97.5), cause(101, "near")]) == cause(101, "near")
    assert attribute(change, [cause(98.9, "near"), cause(102)]) == cause(98.9, "near")


def test_nothing_else_is_blamed(change: Change) -> None:
    """Not what came long before, nor long after."""
    assert attribute(change, [cause(97), cause(102.1), cause(0)]) is None
    assert attribute(change, []) is None


def test_a_planted_commit_is_named() -> None:
    """From a series whose level changed with one of ten commits."""
    for seed in range(10):
        series = made("lognormal", seed, 300, shape=step(180, ratio=1.5))
        commits = [(at, f"c{number // 30}") for number, at in enumerate(series.instants)]
        (found,) = find_changes(series.instants, series.values)
        blamed = attribute(found, first_seen(commits))
        assert blamed is not None
        assert blamed.name == "c6"
