"""What can be asked of the store: one short method per question, answers as records."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.model import (
    Attempt,
    Execution,
    HistoryPoint,
    Record,
    SessionDocument,
    SessionEnded,
    SessionStarted,
    StepNormal,
    Trigger,
)
from pytest_workflow_monitor.store.collector import paused_collector
from pytest_workflow_monitor.store.counters import Counters
from pytest_workflow_monitor.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Sequence

# Lax, because JSON from PostgreSQL holds infinite and undefined numbers as text.
_execution = msgspec.json.Decoder(Execution, strict=False).decode
_history = msgspec.json.Decoder(tuple[HistoryPoint, ...]).decode
_attempt = msgspec.json.Decoder(Attempt).decode
_step_normals = msgspec.json.Decoder(tuple[StepNormal, ...]).decode
_started = msgspec.json.Decoder(SessionStarted).decode
_ended = msgspec.json.Decoder(SessionEnded).decode

NORMAL_RUNS = 30
"""From how many passed executions it is computed what a step usually takes."""


class SessionSummary(Record, frozen=True, kw_only=True):
    """A session as a list shows it; ``executions_failed`` counts everything that is a problem."""

    session_id: str
    project: str
    environment: str
    location: str
    triggered_by: Trigger
    started_at: datetime
    ended_at: datetime | None
    exit_status: int | None
    is_interrupted: bool
    tests_collected: int
    git_commit: str
    git_branch: str
    ci_url: str
    executions_total: int
    executions_passed: int
    executions_degraded: int
    executions_failed: int
    executions_skipped: int
    executions_flaky: int


class Reading(Database):
    """The questions.

    Attributes:
        project: The project that questions are about when they do not say another.
    """

    project: str = ""

    def session_document(self, session_id: str, *, history_length: int = 0) -> SessionDocument:
        """Return a session with its executions and their history.

        Args:
            session_id: A session's id, or ``last`` for the latest one of the project.
            history_length: How many earlier executions of each workflow to add.

        Raises:
            StoreError: There is no such session.
        """
        known = self.last_session_id() if session_id == "last" else _uuid(session_id)
        row = known and self.fetch_one("session", session_id=known)
        if not row:
            what = f"session of {self.project}" if session_id == "last" else f"session {session_id}"
            raise StoreError(f"There is no {what} in {self.location}.")
        executions = self._executions(session_id=known)
        return SessionDocument(
            session=_started(row["started"]),
            ended=_ended(row["ended"]) if row["ended"] else None,
            executions=self.attach_history(executions, history_length),
            has_history=history_length > 0,
        )

    def session(self, session_id: str) -> SessionStarted | None:
        """Return how a session began, or None if there is none."""
        return self.sessions_of([session_id]).get(session_id)

    def sessions_of(self, session_ids: Sequence[str]) -> dict[str, SessionStarted]:
        """Return how sessions began, by id; those that are not there are left out."""
        rows = self.fetch("sessions_of", session_ids=list(session_ids))
        return {row["session_id"]: _started(row["started"]) for row in rows}

    def last_session_id(self, project: str | None = None) -> str | None:
        """Return the id of a project's latest session, or None before the first."""
        row = self.fetch_one("last_session_id", project=project or self.project)
        return row["session_id"] if row else None

    def sessions(self, limit: int, *, project: str | None = None) -> tuple[SessionSummary, ...]:
        """List the latest sessions, newest first; of all projects unless one is given."""
        rows = self.fetch("sessions", limit=limit, project=project)
        return msgspec.convert(rows, tuple[SessionSummary, ...])

    def find_session_ids(self, prefix: str, limit: int = 10) -> tuple[str, ...]:
        """List the sessions whose id begins so, newest first."""
        return self._ids("find_session_ids", prefix, limit)

    def find_run_ids(self, prefix: str, limit: int = 10) -> tuple[str, ...]:
        """List the executions whose id begins so, newest first."""
        return self._ids("find_run_ids", prefix, limit)

    def execution(self, run_id: str) -> Execution | None:
        """Return an execution with everything that belongs to it, or None if there is none."""
        known = _uuid(run_id)
        found = self.executions([known]) if known else ()
        return found[0] if found else None

    def executions(self, run_ids: Sequence[str]) -> tuple[Execution, ...]:
        """Return whole executions, in order of their start; unknown ids are left out."""
        return self._executions(run_ids=list(run_ids))

    def history(
        self,
        workflow_id: str,
        *,
        project: str | None = None,
        environment: str | None = None,
        limit: int = 20,
        before: datetime | None = None,
        since: datetime | None = None,
    ) -> tuple[Execution, ...]:
        """List a workflow's latest executions, newest first, without their attempts.

        Args:
            workflow_id: The workflow.
            project: Whose workflow it is; by default the project of the settings.
            environment: Only this environment; by default all of them.
            limit: How many at most.
            before: Only those that started before this moment.
            since: Only those that started then or later.
        """
        rows = self.fetch(
            "history",
            workflow_id=workflow_id,
            project=project or self.project or None,
            environment=environment,
            limit=limit,
            before=_aware(before),
            since=_aware(since),
        )
        return tuple(_execution(row["document"]) for row in rows)

    def histories(
        self,
        project: str,
        environment: str,
        workflow_ids: Sequence[str],
        before: datetime,
        limit: int,
    ) -> dict[str, tuple[HistoryPoint, ...]]:
        """Return the executions of workflows before a moment, oldest first, by workflow."""
        count = len(workflow_ids)
        found = self._histories(
            [project] * count, list(workflow_ids), [environment] * count, [before] * count, limit
        )
        return dict(zip(workflow_ids, found, strict=True))

    def attach_history(
        self, executions: Sequence[Execution], history_length: int
    ) -> tuple[Execution, ...]:
        """Return executions with what each workflow did before, in the same environment.

        Those that need attention also get the last pass before them to compare with, and what
        their steps usually take.
        """
        if not history_length or not executions:
            return tuple(executions)
        histories = self._histories(**_keys(executions), limit=history_length)
        pairs = zip(executions, histories, strict=True)
        with_history = [replace(execution, history=history) for execution, history in pairs]
        return tuple(self._attach_passes(with_history))

    def _attach_passes(self, executions: Sequence[Execution]) -> list[Execution]:
        needy = [place for place, item in enumerate(executions) if item.needs_attention]
        attached = list(executions)
        if not needy:
            return attached
        keys = _keys([executions[place] for place in needy])
        with paused_collector():
            pictured = [_has_step_pictures(executions[place]) for place in needy]
            for row in self.fetch("last_passed", **keys, pictured=pictured):
                place = needy[row["position"] - 1]
                attached[place] = replace(attached[place], last_passed=_attempt(row["attempt"]))
            for row in self.fetch("normal_steps", **keys, sample_size=NORMAL_RUNS):
                place = needy[row["position"] - 1]
                attached[place] = replace(attached[place], normal_steps=_step_normals(row["steps"]))
        return attached

    def last_statuses(self, project: str, environment: str) -> dict[str, HistoryPoint]:
        """Return the latest execution that ended, by workflow."""
        return {
            counters.workflow_id: HistoryPoint(
                run_id=counters.last_run_id,
                status=counters.last_status,
                started_at=counters.last_run_at,
            )
            for counters in self.job_metrics(project=project, environment=environment)
            if counters.last_run_id and counters.last_status and counters.last_run_at
        }

    def running(self, *, project: str | None = None) -> tuple[Execution, ...]:
        """List the executions that are running now, oldest first, without their attempts."""
        rows = self.fetch("running", project=project)
        return tuple(_execution(row["document"]) for row in rows)

    def job_metrics(
        self,
        *,
        project: str | None = None,
        environment: str | None = None,
        workflow_id: str | None = None,
    ) -> tuple[Counters, ...]:
        """Return the running counters, of everything that the arguments do not narrow."""
        rows = self.fetch(
            "job_metrics", project=project, environment=environment, workflow_id=workflow_id
        )
        return msgspec.convert(rows, tuple[Counters, ...])

    def row_counts(self, tables: Sequence[str] | None = None) -> dict[str, int]:
        """Return how many rows each table has, or some tables have."""
        rows = self.fetch("count_rows", tables=None if tables is None else list(tables))
        return {row["table_name"]: row["row_count"] for row in rows}

    def delete_session(self, session_id: str) -> bool:
        """Remove a session with its executions, and tell whether there was one."""
        return self.run("delete_session", session_id=session_id) > 0

    def delete_execution(self, run_id: str) -> bool:
        """Remove an execution with everything that belongs to it, and tell whether there was."""
        return self.run("delete_execution", run_id=run_id) > 0

    def _executions(
        self, *, run_ids: list[str] | None = None, session_id: str | None = None
    ) -> tuple[Execution, ...]:
        with paused_collector():
            rows = self.fetch("executions", run_ids=run_ids, session_id=session_id)
            found = [_execution(row["document"]) for row in rows]
        return tuple(sorted(found, key=lambda execution: (execution.started_at, execution.run_id)))

    def _histories(
        self,
        projects: list[str],
        workflow_ids: list[str],
        environments: list[str],
        befores: list[datetime],
        limit: int,
    ) -> list[tuple[HistoryPoint, ...]]:
        with paused_collector():
            rows = self.fetch(
                "histories",
                projects=projects,
                workflow_ids=workflow_ids,
                environments=environments,
                befores=[_aware(before) for before in befores],
                limit=limit,
            )
            return [_history(row["history"]) for row in sorted(rows, key=_position)]

    def _ids(self, statement: str, prefix: str, limit: int) -> tuple[str, ...]:
        digits = prefix.replace("-", "").lower()
        low, high = _uuid(digits.ljust(32, "0")), _uuid(digits.ljust(32, "f"))
        if low is None or high is None:
            return ()
        return tuple(row["id"] for row in self.fetch(statement, low=low, high=high, limit=limit))


def _has_step_pictures(execution: Execution) -> bool:
    """Whether there is a picture of a step that one of a pass can stand beside."""
    return any(
        artifact.kind == "screenshot" and artifact.step is not None
        for attempt in execution.attempts
        for artifact in attempt.artifacts
    )


def _keys(executions: Sequence[Execution]) -> dict[str, list[Any]]:
    """Return the parameters by which queries look for what was before executions."""
    return {
        "projects": [execution.project for execution in executions],
        "workflow_ids": [execution.workflow.workflow_id for execution in executions],
        "environments": [execution.environment for execution in executions],
        "befores": [execution.started_at for execution in executions],
    }


def _position(row: dict[str, Any]) -> int:
    position: int = row["position"]
    return position


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _aware(moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise ValueError(f"The moment {moment} needs a time zone.")
    return moment
