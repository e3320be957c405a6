"""Stores a history as ingest would, in order of time, so that alerts opened and closed then.

What passed at once, in workflows without an open alert, changes nothing but tables that grow:
many such sessions are written together. All others go through ingest one by one, with messages
sent to a channel that takes everything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.alerting.rules import Rules, rules_of
from pytest_workflow_monitor.analysis.outcome import execution_of
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.keeping.alerts import tend
from pytest_workflow_monitor.keeping.alerts.others import Problem, clear_problems, report_problems
from pytest_workflow_monitor.notify.delivery import deliver
from pytest_workflow_monitor.schedule.catalogue import plan
from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.settings.alert_rules import ChannelRule, Route
from pytest_workflow_monitor.store import rows
from pytest_workflow_monitor.store.definitions import Definition, define, definition_of
from pytest_workflow_monitor.words.alert_causes import SLOTS
from pytest_workflow_monitor.words.alerts import AlertKind
from tests.delivery.office import Notebook
from tests.history.playing import PROJECT, Played, Skipped, play
from tests.history.shop import EU, SHOP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_workflow_monitor.model import Execution
    from pytest_workflow_monitor.store import Store
    from tests.history.truth import Deployed, Truth

SESSIONS_AT_ONCE = 400
GRACE = timedelta(minutes=2)
CHANNEL = ChannelRule(name="team", type="notebook", per_hour=1_000, per_day=10_000)
SLOT_TYPES = (
    "text", "text", "text", "timestamptz", "text", "text", "text", "timestamptz", "text", "int4",
    "timestamptz", "timestamptz", "uuid", "int4",
)  # fmt: skip
COPY_SLOTS = b"""
    COPY workflow_monitor.workflow_slots (
        project, workflow_id, environment, slot_at, status, reason, queue, claimed_at, claimed_by,
        tries, started_at, ended_at, session_id, exit_code
    ) FROM STDIN (FORMAT BINARY)
"""
COPY_SESSIONS = b"""
    COPY workflow_monitor.test_sessions (
        session_id, project, environment, location, triggered_by, started_at, ended_at,
        exit_status, tests_collected, host, pid, rootdir, arguments, git_commit, git_branch,
        ci_name, ci_url, notifies, slot_at, lateness_seconds, versions, journal_version,
        executions_total, executions_passed
    ) FROM STDIN (FORMAT BINARY)
"""
SESSION_TYPES = (
    "uuid", "text", "text", "text", "text", "timestamptz", "timestamptz", "int4", "int4", "text",
    "int8", "text", "jsonb", "text", "text", "text", "text", "bool", "timestamptz", "float8",
    "jsonb", "int4", "int4", "int4",
)  # fmt: skip
COPY_DEPLOYMENTS = b"""
    COPY workflow_monitor.deployments (
        project, environment, deployed_at, name, git_commit, url, noted_by
    ) FROM STDIN (FORMAT BINARY)
"""
DEPLOYMENT_TYPES = ("text", "text", "timestamptz", "text", "text", "text", "text")


@dataclass
class Filled:
    """What was stored.

    Attributes:
        truth: What is behind it.
        executions: How many executions of each environment and workflow.
        failures: When each error group was seen, by fingerprint, oldest first; attempts that
            were retried count once with their execution.
        sessions: How many sessions.
        by_ingest: How many of them went through ingest.
        missed: How many slots were missed.
        messages: How many messages the channel took.
    """

    truth: Truth
    executions: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    sessions: int = 0
    by_ingest: int = 0
    missed: int = 0
    messages: int = 0


def settings_for(store: Store) -> Settings:
    """Return the settings that the shop's alerts were decided by."""
    return Settings(
        root=Path.cwd(),
        sources={},
        project=PROJECT,
        database_url=store.url,
        channels=(CHANNEL,),
        routes=(Route(),),
    )


def fill(store: Store, truth: Truth, *, by_ingest: bool = False, sums: bool = True) -> Filled:
    """Store a history in an empty database.

    Args:
        store: The database, its schema up to date.
        truth: What to store; see :func:`~tests.history.plan.plan_of`.
        by_ingest: Whether each session goes through ingest: ten times as slow, and the same.
        sums: Whether to sum it up, too.
    """
    store.connection.execute(b"SET synchronous_commit = off")
    filling = _Filling(store, truth, by_ingest=by_ingest)
    filling.prepare()
    for event in play(truth):
        if isinstance(event, Skipped):
            filling.miss(event)
        else:
            filling.add(event)
    filling.finish()
    if sums:
        store.sum_up(PROJECT)
    return filling.filled


