"""Alerts under anything that may happen, in any order, checked against what they promise."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck
from hypothesis import Phase as HypothesisPhase
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pytest_workflow_monitor.alerting.rules import rules_of
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.keeping import alerts as alert_keeping
from pytest_workflow_monitor.model import Error, Phase, Priority, Status, Step
from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt, TransportError
from pytest_workflow_monitor.notify.delivery import deliver
from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.settings.alert_rules import (
    AlertSettings,
    ChannelRule,
    Escalation,
    Policy,
    PolicyRule,
    Route,
)
from pytest_workflow_monitor.store import Store
from pytest_workflow_monitor.words.alerts import (
    Alert,
    AlertEventKind,
    AlertKind,
    DeliveryStatus,
    Notification,
    NotificationKind,
)
from tests.samples import START, a_session, a_workflow, an_attempt, run_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.model import Attempt, SessionStarted
    from pytest_workflow_monitor.notify.messages import Message

WORKFLOWS = {
    "health-check": Priority.CRITICAL,
    "login": Priority.CRITICAL,
    "cart": Priority.HIGH,
    "news": Priority.LOW,
}
POLICIES = (
    PolicyRule(
        match={"workflow": ("cart",)},
        changes={"alert_after": 2, "resolve_after": 2, "alert_after_degraded": 2},
    ),
)
ROUTES = (
    Route(match={"priority": ("critical", "high")}, channels=("team",)),
    Route(match={"priority": ("low",)}, channels=("team",), digest=True),
)
ESCALATIONS = (Escalation(after_seconds=900, channels=("boss",)),)
CHANNELS = ("team", "boss")
CALLS = frozenset({NotificationKind.OPENED, NotificationKind.REMINDER, NotificationKind.ESCALATION})
ENDS = frozenset({NotificationKind.RESOLVED, NotificationKind.DIGEST})
OVER = frozenset({DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED})
LONG = timedelta(hours=3)
_numbers = count()

outcomes = st.sampled_from(
    ["passed"] * 4 + ["failed"] * 4 + ["flaky", "degraded", "skipped", "interrupted"]
)
executions = st.dictionaries(
    st.sampled_from(sorted(WORKFLOWS)),
    st.tuples(outcomes, st.sampled_from(["down", "odd"])),
    min_size=2,
)
people = st.sampled_from(["ann", "joe"])
numbers = st.integers(0, 5)


class Ear(Channel):
    """A channel that takes messages, fails or refuses, as it feels like, and remembers.

    Attributes:
        mood: What it does with the next messages.
        heard: What it has taken.
        tried: What it was given, whatever it did with it.
    """

    type = "ear"
    options = Options

    def __init__(
        self, rule: ChannelRule | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self.mood = "takes"
        self.heard: list[Message] = []
        self.tried: list[Message] = []

    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Do as it feels like."""
        self.tried.append(message)
        if self.mood != "takes":
            raise TransportError(
                f"it {self.mood}",
                permanent=self.mood == "refuses",
                retry_after=300 if self.mood == "wants to rest" else None,
            )
        self.heard.append(message)
        return Receipt()

    def preview(self, message: Message) -> str:
        """Return the title."""
        return message.title


