"""The dead letters: records that PostgreSQL refused and messages that no channel took."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Sequence


class LetterStatus(StrEnum):
    """What became of a dead letter: it waits, is tried again, came through, or was given up."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class DeadLetter(Record, frozen=True, kw_only=True):
    """What could not be delivered: a record to the database, or a message to its channel.

    ``event_data`` is the record's line of the journal, or the message as JSON. Either
    ``session_id`` or ``notification_id`` is given.
    """

    letter_id: int
    session_id: str | None
    notification_id: str | None
    event_data: str
    reason: str
    status: LetterStatus
    attempts: int
    created_at: datetime
    last_attempt_at: datetime
    processed_at: datetime | None


class Letters(Database):
    """Statements about dead letters."""

    def add_letter(self, session_id: str, line: bytes, reason: str) -> bool:
        """Keep a refused record, and tell whether it is new here."""
        rows = self.fetch(
            "add_letter",
            session_id=session_id,
            event_hash=blake2b(line, digest_size=16).hexdigest(),
            event_data=line.decode("utf-8", "replace").replace("\0", "\ufffd"),
            reason=reason.replace("\0", "\ufffd"),
        )
        return bool(rows[0]["is_new"])

    def letters(
        self,
        *,
        status: LetterStatus | None = None,
        letter_ids: Sequence[int] | None = None,
        limit: int | None = None,
    ) -> tuple[DeadLetter, ...]:
        """List dead letters, newest first."""
        ids = None if letter_ids is None else list(letter_ids)
        rows = self.fetch("letters", status=status, letter_ids=ids, limit=limit)
        return msgspec.convert(rows, tuple[DeadLetter, ...])

    def close_letter(self, letter_id: int) -> None:
        """Note that a letter was stored after all."""
        self.run("close_letter", letter_id=letter_id)

    def drop_letters(self, letter_ids: Sequence[int]) -> int:
        """Give up letters that wait, and return how many did."""
        return self.run("drop_letters", letter_ids=list(letter_ids))
