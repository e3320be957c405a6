"""A stretch of a soak: a service of its own, audited at checkpoints and at the end."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pytest_workflow_monitor.errors import WorkflowMonitorError
from pytest_workflow_monitor.soak.account import Audit
from pytest_workflow_monitor.soak.ledger import Ledger
from pytest_workflow_monitor.soak.progress import expect_in, save
from pytest_workflow_monitor.soak.scratch import SERVICE_LOG
from pytest_workflow_monitor.soak.service import Order
from pytest_workflow_monitor.soak.vitals import measure
from pytest_workflow_monitor.words.slots import SlotStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.soak.company import Company
    from pytest_workflow_monitor.soak.progress import Plan, Progress
    from pytest_workflow_monitor.soak.vitals import Vitals
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.support.pace import Pace

SERVICE = "pytest_workflow_monitor.soak.service"
START_SECONDS = 180.0
"""How long the service may take until it knows the schedules."""

SETTLE_SECONDS = 300.0
"""How long the last runs may take after the time is over, and their results to be stored."""

STOP_SECONDS = 10.0
LEAVE_SECONDS = 60.0
"""How long runs may go on when the soak stops, and how long the service may take to be gone."""

LOOK_SECONDS = 1.0
NOTE_SECONDS = 10.0
"""How often a soak notes how far it has come: so much is lost at most when it is killed."""

EARLIER = timedelta(days=1)
"""Slots before the first expected one matter, too: their runs may be in the way."""

MOST_RUNS = 10_000_000
INTERRUPTED = "the soak was interrupted"


class ServiceFailedError(WorkflowMonitorError):
    """The service did not start."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a stretch goes: how much time was played, what became of slots, and what was measured."""

    played_seconds: float
    audit: Audit
    vitals: Vitals


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a stretch ended: how far it came, and what became of its slots."""

    progress: Progress
    audit: Audit


class Stretch:
    """A stretch of a soak.

    Args:
        settings: Those of the stretch: its state and its database are its own.
        environ: The environment of what it starts.
        folder: Where the service's log goes, and how far the stretch has come.
        progress: What to play, and what of it was played before.
        workflows: Those with a schedule, by id.
        company: All stretches of the soak.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        folder: Path,
        progress: Progress,
        workflows: Mapping[str, Workflow],
        company: Company,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._folder = folder
        self._progress = progress
        self._workflows = workflows
        self._company = company

    def play(self, tell: Callable[[Look], None]) -> Outcome:
        """Play it to its end; one that has ended before is audited again.

        Args:
            tell: Is told of every checkpoint.

        Raises:
            ServiceFailedError: The service did not start.
            StoreError: The database cannot be used.
            BrokenBarrierError: Another stretch cannot begin.
        """
        plan = self._progress.plan
        with Ledger(self._settings) as ledger:
            ledger.ask(lambda store: store.clock())  # the database is there before others come
            if self._progress.is_complete:
                return Outcome(progress=self._progress, audit=self._audit_before(ledger))
            before = self._with_cut_off(ledger)
            if before.parts:
                _withdraw(ledger, self._settings)
            ledger.pace = self._company.pace_of(before)
            with _service(
                self._settings, self._environ, self._folder, plan, ledger.pace
            ) as service:
                _await_schedules(ledger, self._settings, self._workflows, service, self._folder)
                if before.parts:
                    _await_nothing_due(ledger, self._settings, service)
                begins_at = self._company.begin(before, _real_now(ledger))
                begun = before.with_another(begins_at, ledger.pace.at(begins_at))
                records = _Records(self._settings, ledger, begun, self._workflows)
                played = _Play(begun, records, ledger, service, self._folder, self._company, tell)
                return played.to_its_end()

    def _with_cut_off(self, ledger: Ledger) -> Progress:
        """Note which slots were on their way when it was interrupted, before it goes on."""
        progress = self._progress
        if not progress.parts:
            return progress
        keys = tuple(self._audit_before(ledger).on_their_way)
        return progress.with_last(replace(progress.parts[-1], cut_off=keys))

    def _audit_before(self, ledger: Ledger) -> Audit:
        """Audit what was played before."""
        progress = self._progress
        records = _Records(self._settings, ledger, progress, self._workflows)
        return records.audit(now=progress.parts[-1].ended_at, is_over=progress.is_complete)


