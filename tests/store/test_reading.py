from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pytest_workflow_monitor.analysis.outcome import execution_of
from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Artifact, Metric, Status, Step
from tests.samples import (
    ENVIRONMENT,
    PROJECT,
    a_full_attempt,
    a_session,
    a_start,
    a_workflow,
    an_attempt,
    an_end,
    at,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Attempt, Execution, SessionStarted
    from pytest_workflow_monitor.store import Store


def stored(store: Store, *attempts: Attempt, start: float = 0) -> SessionStarted:
    """Store a session that consists of these attempts."""
    session = a_session(started_at=at(start))
    ingest(store, session, Batch(attempts=attempts, ended=an_end(start + 600)))
    return session


def runs(store: Store, *statuses: Status) -> list[str]:
    """Store one session per status, an hour apart, and return the run ids."""
    made = []
    for number, status in enumerate(statuses):
        attempt = an_attempt(status=status, started_at=at(number * 3600 + 1))
        stored(store, attempt, start=number * 3600)
        made.append(attempt.run_id)
    return made


def test_everything_in_an_attempt_comes_back(store: Store) -> None:
    """What was recorded is what a report shows, field by field."""
    attempt = a_full_attempt()
    session = stored(store, attempt)
    assert store.execution(attempt.run_id) == execution_of(session, [attempt], session_is_over=True)


def test_everything_about_a_session_comes_back(store: Store) -> None:
    """The session's start and end are stored in full."""
    session = a_session()
    end = an_end(exit_status=1, interrupted=True)
    ingest(store, session, Batch(ended=end))
    document = store.session_document(session.session_id)
    assert (document.session, document.ended) == (session, end)


def test_a_running_session_has_no_end(store: Store) -> None:
    """A session can be looked at before it is over."""
    session = a_session()
    ingest(store, session, Batch(running=[a_start()]))
    document = store.session_document(session.session_id)
    assert document.ended is None
    assert [it.status for it in document.executions] == [Status.RUNNING]


def test_last_is_the_latest_session_of_the_project(store: Store) -> None:
    """``last`` does not show another project that shares the database."""
    session = stored(store, an_attempt(), start=0)
    other = a_session(project="other", started_at=at(9000))
    ingest(store, other, Batch(ended=an_end(9001)))
    assert store.session_document("last").session == session


@pytest.mark.parametrize("wanted", ["last", "0" * 32, "nonsense"])
def test_a_missing_session_is_said_so(store: Store, wanted: str) -> None:
    """One sentence, whatever was asked for."""
    with pytest.raises(StoreError, match="There is no session"):
        store.session_document(wanted)


def test_executions_are_in_order_of_their_start(store: Store) -> None:
    """A document does not depend on the order in which attempts came."""
    attempts = [an_attempt(f"w{number}", started_at=at(9 - number)) for number in range(4)]
    session = stored(store, *attempts)
    document = store.session_document(session.session_id)
    assert [it.workflow.workflow_id for it in document.executions] == ["w3", "w2", "w1", "w0"]


def test_history_holds_the_last_earlier_runs_oldest_first(store: Store) -> None:
    """A sparkline ends just before the execution it belongs to."""
    *_, second, third, fourth = runs(
        store, Status.PASSED, Status.FAILED, Status.DEGRADED, Status.PASSED
    )
    document = store.session_document("last", history_length=2)
    (execution,) = document.executions
    assert document.has_history
    assert execution.run_id == fourth
    assert [(it.run_id, it.status) for it in execution.history] == [
        (second, Status.FAILED),
        (third, Status.DEGRADED),
    ]
    assert execution.history[0].duration_ms == 1500.0


def test_history_keeps_to_project_and_environment(store: Store) -> None:
    """Staging's failures are not production's history."""
    for project, environment in (("other", ENVIRONMENT), (PROJECT, "staging")):
        session = a_session(project=project, environment=environment)
        ingest(store, session, Batch(attempts=[an_attempt()]))
    stored(store, an_attempt(started_at=at(9000)), start=9000)
    assert store.session_document("last", history_length=5).executions[0].history == ()


def test_a_document_without_history_says_that_it_was_not_asked_for(store: Store) -> None:
    """A reader can tell no history from history not wanted."""
    runs(store, Status.PASSED, Status.PASSED)
    document = store.session_document("last")
    assert not document.has_history
    assert document.executions[0].history == ()


def test_histories_by_workflow(store: Store) -> None:
    """Asked for by name, each workflow has its own, an unknown one an empty one."""
    first, second = runs(store, Status.PASSED, Status.FAILED)
    found = store.histories(PROJECT, ENVIRONMENT, ["login", "nobody"], at(99999), 10)
    assert [it.run_id for it in found["login"]] == [first, second]
    assert found["nobody"] == ()


def test_history_of_a_workflow_is_newest_first_and_light(store: Store) -> None:
    """A list of a thousand executions does not carry their attempts."""
    first, second, _third = runs(store, Status.PASSED, Status.FAILED, Status.PASSED)
    found = store.history("login", environment=ENVIRONMENT, limit=2, before=at(2 * 3600))
    assert [it.run_id for it in found] == [second, first]
    assert found[0].status is Status.FAILED
    assert found[0].workflow == a_workflow()
    assert all(it.attempts == () for it in found)


def test_naive_moments_are_rejected(store: Store) -> None:
    """A moment without a time zone is a mistake, never a guess."""
    with pytest.raises(ValueError, match="time zone"):
        store.history("login", before=datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_definition_is_that_of_its_time(store: Store) -> None:
    """An old session shows the owner and the line it had then."""
    old = an_attempt(a_workflow(owner="before", line=1))
    new = an_attempt(a_workflow(owner="after", line=2), started_at=at(3601))
    stored(store, old)
    stored(store, new, start=3600)

    def owner(attempt: Attempt) -> str:
        found = store.execution(attempt.run_id)
        assert found
        return found.workflow.owner

    assert (owner(old), owner(new)) == ("before", "after")


def test_ids_are_found_by_their_beginning(store: Store) -> None:
    """A person types eight characters, not thirty-six."""
    attempt = an_attempt(run_id="0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee")
    session = stored(store, attempt, an_attempt("other"))
    assert store.find_run_ids("0199aaaa-b") == (attempt.run_id,)
    assert store.find_run_ids("0199AAAAbbbb") == (attempt.run_id,)
    assert store.find_run_ids("ffffffffffff") == ()
    assert store.find_run_ids("not an id") == ()
    assert store.find_session_ids(session.session_id[:8]) == (session.session_id,)


@pytest.mark.parametrize("wanted", ["0" * 32, "nonsense", ""])
def test_a_missing_execution_is_none(store: Store, wanted: str) -> None:
    """Asking for what is not there is no error."""
    assert store.execution(wanted) is None


def test_running_lists_what_runs_now(store: Store) -> None:
    """Others can watch a session live, in their project or in all."""
    start = a_start()
    ingest(store, a_session(), Batch(running=[start], attempts=[an_attempt("other")]))
    (running,) = store.running(project=PROJECT)
    assert (running.run_id, running.started_at) == (start.run_id, start.started_at)
    assert store.running(project="other") == ()
    assert len(store.running()) == 1


def test_sessions_are_listed_with_their_totals(store: Store) -> None:
    """A list of sessions shows how each went, without reading its executions."""
    statuses = [Status.PASSED, Status.DEGRADED, Status.FAILED, Status.TIMED_OUT, Status.SKIPPED]
    flaky = an_attempt("flaky", status=Status.FAILED, will_retry=True)
    stored(
        store,
        *(an_attempt(f"w{number}", status=status) for number, status in enumerate(statuses)),
        flaky,
        replace(flaky, number=2, status=Status.PASSED, will_retry=False),
    )
    stored(store, an_attempt(), start=3600)
    newest, first = store.sessions(10)
    assert newest.started_at > first.started_at
    assert (
        first.executions_total,
        first.executions_passed,
        first.executions_degraded,
        first.executions_failed,
        first.executions_skipped,
        first.executions_flaky,
    ) == (6, 2, 1, 2, 1, 1)
    assert store.sessions(10, project="other") == ()
    assert store.sessions(1) == (newest,)


def test_last_statuses_by_workflow(store: Store) -> None:
    """``list`` shows how each workflow did last."""
    *_, last = runs(store, Status.PASSED, Status.FAILED)
    point = store.last_statuses(PROJECT, ENVIRONMENT)["login"]
    assert (point.run_id, point.status) == (last, Status.FAILED)
    assert store.last_statuses(PROJECT, "staging") == {}


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e308, 5e-324, 0.1 + 0.2])
def test_any_number_of_a_metric_comes_back(store: Store, value: float) -> None:
    """Infinite and undefined numbers are numbers, and digits are not rounded."""
    attempt = an_attempt(metrics=(Metric(name="m", value=value),))
    stored(store, attempt)
    execution = store.execution(attempt.run_id)
    assert execution
    (metric,) = execution.attempts[0].metrics
    assert metric.value == value or (math.isnan(value) and math.isnan(metric.value))


