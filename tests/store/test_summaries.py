from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_workflow_monitor.analysis.distribution import Distribution, bucket_of, distribution
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Metric, Status, Step
from tests.samples import PROJECT, a_session, an_attempt, an_end, at, run_id

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store


def rows(store: Store, table: str) -> list[dict[str, Any]]:
    return store.connection.execute(
        f"SELECT * FROM workflow_monitor.{table} ORDER BY starts_at, workflow_id".encode()  # noqa: S608 - a constant
    ).fetchall()


def test_an_hour_and_a_day_hold_what_happened_in_them(store: Store) -> None:
    """Counts by status, first attempts, and how long what passed took."""
    retried = run_id()
    attempts = [
        an_attempt(duration_ms=1000.0),
        an_attempt(duration_ms=3000.0, status=Status.DEGRADED),
        an_attempt(duration_ms=9000.0, status=Status.FAILED),
        an_attempt(run_id=retried, status=Status.FAILED, will_retry=True),
        an_attempt(run_id=retried, number=2, duration_ms=2000.0),
        an_attempt(duration_ms=500.0, started_at=at(3600)),
    ]
    ingest(store, a_session(), Batch(attempts=attempts, ended=an_end()))
    assert store.sum_up(PROJECT) == 2
    first, second = rows(store, "workflow_hours")
    assert first["starts_at"] == at(0)
    expected = {
        "runs": 4, "passed": 2, "degraded": 1, "failed": 1, "first_attempt": 2, "flaky": 1,
        "attempts": 5, "total_ms": 6000.0, "longest_ms": 3000.0, "location": "eu-west",
    }  # fmt: skip
    assert {name: first[name] for name in expected} == expected
    assert second["runs"] == 1
    (day,) = rows(store, "workflow_days")
    assert (day["runs"], day["passed"], day["total_ms"]) == (5, 3, 6500.0)
    spread = Distribution(buckets=tuple(day["buckets"]), counts=tuple(day["counts"]))
    assert spread.quantile(0.5) == pytest.approx(1000, rel=0.005)
    assert spread.quantile(1.0) == pytest.approx(3000, rel=0.005)


def test_steps_and_metrics_are_summed_up_with_them(store: Store) -> None:
    """Of the deciding attempt; a failed step is a problem without a duration."""
    attempts = [
        an_attempt(
            steps=(Step(index=0, name="Pay", duration_ms=duration, status=status),),
            metrics=(
                Metric(
                    name="cart",
                    value=value,
                    unit="ms",
                    threshold_value=5.0,
                    is_within_threshold=value < 5.0,
                ),
            ),
        )
        for duration, status, value in (
            (100.0, Status.PASSED, 2.0),
            (300.0, Status.PASSED, 6.0),
            (900.0, Status.FAILED, -1.0),
        )
    ]
    ingest(store, a_session(), Batch(attempts=attempts, ended=an_end()))
    store.sum_up(PROJECT)
    for table in ("series_hours", "series_days"):
        found = {row["kind"]: row for row in rows(store, table)}
        step, metric = found["step"], found["metric"]
        assert (step["name"], step["samples"], step["problems"]) == ("Pay", 3, 1)
        assert (step["total"], step["lowest"], step["highest"]) == (400.0, 100.0, 300.0)
        assert (metric["name"], metric["unit"], metric["samples"]) == ("cart", "ms", 3)
        assert (metric["problems"], metric["lowest"], metric["highest"]) == (1, -1.0, 6.0)
        assert sum(step["counts"]) == 2


def test_what_comes_late_or_again_is_counted_once(store: Store) -> None:
    """The sums are worked out anew: order and repetition do not matter."""
    session = a_session()
    attempt = an_attempt(started_at=at(3590), status=Status.FAILED, will_retry=True)
    retry = an_attempt(run_id=attempt.run_id, number=2, started_at=at(3610))
    ingest(store, session, Batch(attempts=[retry]))
    store.sum_up(PROJECT)
    assert [row["starts_at"] for row in rows(store, "workflow_hours")] == [at(3600)]
    for _ in range(2):
        ingest(store, session, Batch(attempts=[attempt, retry], ended=an_end()))
        store.sum_up(PROJECT)
        assert [(row["starts_at"], row["flaky"]) for row in rows(store, "workflow_hours")] == [
            (at(0), 1)
        ]
    assert [row["runs"] for row in rows(store, "workflow_days")] == [1]


