"""Plans a channel's messages: which are sent now, one by one or together, and what of the others.

All of it happens in one transaction under the channel's lock, so that limits and digests hold
however many processes deliver. What is to be sent has been claimed when it ends.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.alerting import sending
from pytest_workflow_monitor.alerting.sending import Due, Verdict, Window
from pytest_workflow_monitor.alerting.windows import open_windows
from pytest_workflow_monitor.analysis.summary import PRIORITY_ORDER
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.notify import backoff
from pytest_workflow_monitor.notify.composing import News
from pytest_workflow_monitor.notify.parcels import Parcel
from pytest_workflow_monitor.recording.identity import new_id
from pytest_workflow_monitor.store.alerts import NewEvent, NewNotification
from pytest_workflow_monitor.store.outbox import AT_ONCE, Known, Settled
from pytest_workflow_monitor.support.wire import encode
from pytest_workflow_monitor.words.alerts import (
    Alert,
    AlertEventKind,
    DeliveryStatus,
    Notification,
    NotificationKind,
    Silence,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule
    from pytest_workflow_monitor.store import Store

CLAIM = timedelta(seconds=60)
"""How long a process has for the messages it took; then others may take them."""

UNKNOWN_AFTER = timedelta(days=1)
"""How long messages wait for a process that knows their channel."""

RESTING = "the channel asked to wait"
NOBODY = "nobody has delivered to this channel for a day"


class Planned(Record, frozen=True, kw_only=True):
    """What is to be sent now, and how many messages are held, put off, suppressed or given up."""

    parcels: tuple[Parcel, ...] = ()
    held: int = 0
    put_off: int = 0
    suppressed: int = 0
    given_up: int = 0


def plan_channel(
    store: Store, settings: Settings, rule: ChannelRule, now: datetime, *, joins: bool = True
) -> Planned:
    """Decide what becomes of a channel's messages, and claim those to be sent.

    Args:
        store: The database.
        settings: The silence, windows and digests that hold.
        rule: The channel, with its limits.
        now: The time.
        joins: Whether many messages at once become one.
    """
    with store.transaction():
        store.lock_channel(rule.name)
        store.expire_claims(rule.name, now)
        return _Planning(store, settings, rule, now, joins=joins).carry_out()


def suppress_unknown(store: Store, channel: str, now: datetime) -> int:
    """Give up what nobody delivers: old messages to a channel that the settings do not have.

    Younger ones are left alone, because another process may know the channel.

    Returns:
        How many messages these were.
    """
    with store.transaction():
        found = store.suppress_unknown(channel, before=now - UNKNOWN_AFTER, now=now, reason=NOBODY)
        incident_ids = {it for it in found if it is not None}
        alerts = store.alerts(incident_ids=incident_ids) if incident_ids else ()
        store.add_alert_events(
            trail(alerts, AlertEventKind.NOT_NOTIFIED, f"{channel}: {NOBODY}", now)
        )
    return len(found)


def trail(
    alerts: Iterable[Alert], kind: AlertEventKind, reason: str, at: datetime
) -> list[NewEvent]:
    """Return lines of the audit trail that say the same of some alerts."""
    return [NewEvent(alert_id=it.alert_id, at=at, event_type=kind, reason=reason) for it in alerts]


class _Planning:
    """One channel's transaction."""

    def __init__(
        self, store: Store, settings: Settings, rule: ChannelRule, now: datetime, *, joins: bool
    ) -> None:
        self._store = store
        self._settings = settings
        self._rule = rule
        self._now = now
        self._joins = joins
        self._claimed_until = now + CLAIM
        self._held: dict[int, list[str]] = {}
        self._alerts: dict[int, list[Alert]] = defaultdict(list)
        self._silences: Sequence[Silence] = ()
        self._windows: Sequence[Window] = ()

    def carry_out(self) -> Planned:
        channel, now = self._rule.name, self._now
        due = self._store.due_messages(channel, now)
        rest_until = self._store.rest_of_channel(channel, now, RESTING)
        if rest_until is not None:
            self._settle([self._settled(it, RESTING, not_before=rest_until) for it in due])
            return Planned()
        self._held = self._store.held_news(channel)  # before any alert is read: that tells all
        self._silences = self._store.silences(self._settings.project, now)
        self._windows = open_windows(self._settings.maintenance, now)
        exhausted = [it for it in due if backoff.is_last(it.retry_count)]
        tried = [it for it in due if it not in exhausted]
        repeated = self._repeated(tried)
        fresh = [it for it in tried if it.notification_id not in repeated]
        plan = self._plan(fresh, len(repeated))
        self._note(plan.others)
        self._give_up(exhausted)
        parcels = self._claimed(
            [
                *(self._parcel(it.notification) for it in plan.single),
                *(self._burst(group) for group in plan.together),
                *repeated.values(),
            ]
        )
        parcels += self._claimed(self._digests())
        return Planned(
            parcels=tuple(sorted(parcels, key=_tries)),
            held=sum(bool(it.hold) for it in plan.others),
            put_off=sum(it.wait is not None for it in plan.others),
            suppressed=sum(bool(it.drop) for it in plan.others),
            given_up=len(exhausted),
        )

    def _plan(self, fresh: Sequence[Notification], repeated: int) -> sending.Plan:
        incident_ids = {it.incident_id for it in fresh if it.incident_id is not None}
        self._read_alerts(incident_ids)
        knows = self._store.what_channel_knows(self._rule.name, incident_ids)
        return sending.plan(
            [self._due(it, knows.get(it.incident_id or 0, Known())) for it in fresh],
            silences=self._silences,
            windows=self._windows,
            allowance=self._allowance() - repeated,
            now=self._now,
            burst=sending.BURST if self._joins else AT_ONCE,
        )

    def _allowance(self) -> int:
        last_hour, last_day = self._store.count_sent(self._rule.name, self._now)
        return min(self._rule.per_hour - last_hour, self._rule.per_day - last_day)

    def _due(self, notification: Notification, knows: Known) -> Due:
        return Due(
            notification=notification,
            alerts=tuple(self._alerts_of(notification)),
            was_told=knows.was_told,
            told_at=knows.told_at,
            is_held=knows.is_held,
        )

    def _repeated(self, due: Sequence[Notification]) -> dict[str, Parcel]:
        """Return the messages about several others: what they tell was decided when they began."""
        ids = [it.notification_id for it in due if it.incident_id is None]
        told: dict[str, list[Notification]] = defaultdict(list)
        for member in self._store.told_together(ids):
            told[member.digest_id].append(member)
        return {
            it.notification_id: self._parcel(it, told[it.notification_id])
            for it in due
            if it.notification_id in told
        }

    def _burst(self, group: Sequence[Due]) -> Parcel:
        members = [it.notification for it in group]
        kinds = {it.kind for it in members}
        return self._joined(kinds.pop() if len(kinds) == 1 else NotificationKind.DIGEST, members)

    def _digests(self) -> list[Parcel]:
        """Return the digest of what has been held back for long enough, if any.

        What is silenced waits for the next one, and so does what another message is telling, or,
        where a digest cannot tell it instead, still has to tell.
        """
        held = self._store.held_messages(self._rule.name, self._now)
        waited = timedelta(seconds=self._settings.alerts.telling.digest_every_seconds)
        if not held or held[0].not_before > self._now - waited:
            return []
        self._read_alerts({it.incident_id for it in held if it.incident_id is not None})
        on_their_way = self._store.incidents_on_their_way(self._rule.name, or_wait=not self._joins)
        members, others = [], []
        for it in held:
            quiet = self._quiet(it)
            if it.incident_id in on_their_way:
                others.append(self._settled(it, it.reason, DeliveryStatus.HELD))
            elif quiet is not None:
                others.append(
                    self._settled(it, quiet.reason, DeliveryStatus.HELD, not_before=quiet.until)
                )
            else:
                members.append(it)
        self._settle(others)
        return [self._joined(NotificationKind.DIGEST, members)] if members else []

    def _quiet(self, notification: Notification) -> sending.Quiet | None:
        audible = [
            it for it in self._alerts_of(notification) if it.is_open and it.inhibited_by is None
        ]
        return sending.quiet(audible, self._silences, self._windows, self._now)

    def _joined(self, kind: NotificationKind, members: Sequence[Notification]) -> Parcel:
        """Begin one message that tells the news of several."""
        actors = {it.actor for it in members}
        made = NewNotification(
            notification_id=new_id(),
            project=self._settings.project,
            environment=", ".join(sorted({it.environment for it in members})),
            channel=self._rule.name,
            notification_type=kind,
            delivery_status=DeliveryStatus.PENDING,
            incident_id=None,
            priority=min((it.priority for it in members), key=PRIORITY_ORDER.__getitem__),
            mention=any(it.mention for it in members),
            run_id=None,
            actor=actors.pop() if len(actors) == 1 else "",
            note="",
            created_at=self._now,
            not_before=self._now,
        )
        self._store.add_notifications([made])
        self._store.tell_together(made.notification_id, (it.notification_id for it in members))
        (notification,) = self._store.notifications([made.notification_id])
        return self._parcel(notification, members)

    def _parcel(self, notification: Notification, together: Sequence[Notification] = ()) -> Parcel:
        incident_ids = {
            it.incident_id for it in (notification, *together) if it.incident_id is not None
        }
        self._read_alerts(incident_ids)
        if notification.kind is NotificationKind.DIGEST and self._joins:
            together = (*together, *self._taken_along(notification, incident_ids))
        alerts = [alert for it in sorted(incident_ids) for alert in self._alerts[it]]
        return Parcel(
            news=News(notification=notification, together=tuple(together), alerts=tuple(alerts)),
            claimed_until=self._claimed_until,
            reference={},
            replaces=tuple(it for number in incident_ids for it in self._held.get(number, ())),
        )

    def _taken_along(
        self, digest: Notification, incident_ids: Iterable[int]
    ) -> tuple[Notification, ...]:
        """Let a digest tell also what waits about incidents that it tells as over."""
        over = [it for it in incident_ids if not any(a.is_open for a in self._alerts[it])]
        waiting = self._store.waiting_messages(self._rule.name, over)
        self._store.tell_together(digest.notification_id, (it.notification_id for it in waiting))
        return waiting

    def _claimed(self, parcels: Sequence[Parcel]) -> list[Parcel]:
        """Claim messages, and add how the channel finds its latest ones about their incidents."""
        incident_ids = [it.notification.incident_id for it in parcels]
        wanted = [it for it in incident_ids if it is not None]
        references = self._store.references(self._rule.name, wanted) if wanted else {}
        self._store.claim_messages(
            [it for parcel in parcels for it in parcel.ids], self._now, self._claimed_until
        )
        return [
            replace(it, reference=references.get(it.notification.incident_id or 0, {}))
            for it in parcels
        ]

    def _note(self, verdicts: Sequence[Verdict]) -> None:
        """Record what becomes of messages that are not sent now, and why, once for each reason."""
        self._settle([self._verdict(it) for it in verdicts])
        for verdict in verdicts:
            notification = verdict.due.notification
            reason = verdict.hold or verdict.drop or (verdict.wait.reason if verdict.wait else "")
            if reason != notification.reason:
                self._trail(notification, reason)

    def _verdict(self, verdict: Verdict) -> Settled:
        notification = verdict.due.notification
        if verdict.wait is not None:
            return self._settled(notification, verdict.wait.reason, not_before=verdict.wait.until)
        if verdict.hold:
            return self._settled(notification, verdict.hold, DeliveryStatus.HELD)
        return self._settled(notification, verdict.drop, DeliveryStatus.SUPPRESSED)

    def _settled(
        self,
        notification: Notification,
        reason: str,
        status: DeliveryStatus = DeliveryStatus.PENDING,
        *,
        not_before: datetime | None = None,
    ) -> Settled:
        return Settled(
            notification_id=notification.notification_id,
            delivery_status=status,
            not_before=not_before or self._now,
            reason=reason,
        )

    def _settle(self, settled: Sequence[Settled]) -> None:
        self._store.settle_messages(settled, self._now)

    def _give_up(self, exhausted: Sequence[Notification]) -> None:
        """Stop trying messages whose senders died again and again."""
        for it in exhausted:
            self._store.give_up(
                it.notification_id,
                encode(it),
                tries=it.retry_count,
                error=it.last_error,
                at=self._now,
                together=[
                    member.notification_id
                    for member in self._store.told_together([it.notification_id])
                ],
            )
            self._read_alerts([it.incident_id] if it.incident_id is not None else [])
            self._trail(it, f"given up at try {it.retry_count}: {it.last_error}")

    def _trail(self, notification: Notification, reason: str) -> None:
        told = News(notification=notification, alerts=tuple(self._alerts_of(notification))).told
        said = f"{self._rule.name}: {reason}"
        self._store.add_alert_events(trail(told, AlertEventKind.NOT_NOTIFIED, said, self._now))

    def _alerts_of(self, notification: Notification) -> list[Alert]:
        return self._alerts[notification.incident_id] if notification.incident_id else []

    def _read_alerts(self, incident_ids: Iterable[int]) -> None:
        missing = [it for it in incident_ids if it not in self._alerts]
        if missing:
            for alert in reversed(self._store.alerts(incident_ids=missing)):
                self._alerts[alert.incident_id].append(alert)


def _tries(parcel: Parcel) -> int:
    """Order messages: those never tried go first, lest one that fails delays all."""
    return parcel.notification.retry_count
