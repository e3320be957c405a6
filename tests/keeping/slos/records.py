"""Executions to count: which workflow went how, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Status
from tests.samples import a_session, a_workflow, an_attempt, an_end, run_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pytest_workflow_monitor.model import Attempt
    from pytest_workflow_monitor.store import Store


def execution(
    workflow_id: str,
    at: datetime,
    status: Status = Status.PASSED,
    *,
    is_flaky: bool = False,
    **workflow: Any,
) -> list[Attempt]:
    """The attempts of an execution; a flaky one failed first."""
    fields: dict[str, Any] = {"run_id": run_id(), "started_at": at, "steps": ()}
    tested = a_workflow(workflow_id, **workflow)
    if not is_flaky:
        return [an_attempt(tested, status=status, **fields)]
    return [
        an_attempt(tested, status=Status.FAILED, will_retry=True, **fields),
        an_attempt(tested, status=status, number=2, **fields),
    ]


def record(
    store: Store, executions: Iterable[list[Attempt]], environment: str = "production"
) -> None:
    """Store executions as one session that tells nobody."""
    attempts = [it for attempts in executions for it in attempts]
    session = a_session(environment=environment, started_at=attempts[0].started_at)
    ended = an_end(ended_at=max(it.started_at for it in attempts))
    ingest(store, session, Batch(attempts=attempts, ended=ended))
