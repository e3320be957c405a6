"""Wall times become instants, also in the nights when clocks change, as Debian's cron has it.

- An expression whose minute or hour begins with ``*`` is *wild*: it holds at every instant at which
  the clock on the wall shows one of its times. Times that are skipped when clocks go forward do not
  happen, times that are shown twice when clocks go back happen twice.
- Any other expression is a *fixed* time: each of its wall times happens once. One that is skipped
  happens as soon as clocks have gone forward, one that is shown twice the first time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from pytest_workflow_monitor.cron.fields import Fields

_RESOLUTION = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)


class Change(NamedTuple):
    """A change of a zone's clocks.

    Attributes:
        at: The instant.
        start: The first wall time that is skipped, or that is shown again.
        end: The first one after these.
        is_gap: Whether they are skipped.
    """

    at: datetime
    start: datetime
    end: datetime
    is_gap: bool


def next_instant(fields: Fields, zone: ZoneInfo, after: datetime) -> datetime:
    """Return the first instant of an expression after another instant, both in UTC."""
    return (_next_wild if fields.is_wild else _next_fixed)(fields, zone, after)


def previous_instant(fields: Fields, zone: ZoneInfo, before: datetime) -> datetime:
    """Return the last instant of an expression before another instant, both in UTC."""
    return (_previous_wild if fields.is_wild else _previous_fixed)(fields, zone, before)


def change_around(wall: datetime, zone: ZoneInfo) -> Change | None:
    """Return the change that skips a wall time or shows it twice."""
    before, after = _offset(wall, zone, 0), _offset(wall, zone, 1)
    if before == after:
        return None
    whole = wall.replace(microsecond=0, tzinfo=UTC)
    low, high = whole - max(before, after), whole - min(before, after)
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    start, end = (high.replace(tzinfo=None) + it for it in sorted((before, after)))
    return Change(at=high, start=start, end=end, is_gap=before < after)


def _next_fixed(fields: Fields, zone: ZoneInfo, after: datetime) -> datetime:
    wall, is_second, fold = _seen(after, zone)
    start = fold.end if fold and is_second else wall + _RESOLUTION
    named = fields.first_from(start)
    gap = _gap(named, zone)
    return gap.at if gap else _instant(named, zone, 0)


def _previous_fixed(fields: Fields, zone: ZoneInfo, before: datetime) -> datetime:
    wall, is_second, fold = _seen(before, zone)
    named = fields.last_before(fold.end if fold and is_second else wall)
    while gap := _gap(named, zone):
        if gap.at < before:
            return gap.at
        named = fields.last_before(gap.start)
    return _instant(named, zone, 0)


def _next_wild(fields: Fields, zone: ZoneInfo, after: datetime) -> datetime:
    wall, is_second, fold = _seen(after, zone)
    named = fields.first_from(wall + _RESOLUTION)
    if fold and is_second and named < fold.end:
        return _instant(named, zone, 1)
    if fold and not is_second and named >= fold.end:
        again = fields.first_from(fold.start)
        if again < fold.end:
            return _instant(again, zone, 1)
    while gap := _gap(named, zone):
        named = fields.first_from(gap.end)
    return _instant(named, zone, 0)


def _previous_wild(fields: Fields, zone: ZoneInfo, before: datetime) -> datetime:
    wall, is_second, fold = _seen(before, zone)
    named = fields.last_before(wall)
    if fold and not is_second and named >= fold.start:
        return _instant(named, zone, 0)
    if fold and is_second and named < fold.start:
        earlier = fields.last_before(fold.end)
        if earlier >= fold.start:
            return _instant(earlier, zone, 0)
    while gap := _gap(named, zone):
        named = fields.last_before(gap.start)
    return _instant(named, zone, 1)


def _seen(moment: datetime, zone: ZoneInfo) -> tuple[datetime, bool, Change | None]:
    """Return the wall time of an instant; where it is shown twice, whether again, and the change.

    An instant is never in a gap.

    Raises:
        ValueError: The instant is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("an instant without a time zone")
    local = moment.astimezone(zone)
    wall = local.replace(tzinfo=None, fold=0)
    return wall, local.fold == 1, change_around(wall, zone)


def _gap(wall: datetime, zone: ZoneInfo) -> Change | None:
    change = change_around(wall, zone)
    return change if change and change.is_gap else None


def _instant(wall: datetime, zone: ZoneInfo, fold: int) -> datetime:
    return wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _offset(wall: datetime, zone: ZoneInfo, fold: int) -> timedelta:
    return wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta(0)
