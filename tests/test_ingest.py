from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_workflow_monitor.errors import StoreRefusedError, StoreUnreachableError
from pytest_workflow_monitor.ingest import Batch, Ingested, ingest
from pytest_workflow_monitor.model import (
    Artifact,
    Attempt,
    AttemptStarted,
    Metric,
    SessionEnded,
    SessionStarted,
    Status,
    Step,
    Trigger,
)
from pytest_workflow_monitor.store import Store
from pytest_workflow_monitor.store.counters import Counters
from pytest_workflow_monitor.support.wire import encode
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
    run_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_workflow_monitor.model import Execution

TABLES = (
    "test_sessions",
    "workflows",
    "workflow_versions",
    "workflow_executions",
    "workflow_attempts",
    "workflow_steps",
    "workflow_metrics",
    "workflow_artifacts",
    "job_metrics",
    "dead_letter_queue",
)


def dump(store: Store) -> dict[str, list[str]]:
    """Return everything in the database."""
    return {
        table: sorted(
            row["line"]
            for row in store.connection.execute(
                f"SELECT t::text AS line FROM workflow_monitor.{table} AS t".encode()  # noqa: S608
            )
        )
        for table in TABLES
    }


def empty(store: Store) -> None:
    """Remove everything."""
    store.connection.execute(
        "TRUNCATE workflow_monitor.test_sessions, workflow_monitor.workflows CASCADE"
    )


def execution(store: Store, of: Attempt | AttemptStarted) -> Execution:
    """Return the execution of an attempt."""
    found = store.execution(of.run_id)
    assert found is not None
    return found


def tried_twice(**fields: Any) -> tuple[Attempt, Attempt]:
    """Return two attempts of one execution: one that failed, one that passed."""
    first = an_attempt(status=Status.FAILED, will_retry=True, **fields)
    return first, replace(
        first, number=2, status=Status.PASSED, will_retry=False, started_at=at(20)
    )


def on_insert(store: Store, table: str, body: str) -> None:
    """Let PostgreSQL do something in the middle of an ingest, when a row reaches a table."""
    store.connection.execute(
        f"""
        CREATE FUNCTION interfere() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN {body} RETURN NEW; END $$;
        CREATE TRIGGER interfere BEFORE INSERT ON workflow_monitor.{table}
        FOR EACH ROW EXECUTE FUNCTION interfere();
        """.encode()
    )


def test_what_was_stored_is_told(store: Store) -> None:
    """The numbers are what the terminal summary reports."""
    first, second = tried_twice()
    batch = Batch(attempts=[first, second, an_attempt("other")], running=[a_start("third")])
    assert ingest(store, a_session(), batch) == Ingested(executions=2, attempts=3, running=1)


def test_the_same_batch_again_changes_nothing(store: Store) -> None:
    """Whoever is not sure whether a batch arrived sends it again."""
    session = a_session()
    batch = Batch(attempts=[a_full_attempt(), *tried_twice()], ended=an_end())
    ingest(store, session, batch)
    before = dump(store)
    assert ingest(store, session, batch) == Ingested()
    assert dump(store) == before


def test_an_execution_runs_between_its_attempts(store: Store) -> None:
    """A failed attempt that will be retried decides nothing, and is there to be seen."""
    first, second = tried_twice()
    session = a_session()
    ingest(store, session, Batch(attempts=[first]))
    found = execution(store, first)
    assert (found.status, found.completed_at, found.attempts) == (Status.RUNNING, None, (first,))
    assert store.job_metrics() == ()
    ingest(store, session, Batch(attempts=[second]))
    found = execution(store, first)
    assert (found.status, found.is_flaky) == (Status.PASSED, True)
    assert found.attempts == (first, second)
    assert found.started_at == first.started_at
    (counters,) = store.job_metrics()
    assert (counters.run_count, counters.success_count, counters.flaky_count) == (1, 1, 1)


def test_a_running_execution_becomes_final(store: Store) -> None:
    """The row that others saw live is the one that gets the outcome."""
    start = a_start("login")
    session = a_session()
    ingest(store, session, Batch(running=[start]))
    attempt = an_attempt(run_id=start.run_id, status=Status.FAILED)
    ingest(store, session, Batch(attempts=[attempt]))
    assert execution(store, start).status is Status.FAILED
    assert store.row_counts()["workflow_executions"] == 1


