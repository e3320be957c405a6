"""What is normal is learned once from every value, whatever happens meanwhile."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.keeping import learning, pruning
from pytest_workflow_monitor.keeping.learning import Learned, learn
from pytest_workflow_monitor.model import Metric, Status, Step
from pytest_workflow_monitor.store import Store
from tests.samples import PROJECT, START, a_session, an_attempt, an_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_workflow_monitor.settings import Settings

HOUR = timedelta(hours=1)
NOTHING = Learned()


@pytest.fixture
def settings(settings_for: Callable[..., Settings]) -> Settings:
    return settings_for()


def durations(count: int, seed: int = 3) -> list[float]:
    """Durations around two seconds."""
    chance = random.Random(seed)
    return [2_000 * chance.lognormvariate(0, 0.1) for _ in range(count)]


def run(
    store: Store, hour: float, *workflow_ids: str, environment: str = "production", **fields: Any
) -> None:
    """Store a session of so many hours later."""
    at = START + hour * HOUR
    attempts = [
        an_attempt(it, **({"steps": ()} | fields), started_at=at + timedelta(seconds=number))
        for number, it in enumerate(workflow_ids or ("login",))
    ]
    session = a_session(started_at=at, environment=environment)
    ingest(store, session, Batch(attempts=attempts, ended=an_end(ended_at=at + HOUR / 2)))


def fill(store: Store, values: Iterable[float], *workflow_ids: str) -> None:
    """Store a session for each duration, an hour apart."""
    for hour, value in enumerate(values):
        run(store, hour, *workflow_ids, duration_ms=value)


def fill_at_once(store: Store, values: Iterable[float]) -> None:
    """Store one long session with an execution for each duration, an hour apart."""
    attempts = [
        an_attempt(started_at=START + hour * HOUR, duration_ms=value, steps=())
        for hour, value in enumerate(values)
    ]
    ingest(store, a_session(), Batch(attempts=attempts, ended=an_end()))


def count(store: Store, table: str) -> int:
    return store.row_counts()[table]


def test_what_is_normal_is_what_was_measured(store: Store, settings: Settings) -> None:
    """Of the workflow, its steps and its metrics, each in its unit, with the size of the sample."""
    chance = random.Random(5)
    values: list[tuple[float, float]] = []
    for hour in range(60):
        took, cart = chance.lognormvariate(7, 0.1), chance.gauss(20, 2)
        values.append((took, cart))
        run(
            store,
            hour,
            duration_ms=took,
            steps=(
                Step(index=0, name="Pay", duration_ms=took / 4),
                Step(index=1, name="Pay", duration_ms=took / 4),
                Step(index=2, name="Blink", duration_ms=0.4),
            ),
            metrics=(Metric(name="cart", value=cart, unit="EUR"),),
        )
    assert learn(store, settings) == Learned(sessions=60, values=180)
    whole, step, metric = store.baselines(PROJECT)
    assert (whole.kind, whole.name, whole.unit, whole.sample_size) == ("workflow", "", "ms", 60)
    assert (step.kind, step.name, step.unit) == ("step", "Pay", "ms")
    assert (metric.kind, metric.name, metric.unit) == ("metric", "cart", "EUR")
    assert (whole.location, whole.last_run_at) == ("eu-west", START + 59 * HOUR)
    assert whole.median == pytest.approx(median(took for took, _ in values), rel=0.01)
    assert step.median == pytest.approx(median(took / 2 for took, _ in values), rel=0.01)
    assert metric.median == pytest.approx(median(cart for _, cart in values), rel=0.01)
    assert whole.p95 == pytest.approx(sorted(took for took, _ in values)[56], rel=0.03)
    assert learn(store, settings) == NOTHING


def test_only_what_passed_and_takes_time_is_watched(store: Store, settings: Settings) -> None:
    """A failure says nothing of how long it takes, and unit tests are no workflows."""
    run(store, 0, duration_ms=9.0)
    for status in (Status.FAILED, Status.SKIPPED, Status.TIMED_OUT):
        run(store, 1, duration_ms=2_000.0, status=status)
    assert learn(store, settings) == Learned(sessions=4)
    run(store, 2, duration_ms=2_000.0, status=Status.DEGRADED)
    assert learn(store, settings) == Learned(sessions=1, values=1)
    assert learn(store, settings) == NOTHING


def test_what_was_not_normal_is_noted_and_teaches_nothing(store: Store, settings: Settings) -> None:
    """With what would have been, and how strange it was."""
    fill_at_once(store, durations(48))
    learn(store, settings)
    (before,) = store.baselines(PROJECT)
    run(store, 50, duration_ms=9_000.0)
    assert learn(store, settings) == Learned(sessions=1, values=1, anomalies=1)
    (row,) = store.connection.execute(
        "SELECT * FROM workflow_monitor.execution_anomalies"
    ).fetchall()
    assert (row["workflow_id"], row["kind"], row["value"]) == ("login", "workflow", 9_000.0)
    assert (row["direction"], row["observed_at"]) == ("high", START + 50 * HOUR)
    assert 1_000 < row["expected_low"] < 2_000 < row["expected_high"] < 4_000
    assert row["score"] > 0.5
    (after,) = store.baselines(PROJECT)
    assert (after.median, after.sample_size) == (before.median, before.sample_size)


def test_small_differences_of_short_durations_are_none(store: Store, settings: Settings) -> None:
    """Twice as long as 20 ms is still nothing to speak of."""
    fill(store, [20 + (it % 3) / 10 for it in range(48)])
    run(store, 50, duration_ms=60.0)
    assert learn(store, settings).anomalies == 0
    run(store, 51, duration_ms=80.0)
    assert learn(store, settings).anomalies == 1


def test_the_setting_says_how_easily(store: Store, settings_for: Callable[..., Settings]) -> None:
    """More false alarms are taken for more that is found."""
    fill_at_once(store, durations(200))
    run(store, 201, duration_ms=2_000 * 1.38)
    assert learn(store, settings_for(anomaly_false_alarms=0.01)).anomalies == 0
    run(store, 202, duration_ms=2_000 * 1.38)
    assert learn(store, settings_for(anomaly_false_alarms=50.0)).anomalies == 1


def test_what_is_stored_again_or_late_is_left_out(store: Store, settings: Settings) -> None:
    """A series is learned in the order of time, each value once."""
    session, attempt = a_session(), an_attempt(duration_ms=2_000.0, steps=())
    for _ in range(2):
        ingest(store, session, Batch(attempts=[attempt], ended=an_end()))
        learn(store, settings)
    run(store, 5, duration_ms=2_000.0)
    learn(store, settings)
    run(store, 3, duration_ms=9_000.0)
    assert learn(store, settings) == Learned(sessions=1)
    assert count(store, "unjudged_sessions") == 0


def test_places_have_what_is_normal_there(store: Store, settings: Settings) -> None:
    """Environments and locations are series of their own."""
    for hour in range(5):
        for environment, value in (("production", 2_000.0), ("staging", 500.0)):
            run(store, hour, environment=environment, duration_ms=value)
    learn(store, settings)
    medians = {it.environment: it.median for it in store.baselines(PROJECT)}
    assert medians == {
        "production": pytest.approx(2_000, rel=1e-3),
        "staging": pytest.approx(500, rel=1e-3),
    }
    (staging,) = store.baselines(PROJECT, environment="staging")
    assert staging.environment == "staging"
    assert store.baselines(PROJECT, workflow_id="else") == ()
    assert store.baselines("elsewhere") == ()


def test_two_who_learn_at_once_learn_each_value_once(
    store: Store, settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As shippers of sessions that end together do."""
    monkeypatch.setattr(learning, "EXECUTIONS_AT_ONCE", 3)
    values = durations(40)
    fill(store, values)
    together, found = threading.Barrier(3), []

    def help_out() -> None:
        with Store(database_url) as own:
            together.wait()
            found.append(learn(own, settings))

    threads = [threading.Thread(target=help_out) for _ in range(3)]
    for it in threads:
        it.start()
    for it in threads:
        it.join()
    assert sum(it.values for it in found) == sum(it.sessions for it in found) == 40
    (baseline,) = store.baselines(PROJECT)
    assert baseline.sample_size == 40
    assert baseline.median == pytest.approx(median(values), rel=0.01)


