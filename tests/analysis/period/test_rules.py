"""Rules speak where something is to be done, name it rightly, and are silent otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pytest_workflow_monitor.analysis.condition.states import Assessment, State
from pytest_workflow_monitor.analysis.period.facts import Key, Retried
from pytest_workflow_monitor.analysis.period.rules import RULES, findings
from pytest_workflow_monitor.analysis.period.rules.budgets import broken_budgets
from pytest_workflow_monitor.analysis.period.rules.failing import broken, still_failing
from pytest_workflow_monitor.analysis.period.rules.outlooks import heading_for_limit
from pytest_workflow_monitor.analysis.period.rules.service_levels import error_budgets
from pytest_workflow_monitor.analysis.period.rules.silences import long_silences
from pytest_workflow_monitor.analysis.period.rules.slots import missed_slots
from pytest_workflow_monitor.analysis.period.rules.slower import slower as slower_rule
from pytest_workflow_monitor.analysis.period.rules.wavering import flaky_workflows, masked_workflows
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.settings.slo_rules import Burn, ServiceLevel
from pytest_workflow_monitor.words.alerts import AlertKind
from pytest_workflow_monitor.words.period_report import Tone
from tests.analysis.period.made_facts import (
    END,
    LOGIN,
    ORDER,
    alert,
    error,
    facts,
    metric,
    outlook,
    silence,
    slot,
    slower,
    still_open,
    sums,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

FLAKY = {ORDER: Assessment(state=State.FLAKY, reason="2 of 9 runs of commit abc failed")}
MASKED = {ORDER: Assessment(state=State.MASKED, reason="3 of 9 passes needed a retry")}


def titles(rule: Any, known: PeriodFacts) -> list[str]:
    return [it.title for it in rule(known)]


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_speaks_of_a_quiet_day(rule: Any) -> None:
    """Nor of a time in which nothing ran."""
    assert list(rule(facts())) == []
    assert list(rule(facts(workflows={}, before={}, known={}))) == []


def test_what_still_fails_is_told_with_the_error() -> None:
    """Since when, in which step, how often, and that nobody looks after it."""
    (found,) = still_failing(facts(alerts=(still_open(),), errors=(error(),)))
    assert found.title == "order fails since 12 Nov 02:00"
    assert found.evidence == (
        "Pay: Service unavailable.",
        "3 failed executions since 12 Nov 02:00.",
        "Nobody has acknowledged it.",
    )
    assert found.command == "workflow-monitor show 5e5e5e5e"
    taken = facts(alerts=(still_open(acknowledged_by="kim"),))
    assert len(next(iter(still_failing(taken))).evidence) == 2


def test_one_cause_is_one_recommendation() -> None:
    """Six workflows fail because a host does not answer: five are named."""
    names = ("order", "login", "listing", "search", "sync", "news")
    alerts = tuple(
        still_open(number, name, causes=("host|shop.example",))
        for number, name in enumerate(names, 1)
    )
    (found,) = still_failing(facts(alerts=alerts))
    assert found.title == "listing, login, news, order, search and 1 more fail since 12 Nov 02:00"
    assert found.evidence[0] == "shop.example does not answer."


@pytest.mark.parametrize(
    "known",
    [
        facts(alerts=(alert(),)),
        facts(alerts=(still_open(kind=AlertKind.FLAPPING),)),
        facts(alerts=(still_open(kind=AlertKind.DEGRADED),)),
        facts(alerts=(still_open(),), workflows={ORDER: sums(passed=0, failed=5)}),
        facts(alerts=(still_open(failures=2),), assessments=FLAKY),
    ],
    ids=["over", "flapping", "slow", "always failed", "once more of a flaky one"],
)
def test_what_does_not_still_fail(known: PeriodFacts) -> None:
    """What is over, what wavers and what other rules tell of."""
    assert titles(still_failing, known) == []


def test_a_flaky_workflow_that_fails_three_times_still_fails() -> None:
    """That is more than its usual chance."""
    known = facts(alerts=(still_open(failures=3),), assessments=FLAKY)
    assert titles(still_failing, known) == ["order fails since 12 Nov 02:00"]


def test_what_failed_every_time_is_broken() -> None:
    """From three executions on, with the alert's beginning if there is one."""
    always = {ORDER: sums(passed=0, failed=4)}
    (found,) = broken(facts(workflows=always, alerts=(still_open(),), errors=(error(),)))
    assert found.title == "order fails every time since 12 Nov 02:00"
    assert found.evidence == (
        "All 4 executions of the period failed.",
        "Pay: Service unavailable.",
    )
    assert titles(broken, facts(workflows=always)) == ["order fails every time"]
    assert titles(broken, facts(workflows={ORDER: sums(passed=0, failed=2)})) == []
    assert titles(broken, facts(workflows={ORDER: sums(passed=1, failed=9)})) == []


