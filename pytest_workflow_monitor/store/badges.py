"""The question of a badge: how workflows did lately, and how they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.analysis.badges import Score
from pytest_workflow_monitor.store.database import Database

if TYPE_CHECKING:
    from datetime import datetime


class Badges(Database):
    """The question."""

    def scores(self, project: str, environment: str, since: datetime) -> tuple[Score, ...]:
        """Tell how the workflows did that had a verdict since the hour of a moment.

        What was not summed up yet is not counted.
        """
        rows = self.fetch("badge_states", project=project, environment=environment, since=since)
        return msgspec.convert(rows, tuple[Score, ...])
