"""Passes are compared with those before them when they are stored. Real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.ingest import Batch, Ingested, ingest
from pytest_workflow_monitor.model import Status, Step
from tests.samples import a_session, a_workflow, an_attempt, an_end, at, run_id

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Attempt, Execution
    from pytest_workflow_monitor.store import Store

USUAL = ("Open", "Pay", "Check")
REASON = "suspicious: 1 of 3 usual steps ran; without 'Pay', 'Check'"


def a_pass(*names: str, ms: float = 3000.0, **fields: Any) -> Attempt:
    """Return an attempt that passed with these steps."""
    steps = tuple(Step(index=index, name=name) for index, name in enumerate(names))
    workflow = fields.pop("workflow", "order")
    return an_attempt(workflow, duration_ms=ms, call_ms=ms, steps=steps, **fields)


def pass_often(store: Store, count: int, *, environment: str = "production", **fields: Any) -> None:
    """Store sessions with a usual pass each, a minute apart, before the first one of a test."""
    for number in range(count):
        given = {"started_at": at(-6000 + 60 * number)} | fields
        attempt = a_pass(*USUAL, **given)
        session = a_session(environment=environment)
        ingest(store, session, Batch(attempts=[attempt], ended=an_end()))


def stored(store: Store, *attempts: Attempt, **fields: Any) -> tuple[Execution, Ingested]:
    """Store attempts of one execution as a session, and read it back."""
    done = ingest(store, a_session(**fields), Batch(attempts=attempts, ended=an_end()))
    execution = store.execution(attempts[0].run_id)
    assert execution is not None
    return execution, done


def test_a_pass_without_its_usual_steps_is_degraded(store: Store) -> None:
    """In the execution, its deciding attempt, the session's totals and the counters."""
    pass_often(store, 10)
    execution, done = stored(store, a_pass("Open"))
    assert execution.status is Status.DEGRADED
    assert execution.deciding is not None
    assert execution.deciding.status is Status.DEGRADED
    assert execution.deciding.degraded == (REASON,)
    assert done.suspicious == (f"order: {REASON.removeprefix('suspicious: ')}",)
    (counters,) = store.job_metrics()
    assert (counters.run_count, counters.success_count, counters.degraded_count) == (11, 11, 1)
    assert counters.last_status is Status.DEGRADED
    assert sum(it.executions_degraded for it in store.sessions(100)) == 1


def test_a_pass_far_too_quick_is_degraded(store: Store) -> None:
    """With all its steps."""
    pass_often(store, 10)
    execution, _ = stored(store, a_pass(*USUAL, ms=900.0))
    assert execution.attempts[-1].degraded == (
        "suspicious: took 0.9 s; the quickest of the last 10 passes took 3.0 s",
    )


def test_a_pass_without_any_step_is_degraded(store: Store) -> None:
    """A workflow that had steps until now, though workflows without are left alone."""
    pass_often(store, 20)
    for _ in range(2):
        execution, _ = stored(store, a_pass(started_at=at(10)))
        assert execution.attempts[-1].degraded[0].startswith("suspicious: 0 of 3 usual steps ran")


def test_workflows_without_steps_are_left_alone(store: Store) -> None:
    """However quick they are."""
    for number in range(12):
        stored(store, a_pass(started_at=at(-6000 + number)))
    execution, _ = stored(store, a_pass(ms=1.0))
    assert execution.status is Status.PASSED


@pytest.mark.parametrize(
    "attempt",
    [
        a_pass(*USUAL),
        a_pass(*USUAL, "One more", ms=1100.0),
        a_pass("Open", workflow=a_workflow("order", suspicious_passes=False)),
        a_pass("Open", workflow="refund"),
        a_pass("Open", started_at=at(-6000)),
        a_pass("Open", steps_dropped=1),
    ],
    ids=["usual", "more", "switched off", "other workflow", "older", "too many steps"],
)
def test_other_passes_are_believed(store: Store, attempt: Attempt) -> None:
    """And what is no pass stays what it is."""
    pass_often(store, 10)
    execution, done = stored(store, attempt)
    assert execution.status is Status.PASSED
    assert done.suspicious == ()


