"""What service levels ask of executions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import Key
from pytest_workflow_monitor.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime


class ServiceLevels(Database):
    """The questions."""

    def first_days(self, project: str, workflow_ids: Collection[str]) -> dict[Key, datetime]:
        """Tell when the first day of each workflow began, by environment; sums are up to date."""
        rows = self.fetch("slo_first_days", project=project, workflow_ids=list(workflow_ids))
        return {
            Key(environment=row["environment"], workflow_id=row["workflow_id"]): row["since"]
            for row in rows
        }

    def recent_verdicts(
        self, project: str, workflow_ids: Collection[str], start: datetime, end: datetime
    ) -> dict[Key, list[tuple[datetime, bool, bool]]]:
        """Read the executions of a window: when, whether it went well, and whether at once."""
        rows = self.fetch(
            "slo_recent", project=project, workflow_ids=list(workflow_ids), start=start, end=end
        )
        found: dict[Key, list[tuple[datetime, bool, bool]]] = {}
        for row in rows:
            key = Key(environment=row["environment"], workflow_id=row["workflow_id"])
            at_once = row["is_good"] and not row["is_flaky"]
            found.setdefault(key, []).append((row["at"], row["is_good"], at_once))
        return found

    def failures_of(
        self, project: str, key: Key, start: datetime, end: datetime, *, first: bool
    ) -> list[tuple[datetime, datetime | None]]:
        """Read when a workflow went wrong in a window, and when it was executed next."""
        rows = self.fetch(
            "slo_failures",
            project=project,
            workflow_id=key.workflow_id,
            environment=key.environment,
            start=start,
            end=end,
            first=first,
        )
        return [(row["at"], row["next_at"]) for row in rows]