@pytest.mark.parametrize("statement", ["states_of_series", "set_baselines", "add_anomalies"])
def test_whoever_is_killed_leaves_it_to_the_next(
    store: Store,
    settings: Settings,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
) -> None:
    """Neither half of what was learned is kept; nothing is lost and nothing learned twice."""
    fill(store, [*durations(48), 9_000.0])
    do = getattr(Store, statement)

    def die(dying: Store, *arguments: Any) -> Any:
        do(dying, *arguments)
        monkeypatch.setattr(Store, statement, do)
        with Store(database_url) as other:
            other.connection.execute(
                "SELECT pg_terminate_backend(%s)", [dying.connection.info.backend_pid]
            )
        return do(dying, *arguments)

    monkeypatch.setattr(Store, statement, die)
    with pytest.raises(StoreError), Store(database_url) as killed:
        learn(killed, settings)
    assert (count(store, "performance_baselines"), count(store, "unjudged_sessions")) == (0, 49)
    assert learn(store, settings) == Learned(sessions=49, values=49, anomalies=1)


def test_little_is_held_at_once(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions in transactions of their own, workflows of big ones a few at a time."""
    monkeypatch.setattr(learning, "EXECUTIONS_AT_ONCE", 4)
    monkeypatch.setattr(learning, "WORKFLOWS_AT_ONCE", 2)
    ids = [f"w{it}" for it in range(5)]
    for hour in range(4):
        run(store, hour, *ids, duration_ms=2_000.0)
    held = []
    values_to_learn = store.values_to_learn

    def noted(sessions: Any, workflow_ids: Any, least_ms: float) -> Any:
        held.append((len(sessions), list(workflow_ids)))
        return values_to_learn(sessions, workflow_ids, least_ms)

    monkeypatch.setattr(store, "values_to_learn", noted)
    assert learn(store, settings, seconds=0) == Learned(sessions=1, values=5)
    assert held == [(1, ["w0", "w1"]), (1, ["w2", "w3"]), (1, ["w4"])]
    assert learn(store, settings) == Learned(sessions=3, values=15)
    assert [it.sample_size for it in store.baselines(PROJECT)] == [4] * 5


def test_what_another_version_remembered_is_learned_anew(store: Store, settings: Settings) -> None:
    """Rather than never again."""
    fill(store, durations(5))
    learn(store, settings)
    store.connection.execute(
        """UPDATE workflow_monitor.performance_baselines SET state = '{"points": "many"}'"""
    )
    run(store, 6, duration_ms=2_000.0)
    assert learn(store, settings) == Learned(sessions=1, values=1)


def test_a_series_without_a_season_stays_small(store: Store, settings: Settings) -> None:
    """Some kilobytes, however long it goes on."""
    fill_at_once(store, durations(600))
    learn(store, settings)
    (row,) = store.connection.execute(
        "SELECT seasons, length(state::text) AS size FROM workflow_monitor.performance_baselines"
    ).fetchall()
    assert row["seasons"] == {}
    assert row["size"] < 8_000


def test_what_is_known_goes_with_the_workflow(store: Store, settings: Settings) -> None:
    """And after as long without a value as executions are kept."""
    run(store, 0, "login", "order", duration_ms=2_000.0)
    for hour in range(5):
        run(store, 24 * 300 + hour, "order", duration_ms=2_000.0)
    learn(store, settings)
    now = START + timedelta(days=450)
    assert pruning.plan(store, settings, now=now).rows["performance_baselines"] == 1
    assert pruning.prune(store, settings, now=now).rows["performance_baselines"] == 1
    assert [it.workflow_id for it in store.baselines(PROJECT)] == ["order"]
    store.connection.execute(
        "DELETE FROM workflow_monitor.workflow_executions;DELETE FROM workflow_monitor.workflows"
    )
    assert store.baselines(PROJECT) == ()