class _Filling:
    def __init__(self, store: Store, truth: Truth, *, by_ingest: bool) -> None:
        self.filled = Filled(truth)
        self._store = store
        self._settings = settings_for(store)
        self._rules: Rules = rules_of(self._settings)
        self._notebook = Notebook()
        self._by_ingest = by_ingest
        self._waiting: list[Played] = []
        self._slots: list[tuple[object, ...]] = []
        self._alerting: dict[str, set[str]] = defaultdict(set)
        self._late: dict[str, set[str]] = defaultdict(set)
        self._open: dict[str, frozenset[int]] = {}
        self._next_round: datetime | None = None

    def prepare(self) -> None:
        """Store what was there before: schedules, deployments, silences."""
        truth, store = self.filled.truth, self._store
        for environment in sorted({place[0] for habit in SHOP for place in habit.runs_in}):
            workflows = {
                habit.workflow_id: [replace(habit.workflow, cron=habit.runs_in[environment, EU])]
                for habit in SHOP
                if (environment, EU) in habit.runs_in
            }
            made = plan((), workflows, (), (PROJECT, environment), truth.end_at)
            store.set_schedules(made.changed)
        _copy(store, COPY_DEPLOYMENTS, DEPLOYMENT_TYPES, map(_deployment, truth.deployments))
        for it in truth.silenced:
            store.add_silence(
                PROJECT,
                {"workflow": [it.failure.workflow_id], "environment": [it.environment]},
                starts_at=it.start_at,
                ends_at=it.end_at,
                author=it.author,
                reason=it.reason,
            )

    def add(self, played: Played) -> None:
        """Store a session."""
        self._note(played)
        environment = played.session.environment
        workflow_ids = {it.workflow.workflow_id for it in played.attempts}
        self._deliver(played.session.started_at)
        self._clear_late(played, workflow_ids)
        if (
            played.is_quiet
            and not self._by_ingest
            and not workflow_ids & self._alerting[environment]
        ):
            self._waiting.append(played)
            if len(self._waiting) >= SESSIONS_AT_ONCE:
                self._flush()
            return
        self._flush()
        self.filled.by_ingest += 1
        batch = Batch(attempts=played.attempts, ended=played.ended)
        ended_at = played.ended.ended_at
        ingest(self._store, played.session, batch, self._rules, now=ended_at)
        self._look_at_alerts(environment, ended_at)

    def miss(self, skipped: Skipped) -> None:
        """Record slots that nobody ran, and alert about them as the next scheduler does."""
        environment, at = skipped.environment, skipped.slot_at
        reason = "found too late: no scheduler was running"
        found_at = at + GRACE
        for habit in skipped.habits:
            self.filled.missed += 1
            self._slots.append(
                _slot(environment, habit.workflow_id, at, "missed", reason, found_at)
            )
        problems = [
            Problem(
                key=habit.workflow_id,
                name=habit.workflow.name,
                kind=AlertKind.MISSED,
                reason=f"the slot of {at:%Y-%m-%d %H:%M:%S} UTC: {reason}",
                priority=habit.workflow.priority,
                since=at,
                cause=f"{SLOTS}|missed",
            )
            for habit in skipped.habits
            if habit.workflow_id not in self._late[environment]
        ]
        self._flush()
        self._late[environment] |= {it.key for it in problems}
        report_problems(self._store, self._rules, PROJECT, environment, problems, found_at)
        self._look_at_alerts(environment, found_at)

    def finish(self) -> None:
        """Store what waits, and send what is due at the end."""
        self._flush()
        self._deliver(self.filled.truth.end_at)
        _copy(self._store, COPY_SLOTS, SLOT_TYPES, self._slots)
        self.filled.messages = len(self._notebook.seen)

    def _note(self, played: Played) -> None:
        filled, session = self.filled, played.session
        filled.sessions += 1
        first = {it.run_id: it for it in reversed(played.attempts)}
        for attempt in first.values():
            workflow_id = attempt.workflow.workflow_id
            filled.executions[session.environment, workflow_id] += 1
            if attempt.errors:
                filled.failures[attempt.errors[0].fingerprint].append(attempt.started_at)
            if session.slot_at is not None:
                self._slots.append(
                    _slot(
                        session.environment,
                        workflow_id,
                        session.slot_at,
                        "done",
                        "",
                        session.slot_at,
                        started_at=session.started_at,
                        ended_at=played.ended.ended_at,
                        session_id=session.session_id,
                        exit_code=played.ended.exit_status,
                    )
                )

    def _clear_late(self, played: Played, workflow_ids: set[str]) -> None:
        environment = played.session.environment
        back = workflow_ids & self._late[environment]
        if not back:
            return
        self._flush()
        self._late[environment] -= back
        scope = PROJECT, environment
        ended_at = played.ended.ended_at
        clear_problems(
            self._store, self._rules, *scope, back, AlertKind.MISSED, "it ran in time", ended_at
        )
        self._look_at_alerts(environment, ended_at)

    def _look_at_alerts(self, environment: str, now: datetime) -> None:
        """Learn which workflows have an open alert, and let messages go in half a minute."""
        alerts = self._store.open_alerts(PROJECT, environment)
        self._alerting[environment] = {
            it.workflow_id for it in alerts if it.kind is not AlertKind.MISSED
        }
        is_open = frozenset(it.alert_id for it in alerts)
        if is_open != self._open.get(environment, frozenset()):
            self._open[environment] = is_open
            self._next_round = now + timedelta(seconds=self._rules.telling.group_wait_seconds)

    def _deliver(self, now: datetime) -> None:
        """Send what was due before a moment, and remind once an hour while anything is open."""
        while self._next_round is not None and self._next_round <= now:
            at, self._next_round = self._next_round, None
            tend(self._store, self._rules, PROJECT, at)
            channels = {CHANNEL.name: self._notebook}
            deliver(self._store, self._settings, now=at, channels=channels)
            if any(self._alerting.values()) or any(self._late.values()):
                self._next_round = at + timedelta(hours=1)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        waiting.sort(key=lambda it: (it.session.environment, it.session.started_at))
        for environment, group in groupby(waiting, key=lambda it: it.session.environment):
            self._write(environment, list(group))

    def _write(self, environment: str, played: Sequence[Played]) -> None:
        """Write sessions in which everything passed at once."""
        store = self._store
        executions = [
            (it.session, execution_of(it.session, [attempt], session_is_over=True))
            for it in played
            for attempt in it.attempts
        ]
        definitions = _definitions(it for _, it in executions)
        with store.transaction():
            store.lock_project(PROJECT)
            _copy(store, COPY_SESSIONS, SESSION_TYPES, map(_session, played))
            define(store, played[-1].session, list(definitions.values()))
            store.add_executions(
                rows.execution_row(session, it, definitions[it.workflow.workflow_id])
                for session, it in executions
            )
            store.add_attempts(list(chain.from_iterable(it.attempts for it in played)))
            ended = [it for _, it in executions]
            store.count(PROJECT, environment, [it.run_id for it in ended])
            store.mark_hours(PROJECT, environment, ended)


