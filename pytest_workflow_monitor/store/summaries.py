"""Executions, steps and metrics summed up by hour and day, so that long windows cost little.

Ingest only notes which hours changed. Their sums are worked out anew from the executions soon after
(by the shipper, the scheduler, or whoever wants to read them), so they are right whatever order,
repetition or correction the executions came in, as long as none of them has been pruned: a record
that comes so late is not counted. An hour and a day are those of UTC, and a run
belongs to the hour in which it started.

Durations are kept as counts of buckets that grow by 1 % each (as DDSketch does: Masson, Rim and
Lee, 2019), so percentiles of any window are known to within half a per cent; see
:class:`~pytest_workflow_monitor.analysis.distribution.Distribution`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.model import Execution

HOURS_AT_ONCE = 2_000
"""How many marks one transaction takes."""

OF_EXECUTIONS = (
    "clear_workflow_hours",
    "sum_workflow_hours",
    "analyze_workflow_hours",
    "clear_workflow_days",
    "sum_workflow_days",
)
OF_DETAILS = (
    "clear_series_hours",
    "sum_series_hours",
    "analyze_series_hours",
    "clear_series_days",
    "sum_series_days",
)


class Summaries(Database):
    """The sums, and what is left to be summed up."""

    def mark_hours(self, project: str, environment: str, executions: Sequence[Execution]) -> None:
        """Note that executions ended."""
        if executions:
            self.write(
                "mark_hours",
                project=project,
                environment=environment,
                workflow_ids=[it.workflow.workflow_id for it in executions],
                starts=[it.started_at for it in executions],
            )

    def mark_hours_of(self, run_ids: Sequence[str]) -> None:
        """Note that executions are about to change, as they are stored now."""
        if run_ids:
            self.run("mark_hours_of_runs", run_ids=list(run_ids))

    def sum_up(self, project: str) -> int:
        """Bring the sums of a project up to date, as it is when this begins.

        What is stored meanwhile is left for the next time: else this would never end where
        sessions are stored all the time.

        Returns:
            How many hours of workflows were summed up anew; 0 if nothing had changed.
        """
        mark = self.fetch_one("newest_mark", project=project)
        newest = mark["newest"] if mark else 0
        done = 0
        while newest and (hours := self._sum_up_some(project, newest)):
            done += hours
        return done

    def _sum_up_some(self, project: str, newest: int) -> int:
        with self.transaction():
            self.fetch("lock_summaries", project=project)
            taken = self.fetch_one(
                "take_outdated_hours", project=project, newest=newest, limit=HOURS_AT_ONCE
            )
            if taken is None or taken["starts"] is None:
                return 0
            pruned = self.fetch_one("pruned_before", project=project) or {}
            self._sum(OF_EXECUTIONS, project, taken, pruned.get("executions"))
            self._sum(OF_DETAILS, project, taken, pruned.get("details"))
        return len(taken["starts"])

    def _sum(
        self,
        statements: Sequence[str],
        project: str,
        taken: Mapping[str, Sequence[Any]],
        pruned_before: datetime | None,
    ) -> None:
        """Sum hours up anew, but for those of which something may have been pruned."""
        kept = [
            index
            for index, starts_at in enumerate(taken["starts"])
            if pruned_before is None or starts_at >= pruned_before
        ]
        if kept:
            hours = {name: [column[it] for it in kept] for name, column in taken.items()}
            for statement in statements:
                self.run(statement, project=project, **hours)