def test_a_final_execution_never_runs_again(store: Store) -> None:
    """News that an attempt started may come after the news that it ended."""
    attempt = an_attempt()
    session = a_session()
    ingest(store, session, Batch(attempts=[attempt]))
    ingest(store, session, Batch(running=[a_start(run_id=attempt.run_id)]))
    assert execution(store, attempt).status is Status.PASSED


def test_what_runs_when_the_session_ends_is_interrupted(store: Store) -> None:
    """A session that died leaves no execution running for ever, and each counts as a problem."""
    session = a_session()
    start = a_start("never-ended")
    first, _ = tried_twice()
    ingest(store, session, Batch(running=[start], attempts=[first]))
    assert ingest(store, session, Batch(ended=an_end())).executions == 2
    lost, retried = execution(store, start), execution(store, first)
    assert (lost.status, lost.completed_at) == (Status.INTERRUPTED, an_end().ended_at)
    assert (retried.status, retried.duration_ms) == (Status.INTERRUPTED, first.duration_ms)
    assert store.running() == ()
    assert {it.failure_count for it in store.job_metrics()} == {1}


def test_an_attempt_that_comes_after_the_end_still_counts(store: Store) -> None:
    """The journal of a killed session is read again, and then holds more than was stored."""
    session = a_session()
    first, second = tried_twice()
    ingest(store, session, Batch(attempts=[first], ended=an_end()))
    ingest(store, session, Batch(attempts=[second]))
    assert execution(store, first).status is Status.PASSED
    (counters,) = store.job_metrics()
    assert (counters.run_count, counters.success_count, counters.failure_count) == (1, 1, 0)
    assert (counters.last_status, counters.consecutive_failures) == (Status.PASSED, 0)
    assert store.sessions(1)[0].executions_flaky == 1


def test_a_failure_that_turns_out_to_be_another_failure_counts_once(store: Store) -> None:
    """What was interrupted for all we knew, and had really failed, is one failure in a row."""
    session = a_session()
    start = a_start("login")
    ingest(store, session, Batch(running=[start], ended=an_end()))
    failed = an_attempt(run_id=start.run_id, status=Status.FAILED, started_at=at(30))
    ingest(store, session, Batch(attempts=[failed]))
    (counters,) = store.job_metrics()
    assert (counters.run_count, counters.failure_count) == (1, 1)
    assert (counters.consecutive_failures, counters.last_status) == (1, Status.FAILED)


def test_what_pytest_said_of_the_end_wins(store: Store) -> None:
    """A shipper concludes an end for a session it believes dead; the real one is better."""
    session = a_session()
    real = an_end(500, exit_status=1)
    for end in (an_end(600, exit_status=None, interrupted=True), real, an_end(700)):
        ingest(store, session, Batch(ended=end))
    assert store.session_document(session.session_id).ended == real


def test_counters_add_up_what_executions_became(store: Store) -> None:
    """The running counters equal what counting all executions would give."""
    statuses = [
        Status.PASSED,
        Status.DEGRADED,
        Status.FAILED,
        Status.SKIPPED,
        Status.ERROR,
        Status.TIMED_OUT,
    ]
    for number, status in enumerate(statuses):
        attempt = an_attempt(status=status, started_at=at(number), duration_ms=100.0)
        ingest(store, a_session(started_at=at(number)), Batch(attempts=[attempt]))
    (counters,) = store.job_metrics(project=PROJECT, environment=ENVIRONMENT)
    assert (counters.run_count, counters.success_count, counters.failure_count) == (6, 2, 3)
    assert (counters.degraded_count, counters.skipped_count) == (1, 1)
    assert counters.total_duration_ms == 500.0
    assert (counters.last_run_at, counters.last_status) == (at(5), Status.TIMED_OUT)
    assert (counters.last_success_at, counters.last_failure_at) == (at(1), at(5))
    assert counters.consecutive_failures == 3


