"""What the gate asks the database. Real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pytest_workflow_monitor.analysis.gate import OnBase, OnTarget
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Error, Phase, Status
from pytest_workflow_monitor.store import gate
from tests.samples import START, a_session, an_attempt, an_end, run_id

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store

NOW = START + timedelta(days=40)


def error(fingerprint: str) -> Error:
    return Error(phase=Phase.CALL, type="E", message="declined", fingerprint=fingerprint)


def play(store: Store, *attempts: dict[str, Any], hours_ago: float = 1, **session: Any) -> None:
    """Store a session that ended; each attempt is one of ``login`` unless it says else."""
    started_at = NOW - timedelta(hours=hours_ago)
    usual: dict[str, Any] = {"workflow": "login", "started_at": started_at, "steps": ()}
    made = [an_attempt(**(usual | fields)) for fields in attempts]
    ended = an_end(ended_at=started_at + timedelta(minutes=1))
    start = a_session(**({"started_at": started_at, "git_branch": "main"} | session))
    ingest(store, start, Batch(attempts=made, ended=ended))


def asked(store: Store, *, branch: str = "main", environment: str = "production") -> Any:
    """Ask about the workflow ``login``; None when the answer does not have it."""
    found = store.on_base("shop", environment, branch, ["login"], NOW)
    return next((it for it in found if it.workflow_id == "login"), None)


def test_the_base_branch_is_summed_up(store: Store) -> None:
    """Executions, failures, the latest, p95 of passes, and every error that was seen."""
    for n in range(20):
        play(store, {"duration_ms": 100.0 * (n + 1)}, hours_ago=50 - n)
    play(store, {"status": Status.FAILED, "errors": (error("f00d"),)}, hours_ago=9)
    again = run_id()
    play(
        store,
        {
            "run_id": again,
            "status": Status.FAILED,
            "errors": (error("1a7e"), error("second")),
            "will_retry": True,
        },
        {"run_id": again, "number": 2, "status": Status.CRASHED, "will_retry": True},
        {"run_id": again, "number": 3, "status": Status.DEGRADED, "duration_ms": 9e9},
        hours_ago=8,
    )
    play(store, {"status": Status.SKIPPED}, {"status": Status.INTERRUPTED}, hours_ago=7)
    found = asked(store)
    assert found.p95_ms == pytest.approx(1905)
    assert replace(found, p95_ms=None) == OnBase(
        workflow_id="login",
        executions=22,
        failures=1,
        last_status=Status.DEGRADED,
        last_at=NOW - timedelta(hours=8),
        kinds=("1a7e", "crashed", "f00d"),
        passes=20,
    )


@pytest.mark.parametrize(
    "session",
    [
        {"git_branch": "7/merge"},
        {"environment": "staging"},
        {"project": "bank"},
        {"hours_ago": 24 * 31},
        {"hours_ago": -1},
    ],
    ids=["branch", "environment", "project", "too old", "later"],
)
def test_only_the_base_branch_counts(store: Store, session: dict[str, Any]) -> None:
    """In the same project and environment, in the 30 days before."""
    play(store, {}, **session)
    assert asked(store) is None


@pytest.mark.parametrize("written", ["main", "origin/main", "refs/heads/main"])
def test_a_branch_goes_by_several_names(store: Store, written: str) -> None:
    """As CI systems write it."""
    play(store, {}, git_branch=written)
    assert asked(store).executions == 1


def test_a_session_that_runs_does_not_count(store: Store) -> None:
    """Nobody knows yet what it will hold."""
    start = a_session(started_at=NOW - timedelta(hours=1), git_branch="main")
    ingest(store, start, Batch(attempts=[an_attempt(started_at=start.started_at)]))
    assert asked(store) is None


def test_history_is_read_only_as_far_as_it_is_needed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the newest session back, until there is enough; a session is read whole."""
    monkeypatch.setattr(gate, "MINIMUM_SAMPLE", 5)
    monkeypatch.setattr(gate, "SAMPLE", 3)
    for n in range(9):
        play(store, {"status": Status.PASSED}, {"workflow": "order"}, hours_ago=n + 1)
    assert asked(store).executions == 3


def test_the_latest_verdict_elsewhere(store: Store) -> None:
    """With all errors of its attempts; what was skipped or interrupted since says nothing."""
    play(store, {}, hours_ago=30)
    again = run_id()
    play(
        store,
        {
            "run_id": again,
            "status": Status.FAILED,
            "errors": (error("f00d"),),
            "will_retry": True,
        },
        {"run_id": again, "number": 2, "status": Status.TIMED_OUT},
        hours_ago=3,
        git_branch="",
    )
    play(store, {"status": Status.INTERRUPTED}, {"status": Status.SKIPPED}, hours_ago=2)
    play(store, {"workflow": "old"}, hours_ago=24 * 8)
    assert store.on_target("shop", "production", ["login", "old", "unknown"], NOW) == (
        OnTarget(
            workflow_id="login",
            status=Status.TIMED_OUT,
            started_at=NOW - timedelta(hours=3),
            kinds=("f00d", "timed_out"),
        ),
    )
