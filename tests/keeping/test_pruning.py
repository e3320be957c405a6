"""What is older than it is kept goes, and nothing else; sums never shrink with it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import tuple_row

from pytest_workflow_monitor.errors import StoreUnreachableError
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.keeping import pruning
from pytest_workflow_monitor.model import Artifact, Metric, Output
from pytest_workflow_monitor.store import Store
from pytest_workflow_monitor.store import pruning as store_pruning
from tests.history.template import history, truth_of
from tests.samples import PROJECT, a_session, an_attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.model import Attempt, SessionStarted
    from pytest_workflow_monitor.settings import Settings
    from tests.conftest import Server

NOW = datetime(2026, 6, 17, 12, 30, tzinfo=UTC)
SUMS = ("workflow_hours", "workflow_days", "series_days")
AGES = (500, 401, 399, 91, 89, 31, 29, 0)


def ago(days: float, hours: float = 0.0) -> datetime:
    return NOW - timedelta(days=days, hours=hours)


def add(store: Store, days: float, **fields: Any) -> tuple[SessionStarted, Attempt]:
    """Store a session with one attempt that has everything."""
    from pytest_workflow_monitor.model import SessionEnded

    session = a_session(started_at=ago(days))
    given: dict[str, Any] = {
        "started_at": ago(days),
        "metrics": (Metric(name="cart", value=3.0),),
        "outputs": (Output(name="Captured stdout call", text="hello"),),
    }
    attempt = an_attempt(**(given | fields))
    ended = SessionEnded(ended_at=ago(days) + timedelta(minutes=1), exit_status=0)
    ingest(store, session, Batch(attempts=[attempt], ended=ended), now=ago(days))
    return session, attempt


def ask(store: Store, question: bytes) -> list[tuple[Any, ...]]:
    with store.connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(question).fetchall()


def rows(store: Store, table: str) -> int:
    ((found,),) = ask(store, f"SELECT count(*) FROM workflow_monitor.{table}".encode())  # noqa: S608 - names of tables
    return int(found)


def sums(store: Store) -> list[list[tuple[Any, ...]]]:
    return [
        sorted(ask(store, f"SELECT * FROM workflow_monitor.{table}".encode()), key=str)  # noqa: S608 - names of tables
        for table in SUMS
    ]


@pytest.fixture
def settings(settings_for: Callable[..., Settings], database_url: str) -> Settings:
    return settings_for(database_url)


@pytest.fixture
def aged(store: Store) -> Store:
    """A store with one execution of each age."""
    for days in AGES:
        add(store, days)
    store.sum_up(PROJECT)
    return store


def test_each_class_goes_at_its_age(aged: Store, settings: Settings) -> None:
    """Executions after 400 days, steps and metrics after 90, texts after 30."""
    done = pruning.prune(aged, settings, now=NOW)
    assert done.is_finished
    assert rows(aged, "workflow_executions") == rows(aged, "test_sessions") == 6
    assert rows(aged, "workflow_attempts") == 6
    assert rows(aged, "workflow_steps") == 2 * 4
    assert rows(aged, "workflow_metrics") == 4
    texts = b"SELECT count(*) FROM workflow_monitor.workflow_attempts WHERE outputs <> '[]'"
    assert ask(aged, texts) == [(2,)]
    assert done.rows == Counter(
        {
            "workflow_executions": 2,
            "workflow_attempts": 2,
            "test_sessions": 2,
            "workflow_steps": 2 * 4,
            "workflow_metrics": 4,
            "series_hours": 3 * 4,
            store_pruning.TEXTS: 6,
        }
    )


def test_the_border_is_the_beginning_of_a_day(store: Store, settings: Settings) -> None:
    """In UTC, so that a day is there as a whole or not at all."""
    midnight = NOW.replace(hour=0, minute=0) - timedelta(days=400)
    moment = timedelta(microseconds=1)
    for at in (midnight - moment, midnight):
        ingest(store, a_session(started_at=at), Batch(attempts=[an_attempt(started_at=at)]))
    pruning.prune(store, settings, now=NOW)
    kept = b"SELECT started_at FROM workflow_monitor.workflow_executions"
    assert ask(store, kept) == [(midnight,)]


def test_sums_stay_as_they_were(aged: Store, settings: Settings) -> None:
    """By the hour and day for ever, but for the hours of steps and metrics."""
    before = sums(aged)
    pruning.prune(aged, settings, now=NOW)
    assert sums(aged) == before
    assert aged.sum_up(PROJECT) == 0
    hours = b"SELECT count(DISTINCT starts_at) FROM workflow_monitor.series_hours"
    assert ask(aged, hours) == [(4,)]


def test_what_was_not_summed_up_is_before_it_goes(store: Store, settings: Settings) -> None:
    """Pruning does not wait for others to do that."""
    for days in AGES:
        add(store, days)
    pruning.prune(store, settings, now=NOW)
    ((runs,),) = ask(store, b"SELECT sum(runs) FROM workflow_monitor.workflow_days")
    assert runs == len(AGES)


def test_a_late_record_does_not_make_old_sums_anew(aged: Store, settings: Settings) -> None:
    """They would be made from what is left, and lose what is gone."""
    pruning.prune(aged, settings, now=NOW)
    before = sums(aged)
    for days in (500, 401):
        add(aged, days)
    assert aged.sum_up(PROJECT) == 2
    assert sums(aged) == before
    add(aged, 91)  # its execution counts, its steps do not
    aged.sum_up(PROJECT)
    hours, days_of_runs, series_days = sums(aged)
    assert series_days == before[2]
    assert len(hours) == len(before[0])
    assert hours != before[0]
    assert days_of_runs != before[1]
    pruning.prune(aged, settings, now=NOW)
    assert rows(aged, "workflow_executions") == 7
    assert rows(aged, "outdated_hours") == 0


def test_keeping_longer_later_does_not_make_old_sums_anew(
    aged: Store, settings: Settings, settings_for: Callable[..., Settings]
) -> None:
    """What was pruned once stays gone."""
    pruning.prune(aged, settings, now=NOW)
    before = sums(aged)
    longer = settings_for(aged.url, execution_days=800, detail_days=800)
    pruning.prune(aged, longer, now=NOW)
    add(aged, 500)
    aged.sum_up(PROJECT)
    assert sums(aged) == before
    assert rows(aged, "workflow_executions") == 7


def test_details_do_not_outlive_their_executions(
    aged: Store, settings_for: Callable[..., Settings]
) -> None:
    """Whoever keeps executions for less than steps keeps both for less."""
    pruning.prune(aged, settings_for(aged.url, execution_days=30, detail_days=400), now=NOW)
    assert rows(aged, "workflow_executions") == 2
    before = sums(aged)
    add(aged, 60)
    aged.sum_up(PROJECT)
    assert sums(aged) == before


def test_evidence_keeps_its_execution(store: Store, settings: Settings) -> None:
    """A file that artifacts' own rules keep still says what it is evidence of."""
    kept = Artifact(name="page", size_bytes=3, sha256="ab" * 32, path="artifacts/ab.png")
    _, attempt = add(store, 500, artifacts=(kept,))
    add(store, 499)
    pruning.prune(store, settings, now=NOW)
    left = b"SELECT run_id::text FROM workflow_monitor.workflow_executions"
    assert ask(store, left) == [(attempt.run_id,)]
    assert rows(store, "test_sessions") == 1
    expired = b"UPDATE workflow_monitor.workflow_artifacts SET expired_at = now()"
    store.connection.execute(expired)
    done = pruning.prune(store, settings, now=NOW)
    assert done.rows["workflow_artifacts"] == done.rows["workflow_executions"] == 1
    assert rows(store, "test_sessions") == 0


