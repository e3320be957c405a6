"""Statements about the files of artifacts: what waits to be copied, and what may expire."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from pytest_workflow_monitor.model import Record, Status
from pytest_workflow_monitor.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Sequence


class Expirable(Record, frozen=True, kw_only=True):
    """An artifact that nothing protects from expiring.

    ``reason`` tells what it is evidence of: a ``pass``, a ``repeat`` of a failure whose first
    evidence is kept, or something ``other``. ``users`` counts the artifacts that share its file.
    """

    run_id: str
    attempt: int
    artifact_index: int
    artifact_name: str
    path: str
    size_bytes: int
    workflow_id: str
    environment: str
    status: Status
    started_at: datetime
    reason: Literal["pass", "repeat", "other"]
    users: int


class Artifacts(Database):
    """Statements about artifacts of the settings' project."""

    project: str = ""

    def waiting_uploads(self, limit: int) -> tuple[str, ...]:
        """List the paths that have not been copied elsewhere yet, the oldest first."""
        rows = self.fetch("waiting_uploads", project=self.project, limit=limit)
        return tuple(row["path"] for row in rows)

    def note_uploaded(self, paths: Sequence[str]) -> None:
        """Note that files have been copied."""
        self.run("note_uploaded", paths=list(paths))

    def expirable_artifacts(self) -> tuple[Expirable, ...]:
        """List what may expire, in the order in which it should go."""
        rows = self.fetch("expirable_artifacts", project=self.project)
        return msgspec.convert(rows, tuple[Expirable, ...])

    def kept_files(self) -> tuple[int, int]:
        """Return how many files the project keeps, and their bytes together."""
        row = self.fetch("kept_bytes", project=self.project)[0]
        return row["files"], row["size_bytes"]

    def expire_artifacts(self, artifacts: Sequence[Expirable]) -> tuple[str, ...]:
        """Note that artifacts have expired; return the paths that nothing needs any more."""
        with self.transaction():
            self.run(
                "expire_artifacts",
                run_ids=[each.run_id for each in artifacts],
                attempts=[each.attempt for each in artifacts],
                indexes=[each.artifact_index for each in artifacts],
            )
            return self.unused_paths(sorted({each.path for each in artifacts}))

    def unused_paths(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Of some paths, return those that no artifact of any project needs any more."""
        rows = self.fetch("unused_paths", paths=list(paths))
        return tuple(row["path"] for row in rows)
