"""Statements about the outbox: what is due, who sends it, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.store.database import Database
from pytest_workflow_monitor.store.letters import LetterStatus
from pytest_workflow_monitor.store.text import storable_text
from pytest_workflow_monitor.support.pace import REAL, Pace
from pytest_workflow_monitor.words.alerts import DeliveryStatus, Notification

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DIED = "the process that was sending it died"
AT_ONCE = 5_000
"""How many messages of a channel are planned together."""

EARLIER_DAYS = 30

_json = msgspec.json.Encoder().encode


class Settled(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What becomes of a message that is not sent now, and why."""

    notification_id: str
    delivery_status: DeliveryStatus
    not_before: datetime
    reason: str


class Known(Record, frozen=True, kw_only=True):
    """What a channel knows of an incident: was it told, when last, or does a digest wait?"""

    was_told: bool = False
    told_at: datetime | None = None
    is_held: bool = False


class Earlier(Record, frozen=True, kw_only=True):
    """How often a problem had been there in the :data:`EARLIER_DAYS` before, and when last."""

    times: int = 0
    last_opened_at: datetime | None = None


class Outbox(Database):
    """Statements about the messages of the settings' project."""

    project: str = ""
    pace: Pace = REAL

    def clock(self) -> datetime:
        """Return the time of the database: that of the machines that share it may differ.

        It passes at the store's pace.
        """
        now: datetime = self.fetch("clock")[0]["now"]
        return self.pace.at(now)

    def lock_channel(self, channel: str) -> None:
        """Wait for the other transactions that plan what becomes of this channel's messages."""
        self.fetch("lock_channel", project=self.project, channel=channel)

    def due_channels(self, now: datetime, *, held_before: datetime) -> tuple[str, ...]:
        """List the channels that have something to send.

        Args:
            now: The time.
            held_before: News that is held back since then is due as a digest.
        """
        rows = self.fetch("due_channels", project=self.project, now=now, held_before=held_before)
        return tuple(row["channel"] for row in rows)

    def next_due(self, channels: Iterable[str], digest_every: timedelta) -> datetime | None:
        """Tell when some channels will next have something to send; it may be past."""
        row = self.fetch_one(
            "next_due",
            project=self.project,
            channels=list(channels),
            digest_every=digest_every,
        )
        return row["at"] if row else None

    def expire_claims(self, channel: str, now: datetime) -> None:
        """Take messages back from processes that died; that counts as a try."""
        self.run("expire_claims", project=self.project, channel=channel, now=now, reason=DIED)

    def due_messages(self, channel: str, now: datetime) -> tuple[Notification, ...]:
        """Take the messages of a channel whose time has come, oldest first.

        One waits for the earlier ones about the same incident. They are locked until the
        transaction ends.
        """
        return self._notifications("due_messages", channel=channel, now=now, limit=AT_ONCE)

    def held_messages(self, channel: str, now: datetime) -> tuple[Notification, ...]:
        """Take what waits for the next digest of a channel, that held the longest first."""
        return self._notifications("held_messages", channel=channel, now=now)

    def held_news(self, channel: str) -> dict[int, list[str]]:
        """Return the ids of what waits for the digests of a channel, by incident."""
        found: dict[int, list[str]] = defaultdict(list)
        for row in self.fetch("held_news", project=self.project, channel=channel):
            found[row["incident_id"]].append(row["notification_id"])
        return found

    def incidents_on_their_way(self, channel: str, *, or_wait: bool) -> frozenset[int]:
        """Name the incidents that some process is telling a channel of.

        Args:
            channel: The channel.
            or_wait: Name also those about which a message waits for its time.
        """
        rows = self.fetch(
            "incidents_on_their_way", project=self.project, channel=channel, or_wait=or_wait
        )
        return frozenset(row["incident_id"] for row in rows)

    def waiting_messages(
        self, channel: str, incident_ids: Iterable[int]
    ) -> tuple[Notification, ...]:
        """Take what waits in a channel about some incidents, to be tried again or held back."""
        wanted = list(incident_ids)
        if not wanted:
            return ()
        return self._notifications("waiting_messages", channel=channel, incident_ids=wanted)

    def told_together(self, digest_ids: Iterable[str]) -> tuple[Notification, ...]:
        """List the messages whose news some others are to tell."""
        wanted = list(digest_ids)
        return self._notifications("told_together", digest_ids=wanted) if wanted else ()

    def notifications(self, notification_ids: Iterable[str]) -> tuple[Notification, ...]:
        """Read messages by their ids."""
        return self._notifications("notifications", notification_ids=list(notification_ids))

    def what_channel_knows(self, channel: str, incident_ids: Iterable[int]) -> dict[int, Known]:
        """Tell which incidents a channel has been told of."""
        rows = self.fetch("what_channels_know", channel=channel, incident_ids=list(incident_ids))
        return {row.pop("incident_id"): msgspec.convert(row, Known) for row in rows}

    def references(self, channel: str, incident_ids: Iterable[int]) -> dict[int, dict[str, str]]:
        """Return how a channel finds its latest message about each of some incidents."""
        rows = self.fetch("references", channel=channel, incident_ids=list(incident_ids))
        return {row["incident_id"]: row["reference"] for row in rows}

    def count_sent(self, channel: str, now: datetime) -> tuple[int, int]:
        """Count a channel's messages of the last hour and day, those on their way included."""
        row = self.fetch("count_sent", project=self.project, channel=channel, now=now)[0]
        return row["last_hour"], row["last_day"]

    def rest_of_channel(self, channel: str, now: datetime, reason: str) -> datetime | None:
        """Tell until when a channel asked to be left alone, if it did for that reason."""
        row = self.fetch_one(
            "rest_of_channel", project=self.project, channel=channel, now=now, reason=reason
        )
        return row["until"] if row else None

    def claim_messages(
        self, notification_ids: Iterable[str], now: datetime, until: datetime
    ) -> None:
        """Keep messages from others while they are sent."""
        ids = list(notification_ids)
        self.run("claim_messages", notification_ids=ids, now=now, until=until)

    def tell_together(self, digest_id: str, notification_ids: Iterable[str]) -> None:
        """Note which message tells the news of others."""
        ids = list(notification_ids)
        self.run("tell_together", digest_id=digest_id, notification_ids=ids)

    def settle_messages(self, settled: Sequence[Settled], at: datetime) -> None:
        """Hold messages back, put them off or suppress them; that closes their letters."""
        if not settled:
            return
        self.run("settle_messages", rows=_json(settled).decode())
        suppressed = [
            it.notification_id for it in settled if it.delivery_status is DeliveryStatus.SUPPRESSED
        ]
        self._close_letters(suppressed, LetterStatus.FAILED, at)

    def suppress_unknown(
        self, channel: str, *, before: datetime, now: datetime, reason: str
    ) -> tuple[int | None, ...]:
        """Give up what is older than a moment, and return the incident of each message."""
        rows = self.fetch(
            "suppress_unknown",
            project=self.project,
            channel=channel,
            before=before,
            now=now,
            reason=reason,
        )
        self._close_letters((row["notification_id"] for row in rows), LetterStatus.FAILED, now)
        return tuple(row["incident_id"] for row in rows)

    def suppress_held(
        self, notification_ids: Iterable[str], *, now: datetime, reason: str
    ) -> frozenset[int]:
        """Give up what no digest has begun to tell, and return the incidents."""
        wanted = list(notification_ids)
        rows = self.fetch("suppress_held", notification_ids=wanted, reason=reason) if wanted else ()
        self._close_letters((row["notification_id"] for row in rows), LetterStatus.FAILED, now)
        return frozenset(row["incident_id"] for row in rows)

    def note_sent(
        self,
        notification_id: str,
        reference: Mapping[str, str],
        at: datetime,
        *,
        together: Iterable[str] = (),
    ) -> bool:
        """Note that a message was taken, and with it those whose news it told.

        Returns:
            False when that was noted already.
        """
        rows = self.write(
            "note_sent",
            notification_id=notification_id,
            notification_ids=[notification_id, *together],
            reference=_json(reference).decode(),
            at=at,
        )
        self._close_letters((row["notification_id"] for row in rows), LetterStatus.SUCCEEDED, at)
        return bool(rows)

    def try_later(
        self,
        notification_ids: Iterable[str],
        claimed_until: datetime,
        *,
        not_before: datetime,
        error: str,
        reason: str = "",
    ) -> None:
        """Note that a message was not taken, and when it is tried again, if the claim is ours."""
        self.run(
            "try_later",
            notification_ids=list(notification_ids),
            claimed_until=claimed_until,
            not_before=not_before,
            error=storable_text(error),
            reason=reason,
        )

    def release_messages(
        self,
        notification_ids: Iterable[str],
        claimed_until: datetime,
        not_before: datetime,
        reason: str = "",
    ) -> None:
        """Put messages back that were claimed but not tried."""
        self.run(
            "release_messages",
            notification_ids=list(notification_ids),
            claimed_until=claimed_until,
            not_before=not_before,
            reason=reason,
        )

    def give_up(
        self,
        notification_id: str,
        content: bytes,
        *,
        tries: int,
        error: str,
        at: datetime,
        claimed_until: datetime | None = None,
        together: Iterable[str] = (),
    ) -> bool:
        """Stop trying a message and keep it as a dead letter, if the claim is still ours.

        Args:
            notification_id: The message.
            content: What it says, as JSON.
            tries: How often it was tried.
            error: Why it was not taken.
            at: The time.
            claimed_until: Our claim; None for a message that is locked instead.
            together: The messages whose news it tells.
        """
        with self.transaction():
            error = storable_text(error)
            rows = self.fetch(
                "give_up",
                notification_ids=[notification_id, *together],
                claimed_until=claimed_until,
                retry_count=tries,
                error=error,
            )
            if rows:
                self.write(
                    "add_message_letter",
                    notification_id=notification_id,
                    event_hash=blake2b(content, digest_size=16).hexdigest(),
                    event_data=storable_text(content.decode("utf-8", "replace")),
                    reason=error,
                    attempts=tries,
                    at=at,
                )
        return bool(rows)

    def retry_message_letters(self, letter_ids: Iterable[int], at: datetime) -> tuple[str, ...]:
        """Put messages that had been given up into the outbox again, and return their ids."""
        with self.transaction():
            rows = self.fetch("reopen_letters", project=self.project, letter_ids=list(letter_ids))
            found = [row["notification_id"] for row in rows]
            self.run("requeue_messages", notification_ids=found, at=at)
        return tuple(found)

    def earlier_alerts(self, alert_ids: Iterable[int]) -> dict[int, Earlier]:
        """Tell how often the problems of alerts had been there before."""
        rows = self.fetch(
            "earlier_alerts", alert_ids=list(alert_ids), days=timedelta(days=EARLIER_DAYS)
        )
        return {row.pop("alert_id"): msgspec.convert(row, Earlier) for row in rows}

    def _notifications(self, statement: str, **parameters: Any) -> tuple[Notification, ...]:
        rows = self.fetch(statement, project=self.project, **parameters)
        return msgspec.convert(rows, tuple[Notification, ...])

    def _close_letters(
        self, notification_ids: Iterable[str], status: LetterStatus, at: datetime
    ) -> None:
        ids = list(notification_ids)
        if ids:
            self.run("close_message_letters", notification_ids=ids, status=status, at=at)