def _copy(
    store: Store, statement: bytes, types: Sequence[str], table: Iterable[tuple[object, ...]]
) -> None:
    with store.connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in table:
            copy.write_row(row)


def _definitions(executions: Iterable[Execution]) -> Mapping[str, Definition]:
    latest = {it.workflow.workflow_id: it.workflow for it in executions}
    return {name: definition_of(workflow) for name, workflow in latest.items()}


def _session(played: Played) -> tuple[object, ...]:
    it, ended, runs = played.session, played.ended, len(played.attempts)
    return (
        it.session_id, it.project, it.environment, it.location, it.trigger.value, it.started_at,
        ended.ended_at, ended.exit_status, ended.tests_collected, it.host, it.pid, it.rootdir,
        b"[]", it.git_commit, it.git_branch, it.ci_name, it.ci_url, it.notifies, it.slot_at,
        it.lateness_seconds, b'{"python":"3.12","pytest":"9.2"}', it.journal_version, runs, runs,
    )  # fmt: skip


def _slot(
    environment: str,
    workflow_id: str,
    slot_at: datetime,
    status: str,
    reason: str,
    claimed_at: datetime,
    *,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    session_id: str | None = None,
    exit_code: int | None = None,
) -> tuple[object, ...]:
    return (
        PROJECT, workflow_id, environment, slot_at, status, reason, "default", claimed_at,
        "runner-eu-west", 1 if started_at else 0, started_at, ended_at or claimed_at, session_id,
        exit_code,
    )  # fmt: skip


def _deployment(it: Deployed) -> tuple[object, ...]:
    url = f"https://ci.example.com/{it.commit[:12]}"
    return PROJECT, it.environment, it.at, it.name, it.commit, url, "ci"