def test_a_dry_run_says_what_goes_and_leaves_it(aged: Store, settings: Settings) -> None:
    """The same numbers, table by table."""
    planned = pruning.plan(aged, settings, now=NOW)
    assert planned.rows == pruning.plan(aged, settings, now=NOW).rows
    assert rows(aged, "workflow_executions") == len(AGES)
    assert pruning.prune(aged, settings, now=NOW).rows == planned.rows
    assert pruning.plan(aged, settings, now=NOW).rows == Counter()
    assert pruning.prune(aged, settings, now=NOW).rows == Counter()


def test_only_the_own_project_is_pruned(aged: Store, settings_for: Callable[..., Settings]) -> None:
    """Others in the same database keep theirs as long as they say."""
    done = pruning.prune(aged, settings_for(aged.url, project="other"), now=NOW)
    assert done.rows == Counter()
    assert rows(aged, "workflow_executions") == len(AGES)


def test_two_at_once_are_one(aged: Store, settings: Settings) -> None:
    """The second leaves it to the first, and says so."""
    with Store(aged.url, project=PROJECT) as other, other.pruning(PROJECT) as is_ours:
        assert is_ours
        done = pruning.prune(aged, settings, now=NOW)
        assert done.problem == pruning.SOMEBODY_ELSE
        assert not done.rows
    assert pruning.prune(aged, settings, now=NOW).is_finished


