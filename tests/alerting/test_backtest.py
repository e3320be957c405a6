from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.alerting.backtest import Outcome, play, reminders, total
from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.settings.alert_rules import Policy, Telling
from pytest_workflow_monitor.words.alerts import Result
from tests.samples import at

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_REMINDERS = Telling(remind_after_seconds=0)
STEADY = Policy(flapping=False)
STATUSES = {
    ".": Status.PASSED,
    "x": Status.FAILED,
    "d": Status.DEGRADED,
    "i": Status.INTERRUPTED,
    "~": Status.PASSED,
}


def every_minute(pattern: str, *, minutes: float = 1) -> list[Result]:
    """Return executions of 30 s each: ``.`` passed, ``x`` failed, ``~`` flaky, and so on."""
    return [
        Result(
            run_id=f"{number}",
            status=STATUSES[mark],
            started_at=at(number * 60 * minutes),
            completed_at=at(number * 60 * minutes + 30),
            is_flaky=mark == "~",
            fingerprint="same" if mark in "x~" else "",
        )
        for number, mark in enumerate(pattern)
    ]


def played(
    results: Sequence[Result],
    policy: Policy = STEADY,
    telling: Telling = NO_REMINDERS,
    **more: Any,
) -> Outcome:
    """Play executions under one policy."""
    (found,) = play(
        results,
        [policy],
        telling,
        workflow_id="login",
        environment="production",
        **({"until": at(86_400)} | more),
    )
    return found


def test_openings_and_resolutions_are_counted() -> None:
    """Two problems are two alerts with two messages each."""
    found = played(every_minute("..xx...x.."))
    assert (found.executions, found.alerts, found.resolved) == (10, 2, 2)
    assert (found.openings, found.resolutions, found.reminders, found.notifications) == (2, 2, 0, 4)


def test_time_to_detect_counts_from_the_first_failure() -> None:
    """With three failures a minute apart, until the third has ended."""
    found = played(every_minute(".xxx.x"), Policy(alert_after=3, flapping=False))
    assert found.detected_seconds == (150.0,)
    assert (found.median_seconds, found.worst_seconds) == (150.0, 150.0)
    assert played(every_minute("..")).median_seconds is None


def test_a_problem_without_an_alert_is_missed() -> None:
    """With when it began, how long it lasted and how often it failed."""
    found = played(every_minute(".xx..xxx."), Policy(alert_after=3, flapping=False))
    assert found.alerts == 1
    assert found.problems == 2
    (missed,) = found.missed
    assert (missed.since, missed.failures, missed.lasted_seconds) == (at(60), 2, 120.0)
    assert (missed.workflow_id, missed.environment, missed.run_id) == ("login", "production", "1")


def test_a_failure_while_an_alert_is_open_is_not_missed() -> None:
    """With two passes to resolve, the pass in between ends the run of failures, not the alert."""
    found = played(every_minute("xx.x.x.."), Policy(alert_after=2, resolve_after=2, flapping=False))
    assert (found.alerts, found.resolved, found.problems, found.missed) == (1, 1, 3, ())


def test_a_problem_that_goes_on_is_open_ended() -> None:
    """It has lasted until its latest failure."""
    (problem,) = played(every_minute(".xx"), Policy(alert_after=9)).missed
    assert problem.until is None
    assert problem.lasted_seconds == 90.0


def test_what_is_over_within_the_group_wait_is_told_to_nobody() -> None:
    """As in the outbox, where it is dropped."""
    results = every_minute("x.", minutes=0.4)
    found = played(results)
    assert (found.alerts, found.resolved, found.notifications) == (1, 1, 0)


def test_reminders_come_while_it_is_open() -> None:
    """After half an hour, then with twice the pause each time, until the time looked at ends."""
    found = played(every_minute("x" * 10, minutes=60), telling=Telling(), until=at(4 * 3600))
    assert (found.openings, found.reminders, found.resolutions) == (1, 3, 0)


@pytest.mark.parametrize(
    ("hours", "count"),
    [(0.49, 0), (0.5, 1), (1.49, 1), (1.5, 2), (3.5, 3), (5.5, 4), (7.5, 5), (107.5, 55)],
)
def test_the_pause_doubles_up_to_a_limit(hours: float, count: int) -> None:
    """After 30 minutes, 1 hour, 2 hours, and here no more than every two."""
    assert reminders(hours * 3600, Telling(remind_at_most_seconds=7200)) == count


def test_no_reminders_where_they_are_off() -> None:
    """However long it lasts."""
    assert reminders(1e9, NO_REMINDERS) == 0


def test_flapping_quiets_single_failures() -> None:
    """One notice; the alerts while it flaps are counted, but nobody hears of them."""
    found = played(every_minute("x." * 15), Policy())
    assert found.flapping == 1
    loud = played(every_minute("x." * 15))
    assert loud.alerts == 15
    assert found.notifications < loud.notifications / 2


def test_a_pass_that_was_interrupted_says_nothing() -> None:
    """Neither ends it a problem nor begins it one, unless the policy says so."""
    assert played(every_minute("xix")).problems == 1
    assert played(every_minute(".i.")).problems == 0
    assert played(every_minute(".i."), Policy(interrupted=True)).alerts == 1


def test_masked_failures_and_degraded_passes_are_played_too() -> None:
    """Each is an alert of its own kind, and no problem that could be missed."""
    found = played(every_minute("~~~.ddd."), Policy(alert_after_degraded=2))
    assert found.opened == {"masked": 1, "degraded": 1}
    assert (found.problems, found.detected_seconds) == (0, ())


def test_policies_are_played_side_by_side() -> None:
    """Over results that can be read only once."""
    first, second = play(
        iter(every_minute("x.xx.xxx.")),
        [STEADY, Policy(alert_after=3, flapping=False)],
        NO_REMINDERS,
        workflow_id="login",
        environment="production",
        until=at(3600),
    )
    assert (first.alerts, second.alerts) == (3, 1)
    assert [it.failures for it in second.missed] == [1, 2]


def test_outcomes_add_up() -> None:
    """Kinds, messages, times and problems of several workflows."""
    one, two = played(every_minute("x.x.")), played(every_minute("~~~."))
    both = total([one, two])
    assert both.opened == {"failing": 2, "masked": 1}
    assert both.executions == 8
    assert both.notifications == one.notifications + two.notifications
    assert both.problems == 2
