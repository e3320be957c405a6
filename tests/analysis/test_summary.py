"""What a session means."""

from __future__ import annotations

import subprocess
import sys

import pytest
from msgspec.structs import replace

from pytest_workflow_monitor.analysis import summary
from pytest_workflow_monitor.model import (
    Error,
    Execution,
    Phase,
    Priority,
    SessionDocument,
    Status,
    Step,
)
from tests.report import sample


def ended(status: Status, name: str = "one", **changes: object) -> Execution:
    """Make an execution that ended so."""
    flow = sample.workflow(name, priority=changes.pop("priority", Priority.MEDIUM))
    return sample.combined(sample.attempt(sample.run_id(hash(name)), flow, status, **changes))


def of(*statuses: Status) -> SessionDocument:
    """Make a session with one execution of each status."""
    return sample.document(*(ended(status) for status in statuses))


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ((), "No workflows ran"),
        ((Status.PASSED,), "The only workflow passes"),
        ((Status.PASSED, Status.PASSED), "All 2 workflows pass"),
        ((Status.PASSED, Status.PASSED, Status.SKIPPED), "All 2 workflows pass, 1 skipped"),
        ((Status.SKIPPED,), "The only workflow was skipped"),
        ((Status.SKIPPED, Status.SKIPPED), "All 2 were skipped"),
        ((Status.FAILED,), "1 of 1 workflow needs attention"),
        ((Status.PASSED, Status.FAILED, Status.DEGRADED), "2 of 3 workflows need attention"),
        ((Status.PASSED, Status.RUNNING), "1 of 2 workflows is still running"),
        ((Status.CRASHED, Status.RUNNING), "1 of 2 workflows needs attention"),
    ],
)
def test_the_verdict_is_one_line(statuses: tuple[Status, ...], said: str) -> None:
    """It says first whether something needs attention."""
    assert summary.verdict(of(*statuses)) == said


def test_a_flake_that_ended_degraded_tells_both() -> None:
    """Why it is not a full pass, and that it failed before."""
    first, last = sample.login_flaky().attempts
    slow = replace(last, status=Status.DEGRADED, degraded=("took 9.0 s",))
    told = summary.reason(sample.combined(first, slow))
    assert told == (
        "took 9.0 s; passed on attempt 2, before that: Locator.click: Timeout 30000ms exceeded."
    )


def test_flaky_needs_attention_too() -> None:
    """A pass on the second attempt is not a plain pass."""
    document = sample.document(sample.login_flaky())
    assert summary.verdict(document) == "1 of 1 workflow needs attention"
    assert summary.summarize(document).flaky == 1


def test_attention_is_ordered_by_severity_then_priority() -> None:
    """Failures before degraded before flaky; critical before low; then by name."""
    made = [
        sample.login_flaky(),
        ended(Status.DEGRADED, "slow", priority=Priority.CRITICAL),
        ended(Status.TIMED_OUT, "late", priority=Priority.LOW),
        ended(Status.PASSED, "fine", priority=Priority.CRITICAL),
        ended(Status.FAILED, "broken", priority=Priority.HIGH),
        ended(Status.ERROR, "also-broken", priority=Priority.HIGH),
        ended(Status.FAILED, "worst", priority=Priority.CRITICAL),
    ]
    ordered = [item.workflow.workflow_id for item in summary.attention(made)]
    assert ordered == ["worst", "also-broken", "broken", "late", "slow", "user-login"]


def test_totals_count_by_status() -> None:
    """Without zeros, in the order of the statuses."""
    found = summary.totals(of(Status.FAILED, Status.PASSED, Status.PASSED).executions)
    assert list(found.items()) == [(Status.PASSED, 2), (Status.FAILED, 1)]


def test_the_failing_step_is_the_innermost_that_went_wrong_first() -> None:
    """Named with the steps around it."""
    assert summary.failing_step(sample.order_failing()) == "Pay › Submit the card"
    assert summary.failing_step(sample.listing_degraded()) == "Search for pears"
    assert summary.failing_step(sample.login_flaky()) == "Log in"


def test_an_error_outside_steps_names_its_phase() -> None:
    """Set-up and tear-down are named, the test itself is not."""
    for phase, said in ((Phase.SETUP, "Set-up"), (Phase.CALL, ""), (Phase.TEARDOWN, "Tear-down")):
        assert summary.failing_step(ended(Status.ERROR, errors=(Error(phase=phase),))) == said


def test_damaged_nesting_does_not_hang() -> None:
    """Steps that are their own ancestors still give a path."""
    steps = (
        Step(index=0, name="a", parent=1, status=Status.FAILED),
        Step(index=1, name="b", parent=0, status=Status.FAILED),
    )
    assert len(summary.failing_path(steps)) == 2


@pytest.mark.parametrize(
    ("execution", "said"),
    [
        (sample.order_failing(), 'expected "Thank you", got "Service unavailable"'),
        (sample.listing_degraded(), "step 'Search for pears' took 3.9 s, slower than 2.0 s"),
        (
            sample.login_flaky(),
            "passed on attempt 2, before that: Locator.click: Timeout 30000ms exceeded.",
        ),
        (ended(Status.CRASHED), "The process that ran the test died"),
        (ended(Status.INTERRUPTED), "The session ended before the test did"),
        (ended(Status.TIMED_OUT), "Timed out"),
        (ended(Status.SKIPPED, skip_reason="only in staging"), "only in staging"),
        (ended(Status.FAILED, errors=(Error(phase=Phase.CALL, type="KeyError"),)), "KeyError"),
        (ended(Status.PASSED), ""),
    ],
)
def test_the_reason_is_one_line(execution: Execution, said: str) -> None:
    """Whatever happened, there is a line that says it; a plain pass needs none."""
    assert summary.reason(execution) == said


def test_an_execution_without_attempts_is_no_error() -> None:
    """Something that has only just started has no reason and no step yet."""
    tried = sample.attempt(sample.run_id(1), sample.workflow("one"), Status.RUNNING)
    fresh = Execution(
        run_id=tried.run_id,
        session_id="1",
        project="p",
        environment="e",
        workflow=tried.workflow,
        status=Status.RUNNING,
        started_at=tried.started_at,
    )
    assert summary.reason(fresh) == ""
    assert summary.failing_step(fresh) == ""
    assert summary.summarize(sample.document(fresh)).needs_attention == 0


def test_the_summary_is_importable_without_a_template_engine() -> None:
    """The terminal summary and the commands do not pay for the report."""
    code = (
        "import sys, pytest_workflow_monitor.analysis.summary;"
        "print(sorted({'jinja2', 'psycopg', 'playwright'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