def _withdraw(ledger: Ledger, settings: Settings) -> None:
    """End the slots that an interrupted soak left on their way: their runs would be in the way."""

    def end(store: Store) -> None:
        slots = store.open_slots(settings.project, settings.environment)
        store.cancel_jobs(it.job_id for it in slots if it.job_id is not None)
        ids = [it.slot_id for it in slots]
        store.end_slots(ids, SlotStatus.CANCELLED, at=store.clock(), reason=INTERRUPTED)

    ledger.ask(end)


class _Records:
    """What was recorded since a stretch began, against what was to run in its parts."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        progress: Progress,
        workflows: Mapping[str, Workflow],
    ) -> None:
        self._scope = settings.project, settings.environment
        self._ledger = ledger
        self._speed = progress.plan.speed
        self._names = tuple(workflows)
        self._first = progress.parts[0]
        self._expected = expect_in(tuple(workflows.values()), progress.parts)

    def audit(self, *, now: datetime, is_over: bool) -> Audit:
        """Compare the two."""
        early = dict.fromkeys(self._names, self._first.began_at - EARLIER)
        slots = self._ledger.ask(lambda store: store.recorded_since(*self._scope, early))
        since = dict.fromkeys(self._names, self._first.really_began_at)
        runs = self._ledger.ask(lambda store: store.scheduled_runs(*self._scope, since, MOST_RUNS))
        return Audit(self._expected, slots, runs, now=now, speed=self._speed, is_over=is_over)


def _now(ledger: Ledger) -> datetime:
    return ledger.ask(lambda store: store.clock())


def _real_now(ledger: Ledger) -> datetime:
    return ledger.ask(lambda store: store.server_state().now)


class _Play:
    """A stretch whose service has begun; the last of its parts is what is to be played now."""

    def __init__(
        self,
        progress: Progress,
        records: _Records,
        ledger: Ledger,
        service: subprocess.Popen[bytes],
        folder: Path,
        company: Company,
        tell: Callable[[Look], None],
    ) -> None:
        self._progress = progress
        self._plan = progress.plan
        self._records = records
        self._ledger = ledger
        self._service = service
        self._folder = folder
        self._company = company
        self._tell = tell
        self._began = monotonic()
        self._part = progress.parts[-1]
        self._until = self._part.ended_at

    def to_its_end(self) -> Outcome:
        """Take account now and then until the time is over, then of everything.

        Slots that were begun may end, and their results be stored, before the service is stopped.
        """
        self._checkpoint()
        checkpoint_at = self._began + self._plan.checkpoint_seconds
        note_at = self._began + NOTE_SECONDS
        while (left := self._left_seconds()) > 0 and self._goes_on():
            self._company.wait(min(left, LOOK_SECONDS))
            if monotonic() >= checkpoint_at:
                self._checkpoint()
                checkpoint_at += self._plan.checkpoint_seconds
            if monotonic() >= note_at:
                self._note()
                note_at += NOTE_SECONDS
        is_complete = left <= 0 and self._settles()
        self._checkpoint(is_complete=is_complete, problem=self._problem())
        return Outcome(progress=self._progress, audit=self._audit(is_over=is_complete))

    def _settles(self) -> bool:
        """Wait for what is on its way, not for ever; tell whether nobody ended that early."""
        give_up_at = monotonic() + SETTLE_SECONDS
        while monotonic() < give_up_at and self._audit(is_over=False).on_their_way:
            if not self._goes_on():
                return False
            self._company.wait(LOOK_SECONDS)
        return True

    def _left_seconds(self) -> float:
        left = (self._until - _now(self._ledger)).total_seconds()
        return self._ledger.pace.real_seconds(left)

    def _goes_on(self) -> bool:
        return self._company.goes_on and self._service.poll() is None

    def _problem(self) -> str:
        code = self._service.poll()
        return "" if code is None else f"the service ended with exit code {code}"

    def _note(self, *, is_complete: bool = False, problem: str = "") -> None:
        """Note how far it has come, so that a soak that is killed can go on from here."""
        part = replace(
            self._part,
            ended_at=max(self._part.began_at, min(_now(self._ledger), self._until)),
            real_seconds=monotonic() - self._began,
            problem=problem,
        )
        self._progress = replace(self._progress.with_last(part), is_complete=is_complete)
        save(self._folder, self._progress)

    def _checkpoint(self, *, is_complete: bool = False, problem: str = "") -> None:
        connections = self._ledger.ask(lambda store: store.count_connections())
        vitals = measure(self._service.pid, connections, _now(self._ledger))
        self._progress = replace(self._progress, vitals=(*self._progress.vitals, vitals))
        self._note(is_complete=is_complete, problem=problem)
        played = self._progress.played_seconds
        audit = self._audit(is_over=False)
        self._tell(Look(played_seconds=played, audit=audit, vitals=vitals))

    def _audit(self, *, is_over: bool) -> Audit:
        return self._records.audit(now=_now(self._ledger), is_over=is_over)


@contextmanager
def _service(
    settings: Settings, environ: Mapping[str, str], folder: Path, plan: Plan, pace: Pace
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service; it ends when its standard input does, so it never outlives this process.

    It is in a session of its own, so that Ctrl-C is not meant for it.
    """
    order = Order(concurrency=plan.concurrency, stop_within_seconds=STOP_SECONDS, pace=pace)
    with (folder / SERVICE_LOG).open("wb") as log:
        service = subprocess.Popen(
            [sys.executable, "-m", SERVICE],
            cwd=settings.root,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    assert service.stdin is not None  # noqa: S101 - it was asked for above
    try:
        service.stdin.write(msgspec.json.encode(order) + b"\n")
        service.stdin.flush()
        yield service
    finally:
        with suppress(OSError):
            service.stdin.close()
        try:
            service.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            service.kill()
            service.wait()


def _await_schedules(
    ledger: Ledger,
    settings: Settings,
    workflows: Mapping[str, Workflow],
    service: subprocess.Popen[bytes],
    folder: Path,
) -> None:
    """Wait until the service is there and knows every schedule: from then on slots are expected.

    Raises:
        ServiceFailedError: It ended, or takes too long.
    """
    give_up_at = monotonic() + START_SECONDS
    names = list(workflows)
    scope = settings.project, settings.environment

    def is_ready(store: Store) -> bool:
        processes = store.processes(settings.project, store.server_state().now - EARLIER)
        is_there = any(f"/{service.pid}/" in it.scheduler_id for it in processes)
        return is_there and len(store.schedules(*scope, names)) == len(names)

    while not ledger.ask(is_ready):
        if service.poll() is not None or monotonic() > give_up_at:
            raise ServiceFailedError(
                f"The service did not start; {folder / SERVICE_LOG} tells why."
            )
        sleep(LOOK_SECONDS / 5)


def _await_nothing_due(
    ledger: Ledger, settings: Settings, service: subprocess.Popen[bytes]
) -> None:
    """Wait until runs have ended that make up for slots between two parts; they do not count."""
    give_up_at = monotonic() + SETTLE_SECONDS
    scope = settings.project, settings.environment
    ready_at = _now(ledger)

    def is_settled(store: Store) -> bool:
        now = store.clock()
        dues = [it.next_run_at for it in store.schedules(*scope)]
        if any(due is not None and due <= now for due in dues):
            return False
        return all(it.slot_at > ready_at for it in store.open_slots(*scope))

    while not ledger.ask(is_settled) and service.poll() is None and monotonic() < give_up_at:
        sleep(LOOK_SECONDS / 5)
