"""Questions about how things stand: messages, channels, what waits and what was given up."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.model import Record, Status
from pytest_workflow_monitor.store.database import Database
from pytest_workflow_monitor.words.alerts import Notification

if TYPE_CHECKING:
    from collections.abc import Iterable


class ChannelState(Record, frozen=True, kw_only=True):
    """How a channel does.

    ``waiting`` counts the messages that are to be sent, ``held`` those for the next digest,
    ``failed`` and ``sent`` those of the last day. ``overdue_since`` is since when the oldest
    message could have been sent, ``failed_at`` when one was given up last.
    """

    channel: str
    waiting: int = 0
    held: int = 0
    failed: int = 0
    sent: int = 0
    overdue_since: datetime | None = None
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    last_error: str = ""

    @property
    def refuses(self) -> bool:
        """Whether the last message that was not put off was given up."""
        return self.failed_at is not None and (
            self.sent_at is None or self.sent_at < self.failed_at
        )


class WaitingLetters(Record, frozen=True, kw_only=True):
    """How many dead letters wait: refused records, and messages that no channel took."""

    records: int
    messages: int


class Overview(Database):
    """The questions."""

    def incident_messages(self, incident_ids: Iterable[int]) -> tuple[Notification, ...]:
        """List the messages about incidents, oldest first."""
        rows = self.fetch("incident_messages", incident_ids=list(incident_ids))
        return msgspec.convert(rows, tuple[Notification, ...])

    def channel_states(self, project: str, now: datetime) -> tuple[ChannelState, ...]:
        """Tell how each channel does that had messages lately."""
        rows = self.fetch("channel_states", project=project, now=now)
        return msgspec.convert(rows, tuple[ChannelState, ...])

    def count_letters(self, project: str) -> WaitingLetters:
        """Count the dead letters that wait."""
        return msgspec.convert(self.fetch("count_letters", project=project)[0], WaitingLetters)

    def count_executions(self, project: str, since: datetime) -> dict[Status, int]:
        """Count executions since a moment by their status."""
        rows = self.fetch("count_executions_by_status", project=project, since=since)
        return {Status(row["status"]): row["executions"] for row in rows}

    def hear_again(self, project: str, at: datetime) -> int:
        """Let messages that wait for the end of a silence be looked at again."""
        return self.run("hear_again", project=project, at=at)
