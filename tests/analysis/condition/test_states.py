"""States of workflows: each has its rule, and none passes for another."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pytest_workflow_monitor.analysis import Run, State, assess
from pytest_workflow_monitor.model import Status
from tests.made_runs import LIVES, START, life

HOUR = timedelta(hours=1)


def runs(marks: str, commit: str = "abc", ms: float = 1_000.0) -> list[Run]:
    """One execution an hour: ``.`` passed, ``r`` passed by retry, ``F`` failed, ``s`` skipped."""
    statuses = {"F": Status.FAILED, "s": Status.SKIPPED, "i": Status.INTERRUPTED}
    return [
        Run(
            at=START + number * HOUR,
            status=statuses.get(mark, Status.PASSED),
            commit=commit,
            attempts=1 if mark in ".s" else 2,
            duration_ms=ms + number % 7,
        )
        for number, mark in enumerate(marks)
    ]


@pytest.mark.parametrize(
    ("marks", "state"),
    [
        ("", State.UNKNOWN),
        ("..", State.UNKNOWN),
        ("..s", State.UNKNOWN),
        ("...", State.HEALTHY),
        ("FFF", State.BROKEN),
        (".....FFF", State.BROKEN),
        (".....FFs", State.HEALTHY),
        ("..FiFF", State.BROKEN),
        (".....FFFFFFF....", State.HEALTHY),
        ("...F......F....", State.FLAKY),
        ("..F", State.HEALTHY),
        ("....r...r...", State.MASKED),
        ("....r.......", State.HEALTHY),
        ("r" + 30 * "." + "r", State.HEALTHY),
    ],
)
def test_rules(marks: str, state: State) -> None:
    """One outage is no flakiness, one retry no mask, and what did not end does not count."""
    assert assess(runs(marks)).state is state


def test_flaky_is_on_one_commit() -> None:
    """A failure each of two commits is none; the flaky commit is named."""
    halves = runs("...F......", "one") + runs("..........F.....", "two")[10:]
    assert assess(halves).state is State.HEALTHY
    found = assess(runs("...F......", "one") + runs("..........F...F.", "two")[10:])
    assert (found.state, found.commit) == (State.FLAKY, "two")
    assert found.reason == "2 of 6 runs of commit two failed, 2 times anew"


def test_without_commits_all_runs_count_as_one() -> None:
    """And that is said."""
    found = assess(runs("..F...F..", commit=""))
    assert found.state is State.FLAKY
    assert found.reason == (
        "2 of 9 runs of what is one commit as far as known failed, 2 times anew"
    )


def test_two_outages_with_different_errors_are_no_flakiness() -> None:
    """With the same error they are, as with three bouts, or where errors are not known."""

    def state(*errors: str) -> State:
        told = runs("FF..." * len(errors))
        return assess(
            replace(run, error=errors[number // 5] if run.has_failed else "")
            for number, run in enumerate(told)
        ).state

    assert state("one", "other") is State.HEALTHY
    assert state("one", "one") is State.FLAKY
    assert state("one", "") is State.FLAKY
    assert state("one", "other", "third") is State.FLAKY


def test_broken_comes_before_flaky() -> None:
    """Both fit: the worse is the state, the other is named."""
    found = assess(runs("..F..F...FFFF"))
    assert found.state is State.BROKEN
    assert found.reason == "the last 4 runs failed"
    assert found.also == (State.FLAKY,)


def test_slow_is_not_changed() -> None:
    """The same times: with a commit it changed, without it is slow."""
    before, after = runs(20 * "."), runs(30 * ".", ms=1_800.0)[20:]
    slow = assess(before + after)
    assert (slow.state, slow.also) == (State.SLOW, ())
    assert slow.reason == "the last 5 passes took 1.8 s, before 1.0 s"
    other = runs(30 * ".", commit="def", ms=1_800.0)[20:]
    changed = assess(before + other)
    assert (changed.state, changed.commit, changed.also) == (State.CHANGED, "def", ())
    assert changed.reason == "passes took 1.0 s, since commit def 1.8 s"


def test_quicker_is_changed_but_never_slow() -> None:
    """A change for the better."""
    before, after = runs(20 * ".", ms=1_800.0), runs(30 * ".", commit="def")[20:]
    assert assess(before + after).state is State.CHANGED
    assert assess(before + runs(30 * ".")[20:]).state is State.HEALTHY


def test_the_limit_of_the_workflow_makes_slow() -> None:
    """From the first five passes on."""
    assert assess(runs("....."), limit_ms=900).state is State.SLOW
    assert assess(runs("....."), limit_ms=1_100).state is State.HEALTHY
    assert assess(runs("....."), limit_ms=900).reason == (
        "the last 5 passes took 1.0 s, more than the limit of 900 ms"
    )


def test_the_order_of_the_runs_does_not_matter() -> None:
    """They are put in order."""
    told = runs("....F....F..r..r.FFF")
    assert assess(reversed(told)) == assess(told)


@pytest.mark.parametrize("state", LIVES)
def test_made_workflows_are_told_apart(state: State) -> None:
    """Nineteen of twenty."""
    assert sum(assess(life(state, seed)).state is state for seed in range(20)) >= 19