def test_a_slower_workflow_is_told_with_step_and_commit() -> None:
    """As the issue that asked for it words it."""
    (found,) = slower_rule(facts(changes=(slower(),)))
    assert found.title == "order p95 rose from 2.1 s to 3.4 s since 12 Nov 14:20"
    assert found.evidence == (
        "The median went from 2.0 s to 3.2 s (+1.2 s).",
        "The step Pay explains 1.1 s of it: 400 ms before, 1.5 s since.",
        "Commit a1b2c3d4e5 was first run then.",
    )
    assert found.action == "See what that change did to the step Pay."
    assert found.command == "git show a1b2c3d4e5"


def test_a_deployment_is_named_with_its_commit() -> None:
    """Or nothing, where nothing came with the change."""
    (found,) = slower_rule(facts(changes=(slower(deployment="shop 1.4"),)))
    assert found.evidence[-1] == "shop 1.4 (commit a1b2c3d4e5) was deployed right before."
    (found,) = slower_rule(facts(changes=(slower(git_commit="", steps=()),)))
    assert len(found.evidence) == 1
    assert found.action.startswith("No commit or deployment came with it")
    assert found.command == (
        "workflow-monitor history order --environment production --since 2026-11-12"
    )


def test_the_median_is_named_where_the_percentile_was_as_high() -> None:
    """A rise from 3 s to 2 s is none."""
    (found,) = slower_rule(facts(changes=(slower(p95_before_ms=9_000.0),)))
    assert found.title == "order median rose from 2.0 s to 3.2 s since 12 Nov 14:20"


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.14])
def test_what_is_hardly_slower_is_not_told(ratio: float) -> None:
    """Nor what is quicker."""
    assert titles(slower_rule, facts(changes=(slower(ratio),))) == []


def test_an_outlook_is_told_with_its_interval() -> None:
    """How many days are left, at which slope, and between which days."""
    (found,) = heading_for_limit(facts(outlooks=(outlook(),)))
    assert found.title == "order cart passes its limit of 250 ms in 4 days at this slope"
    assert found.evidence == (
        "It is at 230 ms and rises by 5 ms a day.",
        "With 95 % confidence it passes between 16 Nov and 19 Nov.",
    )
    soon = outlook(kind="workflow", name="", at=END + timedelta(hours=2), latest=None)
    (found,) = heading_for_limit(facts(outlooks=(soon,)))
    assert found.title == "order passes its limit of 250 ms in less than a day at this slope"
    assert "later than in a month" in found.evidence[1]


def test_slots_that_did_not_run_are_told_by_their_reason() -> None:
    """How many, between which times, of which workflows."""
    slots = (slot(), slot(key=LOGIN, count=2), slot("lost", reason="worker died", count=1))
    one, other = missed_slots(facts(slots=slots))
    assert one.title == "6 slots did not run between 12 Nov 04:00 and 12 Nov 05:00"
    assert one.evidence == ("Of order, login.", "Why: no scheduler was running.")
    assert other.title.startswith("1 slot did not run")
    single = slot(count=1, last_at=slot().first_at)
    assert titles(missed_slots, facts(slots=(single,))) == ["1 slot did not run at 12 Nov 04:00"]


@pytest.mark.parametrize("status", ["skipped", "cancelled"])
def test_slots_that_somebody_left_out_are_not_told(status: str) -> None:
    """That was meant."""
    assert titles(missed_slots, facts(slots=(slot(status),))) == []


def test_what_is_flaky_is_told_with_its_worst_error() -> None:
    """How often, of how many, on which commit, with what."""
    known = facts(
        workflows={ORDER: sums(passed=16, failed=3, flaky=1)},
        assessments=FLAKY,
        errors=(error(), error("f2", count=1, message="other")),
    )
    (found,) = flaky_workflows(known)
    assert found.title == "order is flaky: 4 of 19 executions did not pass at once"
    assert found.evidence == (
        "21 % of its executions in the period.",
        "2 of 9 runs of commit abc failed.",
        "3 times with: Service unavailable.",
    )
    assert found.tone is Tone.DOUBTFUL


def test_what_is_masked_is_told_with_what_the_retries_hid() -> None:
    """Not with the error of an outage that came in the same period."""
    known = facts(
        workflows={ORDER: sums(passed=16, failed=3, flaky=5)},
        assessments=MASKED,
        errors=(error(),),
        retried={ORDER: Retried(message="The cache answered.", count=5)},
    )
    (found,) = masked_workflows(known)
    assert found.title == "order passes only when tried again: 5 of 19 executions"
    assert found.evidence[-1] == "5 times with: The cache answered."