class Life(RuleBasedStateMachine):
    """A project with several processes, people and two channels."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.project = f"shop-{next(_numbers)}"
        self.settings = Settings(
            root=Path("/nowhere"),
            sources={},
            project=self.project,
            alerts=AlertSettings(policy=Policy()),
            alert_policies=POLICIES,
            channels=tuple(ChannelRule(name=name, type="ear", per_hour=30) for name in CHANNELS),
            routes=ROUTES,
            escalations=ESCALATIONS,
        )
        self.rules_in_force = rules_of(self.settings)
        self.ears = {name: Ear() for name in CHANNELS}
        self.stores = self._opened()
        self.now = START
        self.silences: dict[int, tuple[str, datetime]] = {}
        self.checked = dict.fromkeys(CHANNELS, 0)
        self.known: dict[str, set[int]] = {name: set() for name in CHANNELS}
        self.over: dict[str, set[int]] = {name: set() for name in CHANNELS}
        self.last: tuple[SessionStarted, Batch] | None = None

    @property
    def store(self) -> Store:
        """One of the connections."""
        return self.stores[0]

    # what happens

    @rule(
        rounds=st.lists(executions, min_size=1, max_size=4),
        notifies=st.sampled_from([True, True, True, False]),
        late=st.sampled_from([0, 0, 0, 90]),
        delivers=st.booleans(),
    )
    def report(
        self,
        rounds: list[dict[str, tuple[str, str]]],
        notifies: bool,
        late: int,
        delivers: bool,
    ) -> None:
        """Sessions store their executions, perhaps long after they ran, and may deliver."""
        for found in rounds:
            self._pass(timedelta(minutes=2))
            self.last = self._session(found, notifies=notifies, late=late)
            self._ingest(self.store, *self.last)
            if delivers:
                self._tend()

    @rule(found=executions, others=executions, at_once=st.booleans())
    def report_at_once(
        self,
        found: dict[str, tuple[str, str]],
        others: dict[str, tuple[str, str]],
        at_once: bool,
    ) -> None:
        """Two sessions store theirs at the same moment, while a third process delivers."""
        self._pass(timedelta(minutes=2))
        one, two = self._session(found), self._session(others if at_once else found)
        with ThreadPoolExecutor(3) as pool:
            work = [
                pool.submit(self._ingest, self.stores[0], *one),
                pool.submit(self._ingest, self.stores[1], *two),
                pool.submit(self._deliver, self.stores[2]),
            ]
            for it in work:
                it.result()

    @precondition(lambda self: self.last is not None)
    @rule()
    def report_again(self) -> None:
        """A batch that is stored twice changes nothing."""
        assert self.last is not None
        before = self._alerts(), self._messages()
        self._ingest(self.stores[1], *self.last)
        assert (self._alerts(), self._messages()) == before

    @rule()
    def restart(self) -> None:
        """All processes end, and others begin."""
        self._close()
        self.stores = self._opened()

    @rule(closes=st.booleans(), which=numbers, who=people)
    def act(self, closes: bool, which: int, who: str) -> None:
        """A person looks after an alert, or closes it."""
        alerts = [it for it in self._alerts() if it.is_open]
        if alerts:
            action = alert_keeping.resolve if closes else alert_keeping.acknowledge
            chosen = [alerts[which % len(alerts)]]
            action(self.store, self.rules_in_force, chosen, actor=who, reason="", now=self.now)

    @rule(workflow=st.sampled_from(["*", "*", "login"]), minutes=st.integers(1, 200))
    def silence(self, workflow: str, minutes: int) -> None:
        """A person wants quiet, and somebody delivers."""
        ends_at = self.now + timedelta(minutes=minutes)
        number = self.store.add_silence(
            self.project,
            {"workflow": (workflow,)},
            starts_at=self.now,
            ends_at=ends_at,
            author="ann",
            reason="deploy",
        )
        self.silences[number] = workflow, ends_at
        self._pass(timedelta(seconds=31))
        self._tend()

    @precondition(lambda self: self.silences)
    @rule(which=numbers)
    def end_silence(self, which: int) -> None:
        """A person has had enough of it."""
        number = sorted(self.silences)[which % len(self.silences)]
        del self.silences[number]
        alert_keeping.end_silence(self.store, self.project, number, actor="joe", now=self.now)

    @rule(
        name=st.sampled_from(CHANNELS),
        mood=st.sampled_from(["takes", "takes", "takes", "fails", "refuses", "wants to rest"]),
    )
    def change_mood(self, name: str, mood: str) -> None:
        """A service breaks, or is repaired."""
        self.ears[name].mood = mood

    @rule(minutes=st.sampled_from([1, 5, 20, 60, 300]))
    def wait(self, minutes: int) -> None:
        """Time passes; then somebody delivers, reminds and escalates."""
        self._pass(timedelta(minutes=minutes))
        self._tend()

    # what holds

    @invariant()
    def each_problem_has_one_alert(self) -> None:
        """Of each kind, and its story says the same as its row."""
        alerts = self._alerts()
        still_open = [(it.workflow_id, it.kind) for it in alerts if it.is_open]
        assert len(still_open) == len(set(still_open))
        stories = defaultdict(list)
        for event in self.store.alert_events(it.alert_id for it in alerts):
            stories[event.alert_id].append(event.kind)
        for alert in alerts:
            kinds = stories[alert.alert_id]
            assert kinds.count(AlertEventKind.OPENED) == 1
            assert kinds.count(AlertEventKind.RESOLVED) == (not alert.is_open)
            assert (alert.resolved_at is None) == alert.is_open
            acknowledged = kinds.count(AlertEventKind.ACKNOWLEDGED)
            assert acknowledged == (alert.acknowledged_at is not None)
            assert kinds.count(AlertEventKind.RELEASED) <= kinds.count(AlertEventKind.INHIBITED)

    @invariant()
    def alerts_follow_the_results(self) -> None:
        """A workflow that passed last has no alert; one that failed often enough has one."""
        failing = {it.workflow_id for it in self._alerts() if it.is_open and _is_failing(it)}
        results = self.store.recent_results(self.project, "production", list(WORKFLOWS), 50)
        dismissed = self.store.dismissals(self.project, "production", list(WORKFLOWS))
        for workflow_id, found in results.items():
            telling = [it for it in found if it.status is not Status.INTERRUPTED]
            since = dismissed.get(workflow_id, {}).get(AlertKind.FAILING)
            fresh = [it for it in telling if since is None or it.completed_at > since]
            enough = 2 if workflow_id == "cart" else 1
            if len(fresh) >= enough and all(it.status.is_problem for it in fresh[-enough:]):
                assert workflow_id in failing
            if len(telling) >= enough and not any(it.status.is_problem for it in telling[-enough:]):
                assert workflow_id not in failing

    @invariant()
    def every_opening_is_told_or_has_a_reason(self) -> None:
        """What nobody hears of says why."""
        messages = self._messages()
        for alert in self._alerts():
            if alert.quiet or alert.inhibited_by is not None:
                continue
            assert any(_tells(it, alert) for it in messages), alert

    @invariant()
    def nothing_is_explained_by_what_is_over(self) -> None:
        """An alert in the shadow of another one comes out with its end."""
        alerts = {it.alert_id: it for it in self._alerts()}
        for alert in alerts.values():
            if alert.is_open and alert.inhibited_by is not None:
                assert alerts[alert.inhibited_by].is_open

    @invariant()
    def incidents_end_with_their_last_alert(self) -> None:
        """Neither before nor after."""
        alerts = self._alerts()
        for incident in self.store.incidents({it.incident_id for it in alerts}):
            is_open = any(it.is_open for it in alerts if it.incident_id == incident.incident_id)
            assert (incident.closed_at is None) == is_open

    @invariant()
    def messages_say_why_they_are_not_sent(self) -> None:
        """Nothing is lost: every message was taken, waits, or has a reason."""
        letters = {it.notification_id for it in self.store.letters()}
        heard = {name: [it.key for it in ear.heard] for name, ear in self.ears.items()}
        for it in self._messages():
            if it.status is DeliveryStatus.SUPPRESSED:
                assert it.reason
                is_call = it.kind is NotificationKind.ESCALATION
                assert not (is_call and it.reason.startswith("silenced by")), "given up for good"
            if it.reason.startswith("silenced by") and it.not_before > self.now:
                assert self.silences
            if it.status is DeliveryStatus.HELD:
                assert it.reason or it.priority is Priority.LOW
            if it.status is DeliveryStatus.FAILED:
                assert it.last_error
                assert (it.digest_id or it.notification_id) in letters
            if it.status is DeliveryStatus.SUCCEEDED:
                assert heard[it.channel].count(it.digest_id or it.notification_id) == 1
            assert it.status is not DeliveryStatus.PROCESSING

    def teardown(self) -> None:
        """In the end, when all is repaired, nothing waits, and people know what is wrong."""
        try:
            self._settle()
        finally:
            self._close()

    def _settle(self) -> None:
        for number in list(self.silences):
            alert_keeping.end_silence(self.store, self.project, number, actor="joe", now=self.now)
        self.silences.clear()
        for ear in self.ears.values():
            ear.mood = "takes"
        self._pass(LONG)
        self._tend()
        self._pass(LONG)
        self._deliver(self.store)
        messages = self._messages()
        assert {it.status for it in messages} <= OVER
        told = {item.alert_id for it in self.ears["team"].heard for item in it.items}
        for alert in self._alerts():
            if alert.is_open and not alert.quiet and alert.inhibited_by is None:
                given_up = any(
                    it.status is DeliveryStatus.FAILED and _tells(it, alert) for it in messages
                )
                assert alert.alert_id in told or given_up, alert

    # how it is done

    def _opened(self) -> list[Store]:
        return [Store(self.url, project=self.project) for _ in range(3)]

    def _close(self) -> None:
        for store in self.stores:
            store.close()

    def _pass(self, time: timedelta) -> None:
        self.now += time
        self.silences = {number: it for number, it in self.silences.items() if it[1] > self.now}

    def _session(
        self, found: dict[str, tuple[str, str]], *, notifies: bool = True, late: int = 0
    ) -> tuple[SessionStarted, Batch]:
        at = self.now - timedelta(minutes=late, seconds=60)
        session = a_session(project=self.project, started_at=at, notifies=notifies)
        attempts = [
            attempt
            for workflow_id, (outcome, error) in found.items()
            for attempt in _attempts(workflow_id, outcome, error, at)
        ]
        return session, Batch(attempts=attempts)

    def _ingest(self, store: Store, session: SessionStarted, batch: Batch) -> None:
        ingest(store, session, batch, self.rules_in_force, now=self.now)

    def _tend(self) -> None:
        alert_keeping.tend(self.store, self.rules_in_force, self.project, self.now)
        self._deliver(self.store)

    def _deliver(self, store: Store) -> None:
        while deliver(store, self.settings, now=self.now, channels=self.ears).moved:
            pass
        for name, ear in self.ears.items():
            for message in ear.tried[self.checked[name] :]:
                self._listen(name, message, was_taken=message in ear.heard)
            self.checked[name] = len(ear.tried)

    def _listen(self, name: str, message: Message, *, was_taken: bool) -> None:
        """Check that people are called only if they have to be."""
        is_single = message.thread_key.rpartition("/")[2].isdigit()
        still_open = [it for it in message.items if it.state != "resolved"]
        known = self.known[name]
        if is_single and message.kind in CALLS and still_open:
            assert not all(self._is_silent(it.workflow_id) for it in still_open)
        if is_single and message.kind in CALLS - {NotificationKind.OPENED}:
            assert any(it.state == "failing" for it in still_open)
        if is_single and message.kind is NotificationKind.OPENED and was_taken:
            told = {it.alert_id for it in message.items}
            assert told - known or self._were_released(told), "told twice"
        if is_single and message.kind is NotificationKind.RESOLVED:
            assert known, "a recovery of what nobody was told"
        if was_taken:
            known |= {it.alert_id for it in message.items}
            self._hear_end(name, message)

    def _hear_end(self, name: str, message: Message) -> None:
        """Check that a channel hears once that something is over, alone or in a digest."""
        if message.kind in ENDS and message.items:
            over = {it.alert_id for it in message.items if it.state == "resolved"}
            assert len(over) < len(message.items) or over - self.over[name], "over twice"
            self.over[name] |= over

    def _were_released(self, alert_ids: set[int]) -> bool:
        """Tell whether another alert explained one of them, perhaps while it was being told."""
        kinds = {it.kind for it in self.store.alert_events(alert_ids)}
        return AlertEventKind.RELEASED in kinds

    def _is_silent(self, workflow_id: str) -> bool:
        return any(workflow in {"*", workflow_id} for workflow, _ in self.silences.values())

    def _alerts(self) -> tuple[Alert, ...]:
        return self.store.alerts(project=self.project)

    def _messages(self) -> tuple[Notification, ...]:
        rows = self.store.connection.execute(
            "SELECT notification_id::text AS id FROM workflow_monitor.notification_logs"
            " WHERE project = %(project)s",
            {"project": self.project},
        ).fetchall()
        return self.store.notifications([row["id"] for row in rows])


def _is_failing(alert: Alert) -> bool:
    return alert.kind is AlertKind.FAILING


def _tells(message: Notification, alert: Alert) -> bool:
    """Tell whether a message is about the opening of an alert."""
    return (
        message.incident_id == alert.incident_id
        and message.kind is NotificationKind.OPENED
        and (message.sent_at is None or message.sent_at >= alert.opened_at)
    )


def _attempts(workflow_id: str, outcome: str, error: str, at: datetime) -> list[Attempt]:
    """Return what an execution with an outcome consists of."""
    workflow = a_workflow(workflow_id, priority=WORKFLOWS[workflow_id])
    number = run_id()

    def attempt(status: Status, **fields: Any) -> Attempt:
        return an_attempt(workflow, run_id=number, status=status, **({"started_at": at} | fields))

    broken: dict[str, Any] = {
        "steps": (Step(index=0, name="Log in", status=Status.FAILED, duration_ms=1.0),),
        "errors": (Error(phase=Phase.CALL, type="E", message=error, fingerprint=error),),
    }
    if outcome == "failed":
        return [attempt(Status.FAILED, **broken)]
    if outcome == "flaky":
        again = attempt(Status.PASSED, number=2, started_at=at + timedelta(seconds=5))
        return [attempt(Status.FAILED, will_retry=True, **broken), again]
    return [attempt(Status(outcome))]


@pytest.mark.timeout(600)
def test_whatever_happens_alerts_keep_their_promises(database_url: str) -> None:
    """Random sessions, people, silences, outages, restarts and parallel processes."""

    class Here(Life):
        url = database_url

    run_state_machine_as_test(
        Here,
        settings=effort(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            phases=[HypothesisPhase.generate],  # what fails is short enough to be read
            suppress_health_check=list(HealthCheck),
        ),
    )