def counted(executions: Iterable[Execution]) -> list[Counters]:
    """Count executions one after another, as they started."""
    found: dict[str, Counters] = {}
    for it in sorted(executions, key=lambda it: (it.started_at, it.run_id)):
        name = it.workflow.workflow_id
        new = Counters(project=PROJECT, workflow_id=name, environment=ENVIRONMENT)
        known = found.get(name, new)
        is_success = it.status in {Status.PASSED, Status.DEGRADED}
        is_problem = it.status.is_problem
        is_skipped = it.status is Status.SKIPPED
        found[name] = Counters(
            project=PROJECT,
            workflow_id=name,
            environment=ENVIRONMENT,
            run_count=known.run_count + 1,
            success_count=known.success_count + is_success,
            failure_count=known.failure_count + is_problem,
            degraded_count=known.degraded_count + (it.status is Status.DEGRADED),
            skipped_count=known.skipped_count + is_skipped,
            total_duration_ms=known.total_duration_ms
            + (0.0 if is_skipped else it.duration_ms or 0.0),
            last_run_id=it.run_id,
            last_run_at=it.started_at,
            last_status=it.status,
            last_success_at=it.started_at if is_success else known.last_success_at,
            last_failure_at=it.started_at if is_problem else known.last_failure_at,
            consecutive_failures=0 if is_success else known.consecutive_failures + is_problem,
        )
    return [found[name] for name in sorted(found)]


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_counters_do_not_depend_on_the_way_executions_came(
    store: Store, data: st.DataObject
) -> None:
    """Several of a workflow at once, late ones, and interrupted ones that had ended after all."""
    empty(store)
    kinds = st.sampled_from([it for it in Status if it is not Status.RUNNING])
    drawn = data.draw(
        st.lists(st.tuples(st.sampled_from("ab"), kinds, st.integers(0, 5)), min_size=1)
    )
    attempts = [
        an_attempt(name, status=status, started_at=at(seconds), duration_ms=100.0)
        for name, status, seconds in drawn
    ]
    session = a_session()
    lost = data.draw(st.lists(st.sampled_from(attempts)), label="lost")
    running = [
        a_start(it.workflow.workflow_id, run_id=it.run_id, started_at=it.started_at) for it in lost
    ]
    ingest(store, session, Batch(running=running, ended=an_end()))
    for batch in batches_of(data, attempts, ()):
        ingest(store, session, batch)
    executions = [execution(store, it) for it in attempts]
    assert list(store.job_metrics()) == counted(executions)


def test_an_old_session_that_comes_late_does_not_look_like_the_latest(store: Store) -> None:
    """A replayed journal adds to the sums and leaves the latest outcome alone."""
    newest = an_attempt(status=Status.FAILED, started_at=at(900))
    ingest(store, a_session(started_at=at(890)), Batch(attempts=[newest]))
    for seconds, status in ((10, Status.FAILED), (20, Status.PASSED), (30, Status.FAILED)):
        late = an_attempt(status=status, started_at=at(seconds))
        ingest(store, a_session(), Batch(attempts=[late]))
    (counters,) = store.job_metrics()
    assert (counters.run_count, counters.last_run_id) == (4, newest.run_id)
    assert (counters.last_success_at, counters.consecutive_failures) == (at(20), 2)


def test_counters_are_kept_by_environment(store: Store) -> None:
    """A failure in staging says nothing about production."""
    for environment in ("staging", "production"):
        session = a_session(environment=environment)
        ingest(store, session, Batch(attempts=[an_attempt()]))
    assert [it.environment for it in store.job_metrics()] == ["production", "staging"]


def test_the_latest_session_defines_a_workflow(store: Store) -> None:
    """A replayed old journal does not bring an old owner back."""
    for seconds, owner in ((50, "older"), (100, "new"), (0, "oldest"), (50, "older")):
        attempt = an_attempt(a_workflow(owner=owner), started_at=at(seconds))
        assert ingest(store, a_session(started_at=at(seconds)), Batch(attempts=[attempt])).attempts
    (row,) = store.connection.execute("SELECT owner FROM workflow_monitor.workflows").fetchall()
    assert row["owner"] == "new"
    assert store.row_counts()["workflow_versions"] == 3


def test_an_unchanged_workflow_is_not_written_again(store: Store) -> None:
    """Ten thousand sessions of the same tests leave ten thousand fewer dead rows."""
    ingest(store, a_session(), Batch(attempts=[an_attempt()]))
    query = "SELECT xmin, ctid FROM workflow_monitor.workflows"
    before = store.connection.execute(query).fetchall()
    later = a_session(started_at=at(3600))
    ingest(store, later, Batch(attempts=[an_attempt(started_at=at(3601))]))
    assert store.connection.execute(query).fetchall() == before


NASTY = "NUL \0, bell \a, lone \ud800 surrogate, \N{PILE OF POO}, <b>'\"%s;--"


