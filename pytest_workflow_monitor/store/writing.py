"""How ingest writes: statements and COPY, each method one of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.store import rows
from pytest_workflow_monitor.store.counters import Counters, Outcome
from pytest_workflow_monitor.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.model import Attempt, SessionEnded, SessionStarted
    from pytest_workflow_monitor.store.definitions import Definition

_json = msgspec.json.encode


@dataclass(frozen=True, kw_only=True)
class KnownRun:
    """What the store already has of an execution; ``attempts`` are their numbers."""

    outcome: Outcome
    attempts: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class KnownWorkflow:
    """The latest version of a workflow, and when the session began that brought it."""

    definition_hash: str
    defined_at: datetime


class Writing(Database):
    """The statements of ingest."""

    def lock_project(self, project: str) -> None:
        """Wait for the other transactions that write this project's executions."""
        self.fetch("lock_project", project=project)

    def begin_session(self, session: SessionStarted) -> datetime | None:
        """Add and lock a session, and return when it ended if that is known."""
        found = self.write(
            "begin_session",
            session_id=session.session_id,
            project=session.project,
            environment=session.environment,
            location=session.location,
            triggered_by=session.trigger.value,
            started_at=session.started_at,
            host=session.host,
            pid=session.pid,
            rootdir=session.rootdir,
            arguments=_json(session.arguments).decode(),
            git_commit=session.git_commit,
            git_branch=session.git_branch,
            ci_name=session.ci_name,
            ci_url=session.ci_url,
            versions=_json(session.versions).decode(),
            journal_version=session.journal_version,
        )
        ended_at: datetime | None = found[0]["ended_at"]
        return ended_at

    def end_session(self, session_id: str, ended: SessionEnded) -> None:
        """Note how a session ended."""
        self.write(
            "end_session",
            session_id=session_id,
            ended_at=ended.ended_at,
            exit_status=ended.exit_status,
            tests_collected=ended.tests_collected,
            is_interrupted=ended.interrupted,
        )

    def count_session(self, session_id: str) -> None:
        """Bring a session's totals up to date."""
        self.run("count_session", session_id=session_id)

    def known_runs(self, run_ids: Iterable[str]) -> dict[str, KnownRun]:
        """Return what is there of some executions, by run id."""
        found = self.write("known_runs", run_ids=list(run_ids))
        return {row["run_id"]: _known_run(row) for row in found}

    def running_runs(self, session_id: str) -> tuple[str, ...]:
        """Return the executions of a session that have not ended."""
        return tuple(row["run_id"] for row in self.fetch("running_runs", session_id=session_id))

    def known_workflows(
        self, project: str, workflow_ids: Iterable[str]
    ) -> dict[str, KnownWorkflow]:
        """Return what is there of some workflows, by workflow id."""
        found = self.write("known_workflows", project=project, workflow_ids=list(workflow_ids))
        return {
            row["workflow_id"]: KnownWorkflow(
                definition_hash=row["definition_hash"].hex, defined_at=row["defined_at"]
            )
            for row in found
        }

    def known_versions(
        self, project: str, asked: Sequence[Definition]
    ) -> frozenset[tuple[str, str]]:
        """Return which of some versions are there, as workflow ids and hashes."""
        if not asked:
            return frozenset()
        found = self.fetch(
            "known_versions",
            project=project,
            workflow_ids=[it.workflow.workflow_id for it in asked],
            hashes=[it.hash for it in asked],
        )
        return frozenset((row["workflow_id"], row["definition_hash"].hex) for row in found)

    def add_workflows(self, session: SessionStarted, new: Sequence[Definition]) -> None:
        """Add workflows that are not there."""
        self._copy("copy_workflows", rows.WORKFLOW, (rows.workflow_row(session, it) for it in new))

    def add_versions(self, session: SessionStarted, new: Sequence[Definition]) -> None:
        """Add versions of workflows that are not there."""
        self._copy("copy_versions", rows.VERSION, (rows.version_row(session, it) for it in new))

    def replace_workflows(self, session: SessionStarted, changed: Sequence[Definition]) -> None:
        """Make definitions the latest ones of their workflows."""
        table = [rows.workflow_row(session, it) for it in changed]
        self._update("update_workflows", rows.WORKFLOW, table)

    def add_executions(self, table: Sequence[rows.Row]) -> None:
        """Add executions that are not there."""
        self._copy("copy_executions", rows.EXECUTION, table)

    def replace_executions(self, table: Sequence[rows.Row]) -> None:
        """Write anew what is derived from executions' attempts."""
        self._update("update_executions", rows.EXECUTION, table)

    def add_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Add attempts that are not there, with all that belongs to them."""
        self._copy("copy_attempts", rows.ATTEMPT, map(rows.attempt_row, attempts))
        for statement, columns, rows_of in _PARTS:
            self._copy(statement, columns, chain.from_iterable(map(rows_of, attempts)))

    def known_counters(
        self, project: str, environment: str, workflow_ids: Iterable[str]
    ) -> dict[str, Counters]:
        """Return the counters of some workflows that have them, by workflow id."""
        found = self.fetch(
            "known_counters",
            project=project,
            environment=environment,
            workflow_ids=list(workflow_ids),
        )
        return {
            row["workflow_id"]: msgspec.convert(
                row | {"project": project, "environment": environment}, Counters
            )
            for row in found
        }

    def add_counters(self, new: Sequence[Counters]) -> None:
        """Add counters that are not there."""
        self._copy("copy_counters", rows.COUNTER, (rows.counter_row(it) for it in new))

    def replace_counters(self, changed: Sequence[Counters]) -> None:
        """Replace counters."""
        self._update("update_counters", rows.COUNTER, [rows.counter_row(it) for it in changed])

    def recount_last(
        self, project: str, environment: str, workflow_ids: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Work the ``last_*`` fields of counters out anew, by workflow id."""
        found = self.fetch(
            "recount_last",
            project=project,
            environment=environment,
            workflow_ids=list(workflow_ids),
        )
        return {row.pop("workflow_id"): row for row in found}

    def _copy(self, statement: str, columns: rows.Columns, table: Iterable[rows.Row]) -> None:
        """Copy rows while they are being made: PostgreSQL takes some as we make others."""
        iterator = iter(table)
        first = next(iterator, None)
        if first is not None:
            self.copy(statement, columns.types, chain((first,), iterator))

    def _update(self, statement: str, columns: rows.Columns, table: Sequence[rows.Row]) -> None:
        if table:
            self.write(statement, rows=columns.as_json(table))


def _known_run(row: dict[str, Any]) -> KnownRun:
    return KnownRun(
        outcome=Outcome(
            run_id=row["run_id"],
            workflow_id=row["workflow_id"],
            status=Status(row["status"]),
            started_at=row["started_at"],
            duration_ms=row["duration_ms"],
            is_flaky=row["is_flaky"],
        ),
        attempts=frozenset(row["attempts"]),
    )


_PARTS = (
    ("copy_steps", rows.STEP, rows.step_rows),
    ("copy_metrics", rows.METRIC, rows.metric_rows),
    ("copy_artifacts", rows.ARTIFACT, rows.artifact_rows),
)