def test_nothing_changed_costs_nothing(store: Store) -> None:
    """A second look finds nothing to do; other projects are left alone."""
    ingest(store, a_session(), Batch(attempts=[an_attempt()], ended=an_end()))
    assert store.sum_up("elsewhere") == 0
    assert store.sum_up(PROJECT) == 1
    assert store.sum_up(PROJECT) == 0


def test_what_ingest_commits_in_the_middle_is_not_forgotten(
    store: Store, database_url: str
) -> None:
    """A batch that is stored while the sums are made leaves its mark for the next time."""
    from pytest_workflow_monitor.store import Store as Other

    ingest(store, a_session(), Batch(attempts=[an_attempt()], ended=an_end()))
    with Other(database_url) as other, store.transaction():
        store.fetch("take_outdated_hours", project=PROJECT, newest=2**62, limit=10)
        ingest(other, a_session(), Batch(attempts=[an_attempt()], ended=an_end()))
        for step in ("clear_workflow_hours", "sum_workflow_hours"):
            store.run(
                step,
                project=PROJECT,
                environments=["production"],
                workflow_ids=["login"],
                starts=[at(0)],
            )
    assert store.sum_up(PROJECT) == 1
    assert [row["runs"] for row in rows(store, "workflow_hours")] == [2]


def test_summing_up_ends_although_sessions_are_stored_all_the_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes meanwhile is summed up the next time."""
    from pytest_workflow_monitor.store import summaries

    monkeypatch.setattr(summaries, "HOURS_AT_ONCE", 1)
    for hour in range(3):
        ingest(store, a_session(), Batch(attempts=[an_attempt(started_at=at(3600 * hour))]))
    run = store.run

    def run_and_ingest(statement: str, /, **parameters: Any) -> int:
        if statement == "sum_workflow_hours":
            ingest(store, a_session(), Batch(attempts=[an_attempt()]))
        return run(statement, **parameters)

    monkeypatch.setattr(store, "run", run_and_ingest)
    assert store.sum_up(PROJECT) == 3
    assert store.sum_up(PROJECT) == 3


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(-10, 1e13, allow_nan=False), min_size=1, max_size=50))
def test_the_database_and_python_have_the_same_buckets(store: Store, values: list[float]) -> None:
    """A value falls into one bucket, wherever it is counted; the border is a matter of rounding."""
    found = store.connection.execute(
        "SELECT array_agg(workflow_monitor.bucket_of(v) ORDER BY n) AS buckets"
        " FROM unnest(%s::float8[]) WITH ORDINALITY AS it (v, n)",
        [values],
    ).fetchone()
    assert found is not None
    assert all(
        abs(ours - theirs) <= (0 if ours == -32768 else 1)
        for ours, theirs in zip(map(bucket_of, values), found["buckets"], strict=True)
    )


@given(
    st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=200),
    st.floats(0.01, 1.0),
)
def test_a_quantile_is_known_to_half_a_per_cent(values: list[float], share: float) -> None:
    """Against the sorted values themselves."""
    from math import ceil

    exact = sorted(values)[max(1, ceil(share * len(values))) - 1]
    assert distribution(values).quantile(share) == pytest.approx(exact, rel=0.00505)


@given(st.lists(st.floats(1e-6, 1e9)), st.lists(st.floats(1e-6, 1e9)))
def test_distributions_add_up(some: list[float], others: list[float]) -> None:
    """Whatever was counted together or apart."""
    together = distribution(some + others)
    assert distribution(some) + distribution(others) == together
    assert Counter(map(bucket_of, some + others)) == Counter(
        dict(zip(together.buckets, together.counts, strict=True))
    )
