"""Statements about what was deployed when, as people and pipelines note it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.store.database import Database


class NewDeployment(Record, frozen=True, kw_only=True):
    """Something that was deployed to an environment, and who says so."""

    environment: str
    deployed_at: datetime
    name: str
    git_commit: str = ""
    url: str = ""
    noted_by: str


class NotedDeployment(NewDeployment, frozen=True, kw_only=True):
    """A row of ``deployments``."""

    deployment_id: int


class Deployments(Database):
    """The statements."""

    def add_deployment(self, project: str, deployment: NewDeployment) -> int:
        """Note a deployment and return its id."""
        (row,) = self.fetch("add_deployment", project=project, **msgspec.structs.asdict(deployment))
        return int(row["deployment_id"])

    def noted_deployments(
        self, project: str, limit: int, *, environment: str | None = None
    ) -> tuple[NotedDeployment, ...]:
        """List the latest deployments, the newest first, of all environments or one."""
        rows = self.fetch(
            "noted_deployments", project=project, environment=environment, limit=limit
        )
        return msgspec.convert(rows, tuple[NotedDeployment, ...])
