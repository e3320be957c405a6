"""A message on its way: what it tells, whose it is, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.notify.composing import News

if TYPE_CHECKING:
    from pytest_workflow_monitor.words.alerts import Notification


class Parcel(Record, frozen=True, kw_only=True):
    """A message that this process has claimed.

    Attributes:
        news: What it has to tell.
        claimed_until: Until when nobody else takes it.
        reference: How the channel finds its latest message about the same incident.
        replaces: What is held back about the same incidents: when this is taken, it is told.
    """

    news: News
    claimed_until: datetime
    reference: dict[str, str]
    replaces: tuple[str, ...] = ()

    @property
    def notification(self) -> Notification:
        """Its row in the outbox."""
        return self.news.notification

    @property
    def together(self) -> list[str]:
        """The rows whose news it tells."""
        return [it.notification_id for it in self.news.together]

    @property
    def ids(self) -> list[str]:
        """Its row and those whose news it tells."""
        return [self.notification.notification_id, *self.together]
