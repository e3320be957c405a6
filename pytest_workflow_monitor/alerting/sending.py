"""What becomes of a message that is due: it is sent, waits, joins a digest, or is given up.

A channel's messages are decided together, because limits and digests concern all of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pytest_workflow_monitor.alerting.matching import alert_facts, matches
from pytest_workflow_monitor.model import Priority, Record
from pytest_workflow_monitor.settings.alert_rules import Match
from pytest_workflow_monitor.words.alerts import (
    Alert,
    AlertStatus,
    Notification,
    NotificationKind,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.words.alerts import Silence

BURST = 5
"""More openings, or resolutions, than this that are due at once become one message."""

UNACKNOWLEDGED_ONLY = frozenset({NotificationKind.REMINDER, NotificationKind.ESCALATION})
FREE = frozenset({NotificationKind.RESOLVED, NotificationKind.ACKNOWLEDGED})
UNLIMITED = FREE | {NotificationKind.SUMMARY}
"""Kinds that no limit holds back."""

NOT_TOLD = "its opening was not told"
TOLD_SINCE = "another message has told of it since"
RESOLVED_BEFORE = "resolved before it was told"
THROTTLED = "the channel's limit is reached"


class Window(Record, frozen=True, kw_only=True):
    """A maintenance window that is open now, until when."""

    name: str
    match: Match
    until: datetime


class Quiet(Record, frozen=True, kw_only=True):
    """Why nobody is to be told now, and when to look again."""

    reason: str
    until: datetime


class Due(Record, frozen=True, kw_only=True):
    """A message whose time has come, with the incident's alerts as they are now.

    ``was_told`` says whether the channel has heard of the incident before, ``told_at`` when it last
    did, ``is_held`` whether that news still waits for a digest.
    """

    notification: Notification
    alerts: tuple[Alert, ...]
    was_told: bool = False
    told_at: datetime | None = None
    is_held: bool = False


class Verdict(Record, frozen=True, kw_only=True):
    """What becomes of one message: exactly one of the four.

    ``wait`` puts it off, ``hold`` and ``drop`` are the reasons to leave it to a digest or to give
    it up; without any of them it is sent.
    """

    due: Due
    wait: Quiet | None = None
    hold: str = ""
    drop: str = ""

    @property
    def is_sent(self) -> bool:
        """Whether the message goes out."""
        return self.wait is None and not self.hold and not self.drop


class Plan(Record, frozen=True, kw_only=True):
    """What to do with a channel's due messages.

    ``together`` are groups of messages that are sent as one.
    """

    single: tuple[Due, ...] = ()
    together: tuple[tuple[Due, ...], ...] = ()
    others: tuple[Verdict, ...] = ()


def quiet(
    alerts: Sequence[Alert],
    silences: Sequence[Silence],
    windows: Sequence[Window],
    now: datetime,
) -> Quiet | None:
    """Tell why and until when nobody is told of some alerts: each is silenced, or in a window.

    The news is looked at again when the first of what covers them ends.
    """
    found = [_covered(alert, silences, windows, now) for alert in alerts]
    covering = [it for it in found if it is not None]
    if not covering or len(covering) < len(found):
        return None
    return min(covering, key=lambda it: it.until)


def plan(
    due: Sequence[Due],
    *,
    silences: Sequence[Silence],
    windows: Sequence[Window],
    allowance: int,
    now: datetime,
    burst: int = BURST,
) -> Plan:
    """Decide what becomes of the messages of one channel that are due, oldest first.

    Args:
        due: The messages.
        silences: Those that may hold now.
        windows: The maintenance windows that are open now.
        allowance: How many more messages the channel's limits allow now; may be negative.
        now: The time.
        burst: More openings, or resolutions, than this become one message.
    """
    verdicts = [_verdict(it, silences, windows, now) for it in due]
    sent = [it.due for it in verdicts if it.is_sent]
    others = [it for it in verdicts if not it.is_sent]
    single = [it for it in sent if it.notification.kind is NotificationKind.SUMMARY]
    together: list[tuple[Due, ...]] = []
    for kinds in _BURSTS:
        group = [it for it in sent if it.notification.kind in kinds]
        if len(group) > burst:
            together.append(tuple(group))
        else:
            single += group
    left = allowance - len(together)
    kept: list[Due] = []
    for it in sorted(single, key=_is_limited):
        if _is_limited(it) and left <= 0:
            others.append(Verdict(due=it, hold=THROTTLED))
        else:
            kept.append(it)
            left -= 1
    return Plan(single=tuple(kept), together=tuple(together), others=tuple(others))


_BURSTS = (
    frozenset({NotificationKind.OPENED}),
    frozenset({NotificationKind.RESOLVED}),
    frozenset({NotificationKind.REMINDER}),
    frozenset({NotificationKind.ESCALATION}),
    frozenset({NotificationKind.ACKNOWLEDGED, NotificationKind.PASSED}),
)


def _is_limited(due: Due) -> bool:
    notification = due.notification
    return not (notification.kind in UNLIMITED or notification.priority is Priority.CRITICAL)


def _verdict(
    due: Due, silences: Sequence[Silence], windows: Sequence[Window], now: datetime
) -> Verdict:
    kind = due.notification.kind
    if due.notification.incident_id is None:
        return Verdict(due=due)
    if due.is_held and kind in FREE | {NotificationKind.REMINDER}:
        return Verdict(due=due, hold="its opening waits for the digest")
    if kind in FREE:
        return Verdict(due=due, drop="" if due.was_told else NOT_TOLD)
    drop = _too_late(due)
    if drop:
        return Verdict(due=due, drop=drop)
    audible = [it for it in due.alerts if it.is_open and it.inhibited_by is None]
    silenced = quiet(audible, silences, windows, now)
    if silenced is not None and kind is NotificationKind.REMINDER:
        return Verdict(due=due, drop=silenced.reason)
    return Verdict(due=due, wait=silenced)


def _too_late(due: Due) -> str:
    """Return why a message about a problem need not be sent any more."""
    notification, kind = due.notification, due.notification.kind
    still_open = [it for it in due.alerts if it.is_open]
    if not still_open:
        was_tried = notification.retry_count > 0 and kind is NotificationKind.OPENED
        return "" if was_tried else RESOLVED_BEFORE
    if kind in UNACKNOWLEDGED_ONLY and due.told_at and due.told_at > notification.created_at:
        return TOLD_SINCE  # it waited for that one: for a channel that was away, for a silence
    acknowledged = all(it.status is AlertStatus.ACKNOWLEDGED for it in still_open)
    if acknowledged and kind in UNACKNOWLEDGED_ONLY:
        return f"acknowledged by {still_open[0].acknowledged_by}"
    return "" if any(it.inhibited_by is None for it in still_open) else "explained by another alert"


def _covered(
    alert: Alert, silences: Sequence[Silence], windows: Sequence[Window], now: datetime
) -> Quiet | None:
    """Return what covers an alert the longest."""
    facts = alert_facts(alert)
    found = [
        Quiet(
            reason=f"silenced by {it.author} until {it.ends_at:%Y-%m-%d %H:%M} UTC: {it.reason}",
            until=it.ends_at,
        )
        for it in silences
        if it.starts_at <= now < it.ends_at and matches(it.match, facts)
    ]
    found += [
        Quiet(reason=f"maintenance {it.name!r} until {it.until:%Y-%m-%d %H:%M} UTC", until=it.until)
        for it in windows
        if now < it.until and matches(it.match, facts)
    ]
    return max(found, key=lambda it: it.until, default=None)
