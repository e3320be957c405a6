"""Periods that reports are about: hours, days, weeks and months of a zone, or any two instants.

A day is the zone's calendar day, 23 or 25 hours long when its clocks change; a week begins on
Monday.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pytest_workflow_monitor.model import Record


class PeriodKind(StrEnum):
    """How long a report looks back."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    CUSTOM = "custom"


class Period(Record, frozen=True, kw_only=True):
    """From ``start`` (included) to ``end`` (not included), in UTC; its days are of ``timezone``."""

    kind: PeriodKind
    start: datetime
    end: datetime
    timezone: str = "UTC"

    @property
    def zone(self) -> ZoneInfo:
        """The zone that days and hours are shown in."""
        return ZoneInfo(self.timezone)

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start

    def before(self) -> Period:
        """Return the period of the same kind right before; of a custom one, as long."""
        if self.kind is PeriodKind.CUSTOM:
            return Period(
                kind=self.kind,
                start=self.start - self.length,
                end=self.start,
                timezone=self.timezone,
            )
        return last_period(self.kind, self.start, self.timezone)

    def week_before(self) -> Period | None:
        """Return the same hour or day one week earlier; None for longer periods."""
        if self.kind not in {PeriodKind.HOURLY, PeriodKind.DAILY}:
            return None
        return Period(
            kind=self.kind,
            start=_week_before(self.kind, self.start, self.zone),
            end=_week_before(self.kind, self.end, self.zone),
            timezone=self.timezone,
        )


def last_period(kind: PeriodKind, now: datetime, timezone: str = "UTC") -> Period:
    """Return the latest hour, day, week or month of a zone that is over.

    Raises:
        ValueError: The kind is custom: that has no calendar.
    """
    zone = ZoneInfo(timezone)
    end = _floor(kind, now, zone)
    if kind is PeriodKind.HOURLY:
        start = end - timedelta(hours=1)
    else:
        start = _floor(kind, end - timedelta(hours=1), zone)
    return Period(kind=kind, start=start, end=end, timezone=timezone)


def _floor(kind: PeriodKind, moment: datetime, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    if kind is PeriodKind.HOURLY:
        into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return moment.astimezone(UTC) - into
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if kind is PeriodKind.WEEKLY:
        midnight -= timedelta(days=midnight.weekday())
    elif kind is PeriodKind.MONTHLY:
        midnight = midnight.replace(day=1)
    elif kind is PeriodKind.CUSTOM:
        raise ValueError("a custom period has no calendar")
    return midnight.astimezone(UTC)


def _week_before(kind: PeriodKind, moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the same border a week earlier; a day may begin at 1:00, where midnight is skipped."""
    shifted = (moment.astimezone(zone) - timedelta(days=7)).astimezone(UTC)
    return _floor(kind, shifted, zone) if kind is PeriodKind.DAILY else shifted