def test_any_text_is_stored(store: Store) -> None:
    """NULs and lone surrogates are replaced, everything else comes back as it was."""
    attempt = an_attempt(
        a_workflow(name=NASTY, labels={NASTY: NASTY}),
        status=Status.FAILED,
        labels={NASTY: NASTY},
        steps=(Step(index=0, name=NASTY, error_message=NASTY),),
        metrics=(Metric(name=NASTY, value=float("nan"), unit=NASTY),),
        artifacts=(Artifact(name=NASTY, path=NASTY),),
        skip_reason=NASTY,
        degraded=(NASTY,),
    )
    session = a_session(rootdir=NASTY, arguments=(NASTY,), versions={NASTY: NASTY})
    start = a_start(dimensions={NASTY: NASTY})
    done = ingest(store, session, Batch(attempts=[attempt], running=[start]))
    assert done == Ingested(executions=1, attempts=1, running=1)
    expected = NASTY.replace("\0", "\ufffd").replace("\ud800", "?")
    found = execution(store, attempt)
    assert found.workflow.name == found.attempts[0].steps[0].name == expected
    assert found.labels == {expected: expected}
    assert store.session_document("last").session.arguments == (expected,)


@pytest.mark.parametrize("name", ["", "NULL", "{}", "a,b", '","', "0" * 33, "x" * 32])
def test_what_is_no_id_is_put_aside(store: Store, name: str) -> None:
    """The record that has it, and no other."""
    batch = Batch(attempts=[an_attempt(), an_attempt(run_id=name), an_attempt()])
    assert ingest(store, a_session(), batch) == Ingested(executions=2, attempts=2, dead_lettered=1)


def test_text_from_a_journal_is_stored(store: Store) -> None:
    """The same, for records that were read from a line."""
    line = encode(an_attempt(a_workflow(name=NASTY)))
    attempt = msgspec.json.decode(line, type=Attempt)
    ingest(store, a_session(), Batch(attempts=[attempt], raw=[line]))
    assert execution(store, attempt).workflow.name.startswith("NUL \ufffd")


def test_megabytes_of_text_are_stored(store: Store) -> None:
    """An error that holds a whole page is kept."""
    attempt = a_full_attempt(skip_reason="é" * 3_000_000)
    assert ingest(store, a_session(), Batch(attempts=[attempt])).attempts == 1
    assert execution(store, attempt).attempts == (attempt,)


def test_a_full_disk_stores_nothing_and_blames_no_record(store: Store) -> None:
    """PostgreSQL's real answer to a full device, in the middle of a batch."""
    on_insert(store, "workflow_steps", "COPY (SELECT repeat('x', 99999)) TO '/dev/full';")
    session = a_session()
    batch = Batch(attempts=[an_attempt("a"), an_attempt("b")], ended=an_end())
    before = dump(store)
    with pytest.raises(StoreRefusedError, match="no space left"):
        ingest(store, session, batch)
    assert dump(store) == before
    store.connection.execute("DROP FUNCTION interfere CASCADE")
    assert ingest(store, session, batch).executions == 2


def test_a_connection_lost_in_the_middle_stores_nothing(store: Store, database_url: str) -> None:
    """The server ends the connection inside the transaction; a new one stores everything."""
    on_insert(store, "workflow_steps", "PERFORM pg_terminate_backend(pg_backend_pid());")
    session = a_session()
    batch = Batch(attempts=[an_attempt("a"), an_attempt("b")], ended=an_end())
    with pytest.raises(StoreUnreachableError, match="went away"):
        ingest(store, session, batch)
    with pytest.raises(StoreUnreachableError):
        store.sessions(1)
    with Store(database_url, project=PROJECT) as again:
        assert again.row_counts()["test_sessions"] == 0
        assert again.letters() == ()
        again.connection.execute("DROP FUNCTION interfere CASCADE")
        assert ingest(again, session, batch).executions == 2


def test_a_read_only_database_stores_nothing(store: Store) -> None:
    """A standby, or a database that was set so, is said to be read-only."""
    store.connection.execute("SET default_transaction_read_only = on")
    with pytest.raises(StoreRefusedError, match="read-only"):
        ingest(store, a_session(), Batch(attempts=[an_attempt()]))
    assert store.letters() == ()


def a_story() -> tuple[SessionStarted, list[Attempt], list[AttemptStarted], SessionEnded]:
    """Return a session in which everything happens."""
    flaky = tried_twice(duration_ms=250.0)
    lost = an_attempt("lost", status=Status.FAILED, will_retry=True)
    thrice = run_id()
    attempts = [
        *flaky,
        lost,
        *(
            an_attempt(
                "thrice",
                run_id=thrice,
                number=number,
                status=Status.FAILED,
                will_retry=number < 3,
                started_at=at(40 + number),
            )
            for number in (1, 2, 3)
        ),
        an_attempt("login", started_at=at(70), status=Status.DEGRADED),
        an_attempt("login", started_at=at(80), status=Status.SKIPPED),
        a_full_attempt(started_at=at(60)),
        an_attempt("refused", duration_ms=-5.0),
    ]
    running = [
        a_start("login", run_id=flaky[0].run_id),
        a_start("thrice", run_id=thrice),
        a_start("hangs"),
    ]
    return a_session(), attempts, running, an_end()


