"""Delivers what is in the outbox: planned, written, sent and recorded, by whoever comes first.

A round goes channel by channel: :mod:`~pytest_workflow_monitor.notify.planning` decides and claims
in one transaction. Messages are sent outside of any transaction, all channels at once, and each
result is recorded as it comes. A process that dies leaves claims that expire, so that another one
sends those messages: at least once, and with the same key.
"""

from __future__ import annotations

import logging
import os
import queue
import random
import threading
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from pytest_workflow_monitor.alerting.sending import TOLD_SINCE
from pytest_workflow_monitor.errors import SettingsError, StoreError, TransportError
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.notify import backoff
from pytest_workflow_monitor.notify.channel import SEND_SECONDS, Receipt
from pytest_workflow_monitor.notify.composing import compose
from pytest_workflow_monitor.notify.planning import (
    RESTING,
    plan_channel,
    suppress_unknown,
    trail,
)
from pytest_workflow_monitor.notify.transport import within
from pytest_workflow_monitor.store.text import storable_text
from pytest_workflow_monitor.support.wire import encode
from pytest_workflow_monitor.words.alerts import AlertEventKind, NotificationKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_workflow_monitor.notify.channel import Channel
    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.notify.parcels import Parcel
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule
    from pytest_workflow_monitor.store import Store

logger = logging.getLogger("pytest_workflow_monitor.notify")

ROUND_SECONDS = 40.0
"""No message is begun later in a round, so that the last one ends before its claim does."""

GRACE_SECONDS = 2.0
"""How much longer than it should a channel may take before it is left alone."""

_EVENTS = {
    NotificationKind.REMINDER: AlertEventKind.REMINDED,
    NotificationKind.ESCALATION: AlertEventKind.ESCALATED,
}
_OPENINGS = frozenset(
    {NotificationKind.OPENED, NotificationKind.REMINDER, NotificationKind.ESCALATION}
)


