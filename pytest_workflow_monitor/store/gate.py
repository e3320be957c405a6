"""Questions of the gate: what the base branch does, and what already fails elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.analysis.gate import OnBase, OnTarget
from pytest_workflow_monitor.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

SAMPLE = 50
"""How many executions of each workflow are gathered, about."""

MINIMUM_SAMPLE = 1_000
"""How many are gathered at least: reading them costs nothing to speak of."""

BRANCH_FORMS = ("{}", "origin/{}", "refs/heads/{}")
"""How CI systems write the name of one branch."""


class Gate(Database):
    """The questions."""

    def on_base(
        self,
        project: str,
        environment: str,
        branch: str,
        workflow_ids: Sequence[str],
        before: datetime,
    ) -> tuple[OnBase, ...]:
        """Tell what a branch's sessions of the 30 days before a moment say, newest first.

        Sessions are read until they hold some 50 executions for each workflow. The answer holds
        every workflow of theirs; the errors only of those asked about.
        """
        rows = self.fetch(
            "gate_base",
            project=project,
            environment=environment,
            branches=[form.format(branch) for form in BRANCH_FORMS],
            workflow_ids=list(workflow_ids),
            before=before,
            enough=max(MINIMUM_SAMPLE, SAMPLE * len(workflow_ids)),
        )
        return msgspec.convert(rows, tuple[OnBase, ...])

    def on_target(
        self, project: str, environment: str, workflow_ids: Sequence[str], before: datetime
    ) -> tuple[OnTarget, ...]:
        """Return the latest execution of workflows in an environment within a week."""
        rows = self.fetch(
            "gate_target",
            project=project,
            environment=environment,
            workflow_ids=list(workflow_ids),
            before=before,
        )
        return msgspec.convert(rows, tuple[OnTarget, ...])