def test_a_session_can_be_deleted_with_all_that_belongs_to_it(store: Store) -> None:
    """Nothing of a deleted session stays, but what its workflows ever did is still counted."""
    session = stored(store, a_full_attempt(), an_attempt("other"))
    kept = stored(store, an_attempt(started_at=at(3601)), start=3600)
    assert store.delete_session(session.session_id)
    assert not store.delete_session(session.session_id)
    counts = store.row_counts()
    assert counts["test_sessions"] == counts["workflow_executions"] == 1
    assert counts["workflow_attempts"] == 1
    assert counts["workflow_metrics"] == counts["workflow_artifacts"] == 0
    assert store.session_document("last").session == kept
    assert {it.workflow_id: it.run_count for it in store.job_metrics()} == {"login": 2, "other": 1}


def test_an_execution_can_be_deleted(store: Store) -> None:
    """Its attempts, steps, metrics and artifacts go with it, those of others stay."""
    attempt = a_full_attempt()
    stored(store, attempt, an_attempt("other"))
    assert store.delete_execution(attempt.run_id)
    counts = store.row_counts()
    assert (counts["workflow_executions"], counts["workflow_steps"]) == (1, 2)


def needy_after(store: Store, *passes: Attempt, **fields: Any) -> Execution:
    """Store sessions of these passes, then a failure, and read the failure with its past."""
    for number, attempt in enumerate(passes):
        start = number * 3600.0
        stored(store, replace(attempt, started_at=at(start + 1)), start=start)
    start = len(passes) * 3600.0
    failed = an_attempt(status=Status.FAILED, started_at=at(start + 1), **fields)
    session = stored(store, failed, start=start)
    (execution,) = store.session_document(session.session_id, history_length=20).executions
    return execution