class Delivered(Record, frozen=True, kw_only=True):
    """What one round did.

    Attributes:
        sent: Messages that were taken.
        failed: Tries that failed and are repeated later.
        given_up: Messages that became dead letters.
        held: Messages that wait for a digest now.
        put_off: Messages that wait for the end of a silence or a window.
        suppressed: Messages that are never sent, for reasons that are noted.
        problems: A sentence for each failure.
    """

    sent: int = 0
    failed: int = 0
    given_up: int = 0
    held: int = 0
    put_off: int = 0
    suppressed: int = 0
    problems: tuple[str, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether anything was done."""
        counted = (self.sent, self.failed, self.given_up, self.held, self.put_off, self.suppressed)
        return any(counted)

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(
            sent=self.sent + other.sent,
            failed=self.failed + other.failed,
            given_up=self.given_up + other.given_up,
            held=self.held + other.held,
            put_off=self.put_off + other.put_off,
            suppressed=self.suppressed + other.suppressed,
            problems=self.problems + other.problems,
        )


def deliver(
    store: Store,
    settings: Settings,
    *,
    now: datetime | None = None,
    channels: Mapping[str, Channel] | None = None,
) -> Delivered:
    """Send what is due, one round; any number of processes may do so at once.

    Args:
        store: The database.
        settings: Whose messages, which channels, limits and windows.
        now: The time; by default the database's.
        channels: The channels by name; by default those of the settings, made when one is needed.

    Raises:
        StoreError: The database cannot be used; messages that were taken and could not be recorded
            as such are sent again, with the same key.
    """
    clock = _Clock(now or store.clock())
    waited = timedelta(seconds=settings.alerts.telling.digest_every_seconds)
    due = store.due_channels(clock.start, held_before=clock.start - waited)
    if not due:
        return Delivered()
    known.learn_environment(os.environ, settings.secret_names)
    rules = {rule.name: rule for rule in settings.channels}
    recording = _Recording(store, clock)
    if channels is None:
        wanted = [rules[name] for name in due if name in rules]
        channels, recording.done = _made(wanted, settings.channel_classes)
    loads: list[_Load] = []
    for name in due:
        if name not in rules:
            recording.done += Delivered(suppressed=suppress_unknown(store, name, clock.start))
        if name not in rules or name not in channels:
            continue
        joins = channels[name].joins
        plan = plan_channel(store, settings, rules[name], clock.start, joins=joins)
        recording.done += Delivered(
            held=plan.held,
            put_off=plan.put_off,
            suppressed=plan.suppressed,
            given_up=plan.given_up,
        )
        loads.append(
            _Load(name, channels[name], recording.written(settings, plan.parcels, channels[name]))
        )
    _send(loads, recording, clock)
    return recording.done


def next_due_at(store: Store, settings: Settings) -> datetime | None:
    """Tell when :func:`deliver` will next have something to do; the moment may be past."""
    waited = timedelta(seconds=settings.alerts.telling.digest_every_seconds)
    return store.next_due([rule.name for rule in settings.channels], waited)


def _made(
    rules: Sequence[ChannelRule], classes: Sequence[str]
) -> tuple[dict[str, Channel], Delivered]:
    """Make the channels that are needed now; their libraries are imported only here.

    Messages to one that cannot be made, such as for a secret that only others have, are left to
    other processes.
    """
    from pytest_workflow_monitor.notify.registry import build

    made: dict[str, Channel] = {}
    done = Delivered()
    for rule in rules:
        try:
            made[rule.name] = build(rule, os.environ, classes)
        except SettingsError as error:
            done += Delivered(problems=(str(error),))
    return made, done


class _Clock:
    """The time of a round: when it began by the caller's clock, and what has passed since."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self._began = monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the round began."""
        return monotonic() - self._began

    def now(self) -> datetime:
        """Return the time."""
        return self.start + timedelta(seconds=self.elapsed)


class _Written(NamedTuple):
    """A message ready to be sent."""

    parcel: Parcel
    message: Message


class _Load(NamedTuple):
    """The messages of one channel."""

    name: str
    channel: Channel
    written: Sequence[_Written]


class _Outcome(NamedTuple):
    """What became of a message: a receipt, an error, or, when it was not tried, a pause."""

    load: _Load
    written: _Written
    result: Receipt | TransportError | _Pause


class _Pause(NamedTuple):
    """How long a message waits that was not tried; ``reason`` says who asked for that."""

    seconds: float
    reason: str = ""


def _send(loads: Sequence[_Load], recording: _Recording, clock: _Clock) -> None:
    """Send all channels' messages at once, and record in this thread what becomes of each."""
    outcomes: queue.SimpleQueue[_Outcome | None] = queue.SimpleQueue()
    stopped = threading.Event()
    running = [
        threading.Thread(
            target=_send_load,
            args=(load, clock, outcomes, stopped),
            name=f"messages to {load.name}",
            daemon=True,
        )
        for load in loads
        if load.written
    ]
    for thread in running:
        thread.start()
    left = len(running)
    try:
        while left:
            outcome = outcomes.get()
            if outcome is None:
                left -= 1
            else:
                recording.note(outcome)
    finally:
        stopped.set()


def _send_load(
    load: _Load,
    clock: _Clock,
    outcomes: queue.SimpleQueue[_Outcome | None],
    stopped: threading.Event,
) -> None:
    """Send one channel's messages one after the other, until one fails for the time being."""
    pause = _Pause(0.0)
    is_open = True
    try:
        for written in load.written:
            is_open = is_open and not stopped.is_set() and clock.elapsed < ROUND_SECONDS
            result = _sent(load, written) if is_open else pause
            outcomes.put(_Outcome(load, written, result))
            if isinstance(result, TransportError) and not result.permanent:
                is_open, pause = False, _pause_after(result)
    finally:
        outcomes.put(None)


def _sent(load: _Load, written: _Written) -> Receipt | TransportError:
    """Try one message; whatever a channel raises is a try that failed."""
    message, reference = written.message, written.parcel.reference
    try:
        return within(
            SEND_SECONDS + GRACE_SECONDS,
            load.name,
            lambda: load.channel.send(message, reference),
        )
    except TransportError as error:
        return error
    except Exception as error:
        logger.exception("channel %s failed", load.name)
        return TransportError(f"{type(error).__name__}: {error}")


def _pause_after(error: TransportError) -> _Pause:
    """Return how long a channel is left alone after a failure."""
    if error.retry_after:
        return _Pause(error.retry_after, RESTING)
    return _Pause(float(backoff.PAUSES_SECONDS[0]))


class _Recording:
    """Writes down what became of messages.

    Attributes:
        done: The sum so far.
    """

    def __init__(self, store: Store, clock: _Clock) -> None:
        self._store = store
        self._clock = clock
        self.done = Delivered()

    def written(
        self, settings: Settings, parcels: Sequence[Parcel], channel: Channel
    ) -> list[_Written]:
        """Write a channel's messages; one that cannot be written counts as not taken."""
        found = []
        for parcel in parcels:
            try:
                message = compose(
                    self._store,
                    settings,
                    parcel.news,
                    self._clock.now(),
                    with_file=channel.carries_files,
                )
            except StoreError:
                raise
            except Exception as error:
                logger.exception("message %s", parcel.notification.notification_id)
                said = f"It could not be written: {type(error).__name__}: {error}"
                self._failed(parcel, TransportError(said), encode(parcel.notification))
            else:
                found.append(_Written(parcel, message))
        return found

    def note(self, outcome: _Outcome) -> None:
        """Record what became of one message."""
        parcel, result = outcome.written.parcel, outcome.result
        if isinstance(result, Receipt):
            self._succeeded(parcel, result)
        elif isinstance(result, TransportError):
            message = replace(outcome.written.message, attachment=None)
            self._failed(parcel, result, encode(message))
        else:
            not_before = self._clock.now() + timedelta(seconds=result.seconds)
            self._store.release_messages(
                parcel.ids, parcel.claimed_until, not_before, result.reason
            )

    def _succeeded(self, parcel: Parcel, receipt: Receipt) -> None:
        at = self._clock.now()
        notification = parcel.notification
        reference = {key: storable_text(value) for key, value in receipt.reference.items()}
        rows = (notification, *parcel.news.together)
        opened = {it.incident_id for it in rows if it.kind in _OPENINGS and it.incident_id}
        with self._store.transaction():
            is_new = self._store.note_sent(
                notification.notification_id, reference, at, together=parcel.together
            )
            if is_new:
                self._trail(parcel, _EVENTS.get(notification.kind, AlertEventKind.NOTIFIED), "")
                self._suppress_replaced(parcel, at)
                self._store.mark_told(sorted(opened), at)
                if notification.report_id is not None:
                    self._store.mark_report_told(notification.report_id, at)
        self.done += Delivered(sent=1)

    def _suppress_replaced(self, parcel: Parcel, at: datetime) -> None:
        """Leave out of the next digest what a message has told."""
        replaced = self._store.suppress_held(parcel.replaces, now=at, reason=TOLD_SINCE)
        alerts = [it for it in parcel.news.told if it.incident_id in replaced]
        said = f"{parcel.notification.channel}: {TOLD_SINCE}"
        self._store.add_alert_events(trail(alerts, AlertEventKind.NOT_NOTIFIED, said, at))

    def _failed(self, parcel: Parcel, error: TransportError, content: bytes) -> None:
        """Put a message off, or give it up when another try is useless."""
        tries = parcel.notification.retry_count + 1
        said = storable_text(known.text(str(error)))
        problem = f"{parcel.notification.channel}: {said}"
        if error.permanent or backoff.is_last(tries):
            self._give_up(parcel, said, tries, content)
            self.done += Delivered(given_up=1, problems=(problem,))
            return
        pause = backoff.pause(tries, random.random(), error.retry_after)  # noqa: S311 - jitter
        self._store.try_later(
            parcel.ids,
            parcel.claimed_until,
            not_before=self._clock.now() + pause,
            error=said,
            reason=RESTING if error.retry_after else "",
        )
        self.done += Delivered(failed=1, problems=(problem,))

    def _give_up(self, parcel: Parcel, said: str, tries: int, content: bytes) -> None:
        with self._store.transaction():
            is_ours = self._store.give_up(
                parcel.notification.notification_id,
                content,
                tries=tries,
                error=said,
                at=self._clock.now(),
                claimed_until=parcel.claimed_until,
                together=parcel.together,
            )
            if is_ours:
                reason = f"given up at try {tries}: {said}"
                self._trail(parcel, AlertEventKind.NOT_NOTIFIED, reason)

    def _trail(self, parcel: Parcel, kind: AlertEventKind, reason: str) -> None:
        """Write into the audit trail what people were told, or why they were not."""
        channel, about = parcel.notification.channel, parcel.notification.kind.value
        said = f"{channel}: {reason or about}"
        self._store.add_alert_events(trail(parcel.news.told, kind, said, self._clock.now()))