def test_each_environment_has_a_history_of_its_own(store: Store) -> None:
    """A smaller shop elsewhere may need fewer steps."""
    pass_often(store, 10, environment="staging")
    assert stored(store, a_pass("Open"))[0].status is Status.PASSED
    assert stored(store, a_pass("Open"), environment="staging")[0].status is Status.DEGRADED


def test_nine_passes_are_too_few_and_failures_are_none(store: Store) -> None:
    """Only what passed tells what a pass looks like."""
    pass_often(store, 9)
    for number in range(20):
        stored(store, a_pass("Open", status=Status.FAILED, started_at=at(-100 + number)))
    assert stored(store, a_pass("Open"))[0].status is Status.PASSED


def test_the_last_attempt_is_judged_and_the_first_is_not(store: Store) -> None:
    """Whichever of them comes first."""
    pass_often(store, 10)
    for order in (1, -1):
        run = run_id()
        failed = a_pass(
            "Open", run_id=run, number=1, status=Status.FAILED, will_retry=True, started_at=at(1)
        )
        passed = a_pass("Open", run_id=run, number=2, started_at=at(9))
        session = a_session()
        for attempt in [failed, passed][::order]:
            ingest(store, session, Batch(attempts=[attempt]))
        ingest(store, session, Batch(ended=an_end()))
        execution = store.execution(run)
        assert execution is not None
        assert [it.status for it in execution.attempts] == [Status.FAILED, Status.DEGRADED]
        assert (execution.status, execution.is_flaky) == (Status.DEGRADED, True)


def test_a_replay_changes_nothing(store: Store) -> None:
    """Also when the history has grown meanwhile; the pass is judged when it is first stored."""
    pass_often(store, 9)
    session, believed = a_session(), a_pass("Open")
    batch = Batch(attempts=[believed], ended=an_end())
    ingest(store, session, batch)
    pass_often(store, 5, started_at=at(-9000))
    doubted, again = a_pass("Open", started_at=at(500)), a_session()
    ingest(store, again, Batch(attempts=[doubted], ended=an_end()))
    before = store.job_metrics(), store.executions([believed.run_id, doubted.run_id])
    assert [it.status for it in before[1]] == [Status.PASSED, Status.DEGRADED]
    assert ingest(store, session, batch) == Ingested()
    assert ingest(store, again, Batch(attempts=[doubted], ended=an_end())) == Ingested()
    assert (store.job_metrics(), store.executions([believed.run_id, doubted.run_id])) == before


def test_a_changed_test_is_believed_after_a_while(store: Store) -> None:
    """Four suspicious passes at the most, then its steps are the usual ones."""
    pass_often(store, 30)
    statuses = [
        stored(store, a_pass("Open", ms=900.0, started_at=at(60 * number)))[0].status
        for number in range(6)
    ]
    assert statuses == [Status.DEGRADED] * 4 + [Status.PASSED] * 2


def test_of_many_passes_only_the_doubtful_ones_are_degraded(store: Store) -> None:
    """One session with a hundred workflows, three of which lost their steps."""
    names = [f"flow-{number}" for number in range(100)]
    for number in range(10):
        batch = [a_pass(*USUAL, workflow=name, started_at=at(-6000 + number)) for name in names]
        ingest(store, a_session(), Batch(attempts=batch, ended=an_end()))
    lost = {"flow-3", "flow-50", "flow-99"}
    batch = [a_pass(*(USUAL[:1] if name in lost else USUAL), workflow=name) for name in names]
    done = ingest(store, a_session(), Batch(attempts=batch, ended=an_end()))
    assert {line.partition(":")[0] for line in done.suspicious} == lost
    assert sum(it.degraded_count for it in store.job_metrics()) == 3
