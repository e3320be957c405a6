"""Error budgets and burn rates, against counting minute by minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.analysis.service_levels import (
    LONGEST_HOLD,
    RULES,
    Span,
    Spent,
    Subject,
    Verdict,
    burn,
    down_seconds,
    judged_seconds,
    service_level,
    united,
)
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.settings.slo_rules import Objective
from tests.samples import START

MINUTE = timedelta(minutes=1)
WINDOW = 300
NOW = START + timedelta(days=40)
LOGIN = Subject("production", "login", "Log in", Priority.HIGH)
OBJECTIVE = Objective(name="all", target=99.0)
BUDGET = 0.01

minutes = st.integers(min_value=-100, max_value=WINDOW + 100)
spans = st.lists(st.tuples(minutes, minutes), max_size=8)


def minute(number: int) -> datetime:
    return START + number * MINUTE


def spans_of(pairs: list[tuple[int, int]]) -> list[Span]:
    return [(minute(begin), minute(end)) for begin, end in pairs]


def covered(pairs: list[tuple[int, int]]) -> set[int]:
    """The minutes of the window that pairs of minutes cover."""
    return {it for begin, end in pairs for it in range(begin, end)} & set(range(WINDOW))


@given(spans)
def test_united_spans_cover_the_same_and_never_twice(pairs: list[tuple[int, int]]) -> None:
    """Clipped to the window, in order, and apart from each other."""
    found = list(united(spans_of(pairs), START, minute(WINDOW)))
    assert all(end < begin for (_, end), (begin, _) in pairwise(found))
    assert {
        (begin - START) // MINUTE + it
        for begin, end in found
        for it in range((end - begin) // MINUTE)
    } == covered(pairs)


@given(st.lists(st.tuples(minutes, st.booleans()), max_size=30, unique_by=lambda it: it[0]), spans)
def test_down_time_is_that_of_each_minute(
    runs: list[tuple[int, bool]], pairs: list[tuple[int, int]]
) -> None:
    """A failure holds until the next execution; breaks count neither as up nor as down."""
    runs = sorted(runs)
    apart = {it for begin, end in pairs for it in range(begin, end)}
    window = set(range(WINDOW))
    down: set[int] = set()
    failures = []
    for index, (at, is_good) in enumerate(runs):
        following = runs[index + 1][0] if index + 1 < len(runs) else None
        if not is_good:
            failures.append((minute(at), None if following is None else minute(following)))
            if at not in apart:
                down |= set(range(at, WINDOW if following is None else following)) & window

    breaks = list(united(spans_of(pairs), minute(-200), minute(WINDOW)))
    found = down_seconds(failures, START, minute(WINDOW), breaks)
    assert found == len(down - apart) * 60
    assert judged_seconds(START, minute(WINDOW), breaks) == len(window - apart) * 60


def test_a_failure_that_nothing_follows_holds_for_a_day() -> None:
    """A workflow that is not executed any more is not down for ever, maintenance or not."""
    end = START + timedelta(days=10)
    failures = [(START, None)]
    assert down_seconds(failures, START, end) == LONGEST_HOLD.total_seconds()
    later = (START + timedelta(days=5), START + timedelta(days=6))
    assert down_seconds(failures, START, end, [later]) == LONGEST_HOLD.total_seconds()
    assert down_seconds([(START, START + timedelta(days=3))], START, end) == 86_400


def test_executions_of_several_places_at_once_are_down_once() -> None:
    """Two failures at the same time do not make a minute last twice as long."""
    failures = [(START, minute(10)), (START, minute(10)), (minute(5), minute(10))]
    assert down_seconds(failures, START, minute(60)) == 600


def verdicts(*ages: float, bad: tuple[float, ...] = ()) -> list[Verdict]:
    """Executions so many minutes ago, those among ``bad`` gone wrong."""
    return [
        Verdict(NOW - timedelta(minutes=it), it not in bad)
        for it in sorted({*ages, *bad}, reverse=True)
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.booleans()), max_size=60, unique_by=lambda it: it[0]
    ),
    st.sampled_from(RULES),
    st.sampled_from([0.001, 0.01, 0.05, 0.3]),
)
def test_burn_rates_are_shares_of_the_budget(
    runs: list[tuple[int, bool]], rule: tuple[float, float, float], budget: float
) -> None:
    """Counted one by one; where the short window is empty the latest execution speaks for it."""
    factor, long_seconds, short_seconds = rule
    recent = [Verdict(NOW - age * MINUTE, is_good) for age, is_good in sorted(runs, reverse=True)]
    found = burn(recent, budget, factor, long_seconds, short_seconds, now=NOW)

    long = [is_good for age, is_good in sorted(runs) if age * 60 < long_seconds]
    short = [is_good for age, is_good in sorted(runs) if age * 60 < short_seconds] or long[:1]
    rates = [it.count(False) / len(it) / budget if it else 0.0 for it in (long, short)]
    assert [found.long_rate, found.short_rate] == pytest.approx(rates)
    assert found.is_burning == (min(rates) >= factor and long.count(False) >= 2)


@pytest.mark.parametrize(
    ("recent", "burns"),
    [
        (verdicts(*range(60)), (False, False)),
        (verdicts(*range(60), bad=(1,)), (False, False)),
        (verdicts(*range(360), bad=tuple(range(10))), (True, False)),
        (verdicts(*range(360), bad=tuple(range(10, 20))), (False, False)),
        (verdicts(*range(360), bad=tuple(range(0, 360, 10))), (False, True)),
        (verdicts(*range(0, 360, 60), bad=(0, 60)), (False, True)),
        (verdicts(*range(0, 360, 60), bad=(60, 120)), (False, False)),
        (verdicts(20, 40, bad=(20, 40)), (True, True)),
        ([], (False, False)),
    ],
    ids=[
        "all is well",
        "a single failure",
        "ten minutes down",
        "it was ten minutes ago",
        "a tenth fails for hours",
        "hourly, the last two",
        "hourly, but over",
        "both there are",
        "nothing ran",
    ],
)
def test_it_burns_while_it_matters_and_goes_on(
    recent: list[Verdict], burns: tuple[bool, bool]
) -> None:
    """14.4 times over an hour and five minutes, or 6 times over six hours and thirty minutes."""
    found = [burn(recent, BUDGET, *rule, now=NOW).is_burning for rule in RULES]
    assert tuple(found) == burns


@pytest.mark.parametrize(
    ("spent", "days", "recent", "state", "left"),
    [
        (Spent(1, 1000), 29, [], "young", 0.9),
        (Spent(9, 1000), 30, [], "kept", 0.1),
        (Spent(10, 1000), 30, [], "kept", 0.0),
        (Spent(11, 1000), 30, [], "broken", 0.0),
        (Spent(0, 0), 31, [], "empty", None),
        (Spent(0, 0), 1, [], "young", None),
        (Spent(5, 1000), 31, verdicts(1, 2, bad=(1, 2)), "burning", 0.5),
        (Spent(500, 1000), 31, verdicts(1, 2, bad=(1, 2)), "burning", 0.0),
        (Spent(5, 1000), 3, verdicts(1, 2, bad=(1, 2)), "young", 0.5),
    ],
)
def test_states(
    spent: Spent, days: float, recent: list[Verdict], state: str, left: float | None
) -> None:
    """Nothing is claimed before the first execution is a whole window ago."""
    level = service_level(
        OBJECTIVE, LOGIN, spent, recent, since=NOW - timedelta(days=days), now=NOW
    )
    assert level.state == state
    assert level.left == (None if left is None else pytest.approx(left))
    assert level.is_broken == (state == "broken" or spent.bad == 500)
    assert (level.burning is not None) == (state == "burning")


def test_the_window_begins_with_the_first_execution() -> None:
    """A level tells from when on it was counted."""
    for days, since in ((10, 10), (40, 30)):
        first = NOW - timedelta(days=days)
        level = service_level(OBJECTIVE, LOGIN, Spent(0, 5), [], since=first, now=NOW)
        assert level.since == NOW - timedelta(days=since)
    assert service_level(OBJECTIVE, LOGIN, Spent(0, 0), [], since=None, now=NOW).since is None