@pytest.mark.parametrize("rule", [flaky_workflows, masked_workflows])
def test_what_wavered_before_but_not_now_is_not_told(rule: Any) -> None:
    """Nor what wavers once in a hundred times."""
    for assessments in (FLAKY, MASKED):
        assert titles(rule, facts(assessments=assessments)) == []
        rarely = {ORDER: sums(passed=100, flaky=1)}
        assert titles(rule, facts(assessments=assessments, workflows=rarely)) == []


def test_a_broken_budget_is_told_with_how_often() -> None:
    """And what is usual."""
    (found,) = broken_budgets(facts(series=metric(5)))
    assert found.title == "order cart was beyond its budget 5 of 20 times"
    assert found.evidence[0] == "25 % of its values; the worst was 900 ms."


@pytest.mark.parametrize(("problems", "samples"), [(0, 20), (2, 20), (3, 10_000)])
def test_a_budget_that_was_hardly_ever_broken_is_not_told(problems: int, samples: int) -> None:
    """Twice may be chance, and so may three times in ten thousand."""
    assert titles(broken_budgets, facts(series=metric(problems, samples))) == []


def test_a_silence_that_holds_for_weeks_is_told() -> None:
    """Who silenced what, why, and how to end it."""
    (found,) = long_silences(facts(silences=(silence(),)))
    assert found.title == "Nobody is told of workflow order since 30 Oct"
    assert found.evidence == ("kim silenced it: being rebuilt. It ends 27 Nov.",)
    assert found.command == "workflow-monitor silences end 3"
    ended = silence(ends_at=END - timedelta(hours=1))
    young = silence(starts_at=END - timedelta(days=2))
    assert titles(long_silences, facts(silences=(ended, young))) == []


def level(spent: float, *, is_full: bool = True, burns: tuple[Burn, ...] = ()) -> ServiceLevel:
    return ServiceLevel(
        objective="all", environment="production", workflow_id="order", workflow_name="Order",
        priority=Priority.CRITICAL, target=99.0, window_seconds=2_592_000, by="executions",
        attempt="final", availability=1 - spent / 100, budget=0.01, spent=spent,
        bad=spent * 10, total=1_000, since=None, is_full=is_full, burns=burns,
    )  # fmt: skip


def test_an_error_budget_in_danger_is_told() -> None:
    """Spent, nearly spent, or burning: not before a full window exists."""
    burn = Burn(
        factor=14.4, long_seconds=3_600, short_seconds=300, long_rate=20.0, short_rate=30.0,
        is_burning=True,
    )  # fmt: skip
    said = {
        spent: titles(error_budgets, facts(service_levels=(level(spent),)))
        for spent in (0.79, 0.8, 1.2)
    }
    assert said == {
        0.79: [],
        0.8: ["order has spent 80 % of its error budget"],
        1.2: ["order has spent more than its error budget"],
    }
    burning = facts(service_levels=(level(0.2, burns=(burn,)),))
    assert titles(error_budgets, burning) == ["order burns its error budget 20.0 times too quickly"]
    young = facts(service_levels=(level(3.0, is_full=False, burns=(burn,)),))
    assert titles(error_budgets, young) == []


def test_the_worst_comes_first() -> None:
    """What does not work before what is not watched, slow, and wavering; critical before low."""
    known = facts(
        workflows={
            ORDER: sums(passed=16, failed=3, flaky=1),
            LOGIN: sums(passed=0, failed=4),
        },
        assessments=FLAKY,
        changes=(slower(),),
        slots=(slot(),),
        outlooks=(outlook(),),
    )
    assert [it.rule for it in findings(known)] == [
        "broken", "missed_slots", "slower", "heading_for_limit", "flaky_workflows",
    ]  # fmt: skip


def test_commands_can_be_pasted_into_a_shell() -> None:
    """Whatever characters an id holds."""
    key = Key(environment="pre prod", workflow_id="pay[eur]; rm -rf *")
    known = facts(
        environment="pre prod",
        workflows={key: sums()},
        changes=(replace(slower(git_commit=""), key=key),),
    )
    (found,) = findings(known)
    assert found.command == (
        "workflow-monitor history 'pay[eur]; rm -rf *' --environment 'pre prod' --since 2026-11-12"
    )


def test_a_report_of_several_environments_names_them() -> None:
    """Else nobody knew which of both is meant."""
    known = facts(environment="production, staging", changes=(slower(),))
    assert titles(slower_rule, known)[0].startswith("order (production) p95 rose")
