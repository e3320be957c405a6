"""Intervals, the alternative to cron: every so many seconds, counted from the epoch.

A workflow's times are ``offset + n × every`` seconds after 1970-01-01 00:00 UTC. The offset is the
CRC-32 of the workflow's id in UTF-8, modulo the interval: the same on every machine and after every
restart, and different enough that workflows of one interval do not all start at once.
"""

from __future__ import annotations

from binascii import crc32
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def next_beat(every_seconds: int, after: datetime, workflow_id: str) -> datetime:
    """Return the first instant of a workflow's interval after another instant."""
    whole = (after - EPOCH) // _SECOND
    offset = offset_of(every_seconds, workflow_id)
    return _beat(every_seconds, offset, (whole - offset) // every_seconds + 1)


def previous_beat(every_seconds: int, before: datetime, workflow_id: str) -> datetime:
    """Return the last instant of a workflow's interval before another instant."""
    rounded_up = -((EPOCH - before) // _SECOND)
    offset = offset_of(every_seconds, workflow_id)
    return _beat(every_seconds, offset, (rounded_up - offset - 1) // every_seconds)


def offset_of(every_seconds: int, workflow_id: str) -> int:
    """Return how many seconds after the epoch a workflow's interval began."""
    return crc32(workflow_id.encode("utf-8", "surrogatepass")) % every_seconds


def _beat(every_seconds: int, offset: int, number: int) -> datetime:
    return EPOCH + timedelta(seconds=offset + number * every_seconds)