def test_a_failure_comes_with_the_last_pass_to_compare_it_with(store: Store) -> None:
    """It is the deciding attempt of the latest pass, with its steps and artifacts."""
    evidence = a_full_attempt().artifacts
    older = an_attempt()
    tried = an_attempt(status=Status.FAILED, will_retry=True)
    stored(store, replace(older, started_at=at(1)))
    decided = replace(tried, number=2, status=Status.PASSED, will_retry=False, artifacts=evidence)
    stored(
        store,
        replace(tried, started_at=at(3601)),
        replace(decided, started_at=at(3700)),
        start=3600,
    )
    degraded = an_attempt(status=Status.DEGRADED, started_at=at(7201))
    stored(store, degraded, start=7200)
    failed = an_attempt(status=Status.FAILED, started_at=at(10801))
    session = stored(store, failed, start=10800)
    (execution,) = store.session_document(session.session_id, history_length=5).executions
    assert execution.last_passed == replace(decided, started_at=at(3700))


def test_a_pictured_failure_comes_with_the_last_pictured_pass(store: Store) -> None:
    """Passes without pictures may lie between; without a picture of now the latest pass counts."""
    picture = Artifact(name="step-2.png", kind="screenshot", path="p", step=1)
    pictured, later = an_attempt(artifacts=(picture,)), an_attempt()
    failure = needy_after(store, pictured, later, artifacts=(picture,))
    assert failure.last_passed is not None
    assert failure.last_passed.run_id == pictured.run_id


def test_without_a_picture_the_latest_pass_is_the_one_to_compare_with(store: Store) -> None:
    """Whether or not it left pictures."""
    picture = Artifact(name="step-2.png", kind="screenshot", path="p", step=1)
    later = an_attempt()
    failure = needy_after(store, an_attempt(artifacts=(picture,)), later)
    assert failure.last_passed is not None
    assert failure.last_passed.run_id == later.run_id


