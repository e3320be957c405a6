"""When the gate lets a session pass: each rule, where it must close the gate and where not."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_workflow_monitor.analysis.gate import (
    Ending,
    Fault,
    Novelty,
    OnBase,
    OnTarget,
    Past,
    Result,
    Unjudged,
    Verdict,
    asked_about,
    judge,
    lines,
    result_of,
)
from pytest_workflow_monitor.analysis.outcome import execution_of
from pytest_workflow_monitor.model import Error, Metric, Phase, Priority, Status
from pytest_workflow_monitor.settings.gate_rules import GateRules
from tests.samples import a_session, an_attempt, at, run_id

GREEN, RED = Ending(exit_status=0), Ending(exit_status=1)
DECLINED = Fault(kind="f00d", message="declined")
LATE = Fault(kind="1a7e", message="too late")


def result(workflow_id: str = "login", **fields: Any) -> Result:
    """Return a pass of a workflow of medium priority, or what is given."""
    defaults: dict[str, Any] = {
        "run_id": run_id(),
        "workflow_id": workflow_id,
        "name": workflow_id.title(),
        "priority": Priority.MEDIUM,
        "status": Status.PASSED,
        "duration_ms": 1000.0,
    }
    return Result(**(defaults | fields))


def failure(workflow_id: str = "login", fault: Fault = DECLINED, **fields: Any) -> Result:
    return result(workflow_id, **({"status": Status.FAILED, "faults": (fault,)} | fields))


def flake(workflow_id: str = "login", fault: Fault = DECLINED) -> Result:
    return result(workflow_id, is_flaky=True, faults=(fault,))


def on_base(workflow_id: str = "login", **fields: Any) -> OnBase:
    """Return what a base branch says of a workflow that always passes within a second."""
    defaults: dict[str, Any] = {
        "workflow_id": workflow_id,
        "executions": 20,
        "last_status": Status.PASSED,
        "last_at": at(0),
        "passes": 20,
        "p95_ms": 1000.0,
    }
    return OnBase(**(defaults | fields))


def past(*known: OnBase, target: tuple[OnTarget, ...] = ()) -> Past:
    """Return a history of these workflows."""
    return Past(base_executions=sum(it.executions for it in known), on_base=known, on_target=target)


def verdict(
    *results: Result, ending: Ending = RED, known: Past | None = None, **rules: Any
) -> Verdict:
    return judge(
        results,
        GateRules(**rules),
        ending,
        base_branch="main",
        past=known,
        problem="the database cannot be asked",
    )


def reasons(*results: Result, known: Past | None = None, **rules: Any) -> list[str]:
    """Say why the gate is closed."""
    return [it.said for it in verdict(*results, known=known, **rules).reasons]


def test_without_rules_no_workflow_may_fail() -> None:
    """What pytest says is what the gate says: the default changes nothing."""
    assert verdict(result(), ending=GREEN).passed
    assert reasons(failure()) == ["1 medium workflow fails, 0 allowed: login"]
    assert verdict(failure()).exit_status == 1


@pytest.mark.parametrize(
    ("failing", "closes"),
    [
        ((), False),
        ((Priority.LOW,) * 9, False),
        ((Priority.MEDIUM,) * 2, False),
        ((Priority.MEDIUM,) * 3, True),
        ((Priority.HIGH,), True),
        ((Priority.CRITICAL,), True),
    ],
)
def test_so_many_may_fail_of_each_priority(failing: tuple[Priority, ...], *, closes: bool) -> None:
    """Any number where that is said, none where nothing is said."""
    found = [failure(f"w{n}", priority=priority) for n, priority in enumerate(failing)]
    allowed = {"medium": 2, "low": None}
    judged = verdict(result(), *found, allowed_failures=allowed)
    assert judged.exit_status == int(closes)
    assert bool(judged.reasons) is closes


def test_failures_are_counted_by_workflow() -> None:
    """A workflow that fails in two browsers fails once."""
    assert verdict(failure(), failure(), allowed_failures={"medium": 1}).passed


@pytest.mark.parametrize(
    ("passed", "failed", "needed", "closes"),
    [
        (98, 2, 98, False),
        (97, 3, 98, True),
        (0, 1, 0.1, True),
        (999, 1, 99.95, True),
        (0, 0, 99, 0),
    ],
)
def test_so_many_per_cent_have_to_succeed(
    passed: int, failed: int, needed: float, *, closes: bool
) -> None:
    """Of what has a verdict: what was skipped counts for nothing; a degraded pass is one."""
    found = [
        *(result(f"p{n}", status=(Status.PASSED, Status.DEGRADED)[n % 2]) for n in range(passed)),
        *(failure(f"f{n}") for n in range(failed)),
        result("skipped", status=Status.SKIPPED),
    ]
    said = reasons(*found, min_success_rate=needed, allowed_failures={"medium": None})
    assert bool(said) == bool(closes)
    if failed == 3:
        assert said == ["97 % of 100 executions succeed, 98 % needed"]


@pytest.mark.parametrize(
    ("found", "known", "closes"),
    [
        (failure(), past(on_base(kinds=("f00d",))), False),
        (failure(), past(on_base(kinds=("1a7e",))), True),
        (failure(), past(on_base("other", kinds=("f00d",))), True),
        (flake(), past(on_base(kinds=("f00d",))), False),
        (flake(), past(on_base()), True),
        (result(), past(on_base()), False),
        (failure(), past(), False),
        (
            failure(fault=Fault(kind="interrupted", message=""), status=Status.INTERRUPTED),
            past(on_base()),
            False,
        ),
    ],
    ids=[
        "known",
        "another",
        "of another workflow",
        "known and masked",
        "new and masked",
        "no error",
        "nothing known",
        "interrupted",
    ],
)
def test_errors_that_the_base_branch_never_showed(
    found: Result, known: Past, *, closes: bool
) -> None:
    """Also those that a retry masked; where nothing ran on the base branch, nothing is new."""
    rules: dict[str, Any] = {"allow_new_errors": False, "allowed_failures": {"medium": None}}
    judged = verdict(found, known=known, **rules)
    assert bool(judged.reasons) is closes
    assert judged.passed is not closes
    assert not reasons(found, known=known, allowed_failures={"medium": None})


def test_a_green_run_becomes_red_by_a_new_error_in_a_masked_pass() -> None:
    """The gate tells what, and that a retry hid it."""
    judged = verdict(flake(), ending=GREEN, known=past(on_base()), allow_new_errors=False)
    assert judged.exit_status == 1
    assert [it.said for it in judged.reasons] == [
        "1 error never seen on main: login: declined (masked by a retry)"
    ]


@pytest.mark.parametrize(
    ("now", "known", "closes"),
    [
        (1500.0, on_base(), False),
        (1501.0, on_base(), True),
        (1501.0, on_base(passes=9), False),
        (1501.0, on_base("other"), False),
        (90.0, on_base(p95_ms=10.0), False),
        (110.0, on_base(p95_ms=10.0), True),
        (None, on_base(), False),
    ],
    ids=["within", "beyond", "few passes", "unknown", "unnoticeable", "noticeable", "no duration"],
)
def test_slower_than_the_base_branch(now: float | None, known: OnBase, *, closes: bool) -> None:
    """Beyond the ratio, by 100 ms or more, against ten passes or more."""
    judged = verdict(result(duration_ms=now), ending=GREEN, known=past(known), max_p95_ratio=1.5)
    assert judged.exit_status == int(closes)


def test_how_much_slower_is_told_and_the_worst_first() -> None:
    """With what it takes now and what it took."""
    found = [result("a", duration_ms=2000.0), result("b", duration_ms=4200.0)]
    said = reasons(*found, known=past(on_base("a"), on_base("b")), max_p95_ratio=1.5)
    assert said == [
        "2 workflows slower than 1.5 × the p95 of main: b 4.2 s, 4.2 × 1.0 s; a 2.0 s, 2.0 × 1.0 s"
    ]


def test_only_what_succeeds_is_timed() -> None:
    """A failure is quick or slow for reasons of its own."""
    slow = failure(duration_ms=9e6)
    assert not reasons(
        slow, known=past(on_base()), max_p95_ratio=1.1, allowed_failures={"medium": None}
    )


def test_broken_budgets() -> None:
    """They close the gate where they are not allowed."""
    slow = result(broken_budgets=("lcp_ms 3.2 s of 2.5 s",))
    assert verdict(slow, ending=GREEN).passed
    assert reasons(slow, allow_broken_budgets=False) == [
        "1 budget is broken: login: lcp_ms 3.2 s of 2.5 s"
    ]
    assert verdict(result(), ending=GREEN, allow_broken_budgets=False).passed


def test_masked_passes() -> None:
    """So many workflows may pass only by a retry."""
    found = [flake("a"), flake("b"), result("c")]
    assert verdict(*found, ending=GREEN).passed
    assert verdict(*found, ending=GREEN, allowed_flaky=2).passed
    assert reasons(*found, allowed_flaky=1) == ["2 workflows pass only by a retry, 1 allowed: a, b"]


@pytest.mark.parametrize(
    ("target", "excused"),
    [
        (OnTarget(workflow_id="login", status=Status.FAILED, started_at=at(0), kinds=("f00d",)), 1),
        (OnTarget(workflow_id="login", status=Status.FAILED, started_at=at(0), kinds=("1a7e",)), 0),
        (OnTarget(workflow_id="login", status=Status.PASSED, started_at=at(0)), 0),
        (OnTarget(workflow_id="other", status=Status.FAILED, started_at=at(0), kinds=("f00d",)), 0),
    ],
    ids=["the same", "another error", "passes there", "another workflow"],
)
def test_what_fails_in_production_in_the_same_way_is_excused(
    target: OnTarget, excused: int
) -> None:
    """It counts for no rule and is named; another error of the same workflow counts."""
    judged = verdict(
        result("other"),
        failure(),
        known=past(on_base(), target=(target,)),
        excuse_environment="production",
        allow_new_errors=False,
        min_success_rate=100.0,
    )
    assert len(judged.excused) == excused
    assert judged.exit_status == 1 - excused
    assert ("excused, fails in production too: login" in lines(judged, 4)[0]) == bool(excused)


@pytest.mark.parametrize("status", [2, 3, 4, 5])
def test_other_exit_codes_are_pytests_own(status: int) -> None:
    """Interrupted, internal error, wrong usage, no tests: nothing was judged."""
    judged = verdict(result(), ending=Ending(exit_status=status))
    assert judged.exit_status == status
    assert not judged.passed
    assert lines(judged, 4) == [f"gate: not judged, pytest ended with exit code {status}"]


def test_what_is_no_workflow_fails_as_ever() -> None:
    """However much the gate allows."""
    ending = Ending(exit_status=1, others_failed=3, others=("test_a.py::test_x", "test_b.py"))
    judged = verdict(failure(), ending=ending, allowed_failures={"medium": None})
    assert judged.exit_status == 1
    assert lines(judged, 4) == [
        "gate: failed, exit code 1",
        "  ✗ 3 failures outside of workflows: test_a.py::test_x, test_b.py",
    ]


def test_what_was_stopped_does_not_pass() -> None:
    """Nobody knows how the rest would have gone."""
    ending = Ending(exit_status=1, was_stopped=True)
    judged = verdict(failure(), ending=ending, allowed_failures={"medium": None})
    assert judged.exit_status == 1
    assert "pytest stopped before everything had run" in lines(judged, 4)[1]


def test_without_history_the_session_is_judged_by_itself() -> None:
    """What needs history is named as not judged, and nothing is excused."""
    rules: dict[str, Any] = {
        "allow_new_errors": False,
        "max_p95_ratio": 1.5,
        "excuse_environment": "production",
    }
    judged = verdict(failure(), **rules)
    assert judged.exit_status == 1
    assert judged.unjudged == (
        Unjudged(
            rules=("allow_new_errors", "max_p95_ratio", "excuse_environment"),
            why="the database cannot be asked",
        ),
    )
    assert verdict(failure()).unjudged == ()


def test_what_could_not_be_compared_is_said() -> None:
    """The base branch never ran there, or not often enough."""
    rules: dict[str, Any] = {"allow_new_errors": False, "max_p95_ratio": 2.0}
    (unjudged,) = verdict(result(), known=past(), **rules).unjudged
    assert unjudged.rules == ("allow_new_errors", "max_p95_ratio")
    assert unjudged.why == "nothing ran on main there"
    (unjudged,) = verdict(result(), known=past(on_base(passes=3)), **rules).unjudged
    assert unjudged.why == "fewer than 10 passes on main: login"
    assert not verdict(result(), known=past(on_base()), **rules).unjudged


def test_each_finding_tells_how_it_stands_to_the_base_branch() -> None:
    """New, known or unknown; failures before masked ones, critical before low."""
    judged = verdict(
        flake("a"),
        failure("b", priority=Priority.LOW),
        failure("c", LATE, priority=Priority.CRITICAL),
        known=past(on_base("b", kinds=("f00d",)), on_base("c", kinds=("f00d",))),
    )
    assert [(it.workflow_id, it.novelty) for it in judged.findings] == [
        ("c", Novelty.NEW),
        ("b", Novelty.KNOWN),
        ("a", Novelty.NEW),
    ]
    assert judged.reasons[0].said == "1 critical workflow fails, 0 allowed: c (new)"
    (unknown,) = verdict(failure()).findings
    assert unknown.novelty is Novelty.UNKNOWN


def test_only_what_matters_is_asked_about() -> None:
    """Of passes only when durations are compared; of production only what failed."""
    found = [result("a"), failure("b"), flake("c")]
    assert asked_about(found, GateRules()) == (["b", "c"], [])
    assert asked_about(found, GateRules(max_p95_ratio=2.0, excuse_environment="p")) == (
        ["a", "b", "c"],
        ["b"],
    )


def test_the_lines_are_few_and_not_wide() -> None:
    """However many reasons there are."""
    found = [
        failure(f"{priority}-{n}" * 9, priority=priority) for priority in Priority for n in "ab"
    ]
    judged = verdict(*found, min_success_rate=50.0, allowed_flaky=0)
    assert len(judged.reasons) == 5
    said = lines(judged, 4)
    assert len(said) == 4
    assert said[-1] == "  ✗ and 3 more reasons"
    assert max(map(len, said)) <= 160
    assert len(lines(judged, 1)) == 1
    assert len(lines(judged, 9)) == 6


def test_an_execution_is_reduced_to_what_the_gate_looks_at() -> None:
    """Errors of all failed attempts once each, by fingerprint or else status; broken budgets."""
    run = run_id()
    error = Error(phase=Phase.CALL, type="E", message="declined\nby the bank", fingerprint="f00d")
    tries = [
        an_attempt(run_id=run, number=1, status=Status.FAILED, errors=(error,), will_retry=True),
        an_attempt(run_id=run, number=2, status=Status.FAILED, errors=(error,), will_retry=True),
        an_attempt(run_id=run, number=3, status=Status.CRASHED, will_retry=True),
        an_attempt(
            run_id=run,
            number=4,
            metrics=(
                Metric(
                    name="lcp_ms",
                    value=3200.0,
                    unit="ms",
                    threshold_value=2500.0,
                    is_within_threshold=False,
                ),
                Metric(name="items", value=3.0, is_within_threshold=True),
            ),
        ),
    ]
    found = result_of(execution_of(a_session(), tries, session_is_over=True))
    assert found.is_flaky
    assert found.status is Status.PASSED
    assert found.faults == (
        Fault(kind="f00d", message="declined"),
        Fault(kind="crashed", message="The process that ran the test died"),
    )
    assert found.broken_budgets == ("lcp_ms 3.2 s of 2.5 s",)
