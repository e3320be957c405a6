"""Stored executions as a stream, so that any number of them can be played again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from psycopg.rows import tuple_row

from pytest_workflow_monitor.model import Status, Workflow
from pytest_workflow_monitor.store import failures
from pytest_workflow_monitor.store.database import Database
from pytest_workflow_monitor.store.queries import SQL
from pytest_workflow_monitor.words.alerts import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

AT_ONCE = 5_000
"""How many executions are fetched together."""

_STATUSES = {status.value: status for status in Status}
_workflow = msgspec.json.Decoder(Workflow).decode


class Played(NamedTuple):
    """An execution, and whose it is."""

    workflow_id: str
    environment: str
    result: Result


class Backtest(Database):
    """Statements about what is played again."""

    def played_workflows(
        self, project: str, workflows: Sequence[str] | None = None
    ) -> dict[str, Workflow]:
        """Return workflows as they were defined last, by id."""
        rows = self.fetch("played_workflows", project=project, workflows=_list(workflows))
        found = [_workflow(row["definition"]) for row in rows]
        return {it.workflow_id: it for it in found}

    def played_results(
        self,
        project: str,
        *,
        since: datetime,
        until: datetime,
        environment: str | None = None,
        workflows: Sequence[str] | None = None,
    ) -> Iterator[Played]:
        """Read executions that ended: workflow by workflow, in each environment oldest first.

        A few thousand are in memory at a time. Has to be used inside a transaction.

        Args:
            project: Whose executions.
            since: Those that began from then on.
            until: And before that.
            environment: Only in this environment; by default in all.
            workflows: Only of workflows that fit these patterns of SQL's LIKE.
        """
        parameters: dict[str, Any] = {
            "project": project,
            "since": since,
            "until": until,
            "environment": environment,
            "workflows": _list(workflows),
        }
        with (
            failures.translated(self.location),
            self.connection.cursor("played", row_factory=tuple_row) as cursor,
        ):
            cursor.execute(SQL["played_results"], parameters, binary=True)
            while rows := cursor.fetchmany(AT_ONCE):
                for row in rows:
                    yield _played(*row)


def _played(
    workflow_id: str,
    environment: str,
    run_id: str,
    status: str,
    started_at: datetime,
    completed_at: datetime,
    is_flaky: bool,  # noqa: FBT001 - a row's columns, in their order
    fingerprint: str,
) -> Played:
    return Played(
        workflow_id,
        environment,
        Result(
            run_id=run_id,
            status=_STATUSES[status],
            started_at=started_at,
            completed_at=completed_at,
            is_flaky=is_flaky,
            fingerprint=fingerprint,
        ),
    )


def _list(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)