def test_the_next_goes_on_where_one_was_killed(
    aged: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever that was: the rest goes and the sums are the same."""
    monkeypatch.setattr(store_pruning, "RUNS_AT_ONCE", 1)
    before = sums(aged)
    deaths = 0
    for _ in range(40):
        with Store(aged.url, project=PROJECT) as victim:
            _die_after(victim, 4)
            try:
                done = pruning.prune(victim, settings, now=NOW)
            except StoreUnreachableError:
                deaths += 1
            else:
                break
    assert deaths > 3
    assert done.is_finished
    assert sums(aged) == before
    assert rows(aged, "workflow_executions") == 6
    assert rows(aged, "workflow_steps") == 2 * 4


def _die_after(store: Store, statements: int) -> None:
    """Let the server end the connection after some statements that deleted something.

    That is in the middle of the second batch or later: the first of each try stands.
    """
    left = [statements]
    run = store.run

    def run_or_die(statement: str, /, **parameters: Any) -> int:
        done = run(statement, **parameters)
        if statement.startswith("prune_") and done:
            left[0] -= 1
            if not left[0]:
                with psycopg.connect(store.url, autocommit=True) as other:
                    pid = store.connection.info.backend_pid
                    other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        return done

    store.run = run_or_die  # type: ignore[method-assign]


def test_a_while_at_a_time_comes_to_the_same(
    aged: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has no time left stops between two batches; the next one goes on."""
    monkeypatch.setattr(store_pruning, "RUNS_AT_ONCE", 1)
    planned = pruning.plan(aged, settings, now=NOW).rows
    clock = iter(range(10_000))
    monkeypatch.setattr(pruning, "monotonic", lambda: float(next(clock)))
    gone: Counter[str] = Counter()
    times = 0
    while (done := pruning.prune_daily(aged, settings, now=NOW, seconds=24.0)) is not None:
        gone += done.rows
        times += 1
    assert times > 1
    assert gone == planned
    tomorrow = NOW + timedelta(days=1)
    assert pruning.prune_daily(aged, settings, now=tomorrow, seconds=60.0) is not None


def test_nobody_waits_long_for_what_is_pruned(aged: Store, settings: Settings) -> None:
    """A row that somebody holds is left for the next time."""
    with psycopg.connect(aged.url) as other:
        other.execute(
            "SELECT run_id FROM workflow_monitor.workflow_executions"
            " ORDER BY started_at LIMIT 1 FOR UPDATE"
        )
        pruning.prune(aged, settings, now=NOW)
        assert rows(aged, "workflow_executions") == 7
    pruning.prune(aged, settings, now=NOW)
    assert rows(aged, "workflow_executions") == 6


def test_a_lock_that_is_not_let_go_ends_it_in_one_sentence(aged: Store, settings: Settings) -> None:
    """After two seconds; what went before is gone."""
    with psycopg.connect(aged.url) as other:
        other.execute("LOCK TABLE workflow_monitor.workflow_metrics IN SHARE MODE")
        with pytest.raises(StoreUnreachableError, match="busy with another process"):
            pruning.prune(aged, settings, now=NOW)
    assert pruning.prune(aged, settings, now=NOW).is_finished


def test_a_shop_of_two_weeks_is_pruned_as_planned(
    server: Server, template: str, settings_for: Callable[..., Settings]
) -> None:
    """Alerts, incidents, messages, slots and all; what is open or of today stays."""
    name = server.create(history(server, template))
    with Store(server.url_of(name), project=PROJECT) as shop:
        now = truth_of().end_at
        settings = settings_for(
            shop.url, execution_days=8, detail_days=5, log_days=3, slot_days=2, artifacts_days=1
        )
        before, open_ones = sums(shop)[:2], rows(shop, "alerts WHERE status <> 'resolved'")
        planned = pruning.plan(shop, settings, now=now).rows
        done = pruning.prune(shop, settings, now=now)
        assert done.rows == planned
        assert planned["alerts"] > 5 < planned["notification_logs"]
        assert planned["workflow_executions"] > 3_000 < planned["workflow_slots"]
        assert sums(shop)[:2] == before
        assert rows(shop, "alerts WHERE status <> 'resolved'") == open_ones > 0
        assert not pruning.plan(shop, settings, now=now).rows
        kept = b"SELECT min(started_at) FROM workflow_monitor.workflow_executions"
        ((oldest,),) = ask(shop, kept)
        assert oldest >= done.before[store_pruning.DataClass.EXECUTIONS]
    server.drop(name)
