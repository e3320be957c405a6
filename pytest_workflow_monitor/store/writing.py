"""How ingest writes: statements and COPY, each method one of them."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.analysis.suspicion import (
    LEAST_SAMPLE,
    SAMPLE_SIZE,
    TIMES_QUICKER,
    Pass,
    counted_steps,
)
from pytest_workflow_monitor.model import Record, Status
from pytest_workflow_monitor.store import rows
from pytest_workflow_monitor.store.database import Database
from pytest_workflow_monitor.store.definitions import Definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.model import Attempt, Execution, SessionEnded, SessionStarted

_json = msgspec.json.encode
_pass = msgspec.json.Decoder(Pass).decode


class KnownRun(Record, frozen=True, kw_only=True):
    """What the store already has of an execution; ``attempts`` are their numbers."""

    status: Status
    attempts: frozenset[int]


class Outdated(Record, frozen=True, kw_only=True):
    """A definition that is not the latest one of its workflow.

    Attributes:
        definition: The definition that was asked for.
        defined_at: When the session began that brought the latest one; None if there is none.
        is_stored: Whether it is there as a version.
    """

    definition: Definition
    defined_at: datetime | None
    is_stored: bool


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
            notifies=session.notifies,
            slot_at=session.slot_at,
            lateness_seconds=session.lateness_seconds,
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

    def known_runs(self, session_id: str, run_ids: Iterable[str]) -> dict[str, KnownRun]:
        """Return what is there of some executions of a session, by run id."""
        found = self.write("known_runs", session_id=session_id, run_ids=_uuids(run_ids))
        return {
            row["run_id"]: KnownRun(
                status=Status(row["status"]), attempts=frozenset(row["attempts"])
            )
            for row in found
        }

    def running_runs(self, session_id: str) -> tuple[str, ...]:
        """Return the executions of a session that have not ended."""
        return tuple(row["run_id"] for row in self.fetch("running_runs", session_id=session_id))

    def doubtful(
        self, project: str, environment: str, passes: Sequence[Execution]
    ) -> tuple[Execution, ...]:
        """Return the passes that are worth comparing with those before them.

        Those have fewer steps than the fullest, or took less than a third of the quickest, of the
        last ten of their workflow. Few are left, at a small part of what comparing all would cost.
        """
        found = self.write(
            "doubtful_passes",
            project=project,
            environment=environment,
            workflow_ids=[it.workflow.workflow_id for it in passes],
            starts=[it.started_at for it in passes],
            steps=[len(counted_steps(it.attempts[-1].steps)) for it in passes],
            durations=[it.duration_ms for it in passes],
            sample_size=LEAST_SAMPLE,
            times_quicker=TIMES_QUICKER,
        )
        return tuple(passes[row["position"] - 1] for row in found)

    def earlier_passes(
        self, project: str, environment: str, passes: Sequence[Execution]
    ) -> list[list[Pass]]:
        """Return the last passes before each of some, of the same workflow."""
        found = self.write(
            "earlier_passes",
            project=project,
            environment=environment,
            workflow_ids=[it.workflow.workflow_id for it in passes],
            starts=[it.started_at for it in passes],
            sample_size=SAMPLE_SIZE,
        )
        earlier: list[list[Pass]] = [[] for _ in passes]
        for row in found:
            earlier[row["position"] - 1].append(_pass(row["pass"]))
        return earlier

    def outdated(self, project: str, asked: Sequence[Definition]) -> tuple[Outdated, ...]:
        """Return those of some definitions that are not the latest ones."""
        found = self.write(
            "outdated_definitions",
            project=project,
            workflow_ids=[it.workflow.workflow_id for it in asked],
            hashes=_uuids(it.hash for it in asked),
        )
        return tuple(
            Outdated(
                definition=asked[row["position"] - 1],
                defined_at=row["defined_at"],
                is_stored=row["is_stored"],
            )
            for row in found
        )

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

    def add_executions(self, table: Iterable[rows.Row]) -> None:
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

    def uncount(self, project: str, environment: str, run_ids: Sequence[str]) -> frozenset[str]:
        """Take executions back from the counters, before they change.

        Returns:
            The workflows whose ``last_*`` counters have to be worked out anew afterwards.
        """
        return self._count("uncount_executions", project, environment, run_ids)

    def count(self, project: str, environment: str, run_ids: Sequence[str]) -> frozenset[str]:
        """Count executions that ended.

        Returns:
            The workflows whose ``last_*`` counters have to be worked out anew, because one of the
            executions began before one that has been counted.
        """
        return self._count("count_executions", project, environment, run_ids)

    def recount_last(self, project: str, environment: str, workflow_ids: Iterable[str]) -> None:
        """Work the ``last_*`` counters of workflows out anew from their executions."""
        self.run(
            "recount_last",
            project=project,
            environment=environment,
            workflow_ids=list(workflow_ids),
        )

    def _count(
        self, statement: str, project: str, environment: str, run_ids: Sequence[str]
    ) -> frozenset[str]:
        if not run_ids:
            return frozenset()
        found = self.write(
            statement, project=project, environment=environment, run_ids=_uuids(run_ids)
        )
        return frozenset(row["workflow_id"] for row in found)

    def _copy(self, statement: str, columns: rows.Columns, table: Iterable[rows.Row]) -> None:
        """Copy rows while they are being made: PostgreSQL takes some as we make others."""
        iterator = iter(table)
        first = next(iterator, None)
        if first is not None:
            self.copy(statement, columns.types, chain((first,), iterator))

    def _update(self, statement: str, columns: rows.Columns, table: Sequence[rows.Row]) -> None:
        if table:
            self.write(statement, rows=columns.as_json(table))


def _uuids(texts: Iterable[str]) -> str:
    """Return an array as PostgreSQL writes it, at a tenth of what psycopg takes for a list."""
    quoted = ",".join(f'"{text}"' for text in texts)
    return f"{{{quoted}}}"


_PARTS = (
    ("copy_steps", rows.STEP, rows.step_rows),
    ("copy_metrics", rows.METRIC, rows.metric_rows),
    ("copy_artifacts", rows.ARTIFACT, rows.artifact_rows),
)