def test_a_pass_and_a_document_without_history_have_nothing_to_compare(store: Store) -> None:
    """Only what needs attention costs the effort, and only where history is wanted."""
    runs(store, Status.PASSED, Status.PASSED)
    (execution,) = store.session_document("last", history_length=5).executions
    assert (execution.last_passed, execution.normal_steps) == (None, ())
    stored(store, an_attempt(status=Status.FAILED, started_at=at(90_000)), start=90_000)
    (execution,) = store.session_document("last").executions
    assert (execution.last_passed, execution.normal_steps) == (None, ())


def test_nothing_of_another_environment_or_of_later_is_compared(store: Store) -> None:
    """Staging's pass is no pass of production, and tomorrow's is not known today."""
    for environment, start in (("staging", 0.0), (ENVIRONMENT, 90_000.0)):
        session = a_session(environment=environment, started_at=at(start))
        ingest(store, session, Batch(attempts=[an_attempt(started_at=at(start + 1))]))
    failed = an_attempt(status=Status.FAILED, started_at=at(3601))
    session = stored(store, failed, start=3600)
    (execution,) = store.session_document(session.session_id, history_length=5).executions
    assert (execution.last_passed, execution.normal_steps) == (None, ())


def test_what_a_step_normally_takes_is_known_by_its_path(store: Store) -> None:
    """Median and 95th percentile of the passes, apart for equal names at different places."""

    def steps(outer: float, inner: float, other: float | None) -> tuple[Step, ...]:
        return (
            Step(index=0, name="Pay", duration_ms=outer),
            Step(index=1, name="Submit", parent=0, duration_ms=inner),
            Step(index=2, name="Submit", duration_ms=other),
        )

    passes = [an_attempt(steps=steps(100.0 * n, 10.0 * n, n)) for n in range(1, 6)]
    passes.append(an_attempt(status=Status.DEGRADED, steps=steps(9e6, 9e6, 9e6)))
    passes.append(an_attempt(steps=steps(600, 60, None)))
    normal = {it.path: it for it in needy_after(store, *passes).normal_steps}
    assert {path: it.median_ms for path, it in normal.items()} == {
        ("Pay",): 350.0,
        ("Pay", "Submit"): 35.0,
        ("Submit",): 3.0,
    }
    assert normal["Pay",].p95_ms == pytest.approx(575.0)
    assert (normal["Pay",].sample_size, normal["Submit",].sample_size) == (6, 5)


def test_only_the_last_passes_tell_what_is_normal(store: Store) -> None:
    """What took long a year ago does not count for ever."""
    old = [an_attempt(steps=(Step(index=0, name="Pay", duration_ms=9_000),)) for _ in range(5)]
    new = [an_attempt(steps=(Step(index=0, name="Pay", duration_ms=100),)) for _ in range(30)]
    (normal,) = needy_after(store, *old, *new).normal_steps
    assert (normal.median_ms, normal.p95_ms, normal.sample_size) == (100.0, 100.0, 30)


def test_steps_that_hold_each_other_have_no_normal_duration(store: Store) -> None:
    """A damaged record does not send the database round in circles."""
    circle = (
        Step(index=0, name="a", parent=1, duration_ms=1),
        Step(index=1, name="b", parent=0, duration_ms=1),
        Step(index=2, name="own", parent=2, duration_ms=1),
    )
    assert needy_after(store, an_attempt(steps=circle)).normal_steps == ()


def test_two_hundred_failures_are_compared_in_one_query_each(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many need attention, and with 10,000 executions before them."""
    steps = tuple(
        Step(
            index=index,
            name=f"Step {index}",
            parent=index - 1 if index % 3 else None,
            duration_ms=10.0 + index,
        )
        for index in range(6)
    )
    for run in range(50):
        start = run * 3600.0
        stored(
            store,
            *(
                an_attempt(
                    f"w{n}",
                    status=Status.FAILED if run == 49 else Status.PASSED,
                    started_at=at(start + 1 + n / 1000),
                    steps=steps,
                )
                for n in range(200)
            ),
            start=start,
        )
    asked = []
    fetch = store.fetch

    def counted(statement: str, /, **parameters: Any) -> list[Any]:
        asked.append(statement)
        return fetch(statement, **parameters)

    executions = store.session_document("last").executions
    monkeypatch.setattr(store, "fetch", counted)
    found = store.attach_history(executions, 20)
    assert asked == ["histories", "last_passed", "normal_steps"]
    assert all(it.last_passed and len(it.normal_steps) == 6 for it in found)
    assert all(it.normal_steps[0].sample_size == 30 for it in found)