def without_letters(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Leave out the table that counts how often a record was refused."""
    return {table: lines for table, lines in found.items() if table != "dead_letter_queue"}


def batches_of(
    data: st.DataObject, attempts: Sequence[Attempt], running: Iterable[AttemptStarted]
) -> list[Batch]:
    """Draw batches that together hold all records, some of them more than once."""
    records = [*attempts, *running]
    extra = data.draw(st.lists(st.sampled_from(records), max_size=5), label="repeated")
    order = data.draw(st.permutations(records + extra), label="order")
    cuts = data.draw(st.sets(st.integers(1, len(order)), max_size=6), label="cuts")
    edges = [0, *sorted(cuts), len(order)]
    return [
        Batch(
            attempts=[it for it in order[low:high] if isinstance(it, Attempt)],
            running=[it for it in order[low:high] if isinstance(it, AttemptStarted)],
        )
        for low, high in pairwise(edges)
    ]


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_splits_repeats_and_orders_give_the_same_database(
    store: Store, data: st.DataObject
) -> None:
    """However a journal arrives, what is stored is as if it had come at once."""
    session, attempts, running, end = a_story()
    empty(store)
    ingest(store, session, Batch(attempts=attempts, running=running, ended=end))
    expected = without_letters(dump(store))
    empty(store)
    batches = batches_of(data, attempts, running)
    batches.insert(data.draw(st.integers(0, len(batches)), label="end"), Batch(ended=end))
    for batch in batches:
        ingest(store, session, batch)
    assert without_letters(dump(store)) == expected


def test_four_processes_replay_one_journal_at_once(
    store: Store, database_url: str, tmp_path: Path
) -> None:
    """Each wants to store everything; together they store it once."""
    session, attempts, _, end = a_story()
    (tmp_path / "story").write_bytes(
        b"\n".join(encode(record) for record in (session, end, *attempts))
    )
    program = """
        import random, sys
        from pathlib import Path
        import msgspec
        from pytest_workflow_monitor.ingest import Batch, ingest
        from pytest_workflow_monitor.model import Attempt, SessionEnded, SessionStarted
        from pytest_workflow_monitor.store import Store

        session, end, *attempts = Path(sys.argv[2]).read_bytes().splitlines()
        session = msgspec.json.decode(session, type=SessionStarted)
        attempts = [msgspec.json.decode(line, type=Attempt) for line in attempts]
        random.shuffle(attempts)
        with Store(sys.argv[1]) as store:
            for low in range(0, len(attempts), 3):
                ingest(store, session, Batch(attempts=attempts[low : low + 3]))
            ingest(store, session, Batch(ended=msgspec.json.decode(end, type=SessionEnded)))
    """
    command = [sys.executable, "-c", dedent(program), database_url, str(tmp_path / "story")]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    found = without_letters(dump(store))
    empty(store)
    ingest(store, session, Batch(attempts=attempts, ended=end))
    assert without_letters(dump(store)) == found


def test_sessions_of_one_project_wait_for_each_other(store: Store, database_url: str) -> None:
    """Whoever came first writes first, and who waits too long says so and can try again."""
    with Store(database_url) as other, other.transaction():
        other.lock_project(PROJECT)
        store.connection.execute("SET lock_timeout = '50ms'")
        with pytest.raises(StoreUnreachableError, match="busy"):
            ingest(store, a_session(), Batch(attempts=[an_attempt()]))
        assert ingest(store, a_session(project="other"), Batch(attempts=[an_attempt()])).attempts
    assert ingest(store, a_session(), Batch(attempts=[an_attempt()])).attempts == 1


def test_the_trigger_and_place_of_a_session_are_with_its_executions(store: Store) -> None:
    """Executions can be grouped by them without a join."""
    session = a_session(trigger=Trigger.SCHEDULE, location="ap-south")
    ingest(store, session, Batch(attempts=[an_attempt()]))
    query = "SELECT triggered_by, location, tags FROM workflow_monitor.workflow_executions"
    (row,) = store.connection.execute(query).fetchall()
    assert row == {
        "triggered_by": "schedule",
        "location": "ap-south",
        "tags": ["smoke", "customer"],
    }
