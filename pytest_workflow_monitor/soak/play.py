"""Plays a soak: starts the service, takes account at checkpoints, and judges at the end."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pytest_workflow_monitor.errors import CollectionError, WorkflowMonitorError
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.schedule.collecting import collect
from pytest_workflow_monitor.soak.account import Account, on_their_way, take_account
from pytest_workflow_monitor.soak.expectation import enabled
from pytest_workflow_monitor.soak.ledger import Ledger
from pytest_workflow_monitor.soak.progress import (
    Part,
    Plan,
    Progress,
    SchedulesChangedError,
    expect_in,
    save,
    schedules_of,
)
from pytest_workflow_monitor.soak.scratch import SERVICE_LOG
from pytest_workflow_monitor.soak.service import Order
from pytest_workflow_monitor.soak.verdict import Verdict, judge
from pytest_workflow_monitor.soak.vitals import Vitals, measure
from pytest_workflow_monitor.support.pace import REAL, Pace
from pytest_workflow_monitor.words.slots import SlotStatus

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.store.schedules import ScheduledRun
    from pytest_workflow_monitor.words.slots import Slot

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


class NoSchedulesError(WorkflowMonitorError):
    """No workflow here has a schedule: give its marker a `cron` or an `every`."""


class ServiceFailedError(WorkflowMonitorError):
    """The service did not start."""


class Checkpoint(Record, frozen=True, kw_only=True):
    """How it goes: how much time was played, what became of slots, and what was measured."""

    played_seconds: float
    account: Account
    vitals: Vitals


def play(
    settings: Settings,
    environ: Mapping[str, str],
    folder: Path,
    progress: Progress,
    *,
    stop: threading.Event,
    tell: Callable[[Checkpoint], None],
) -> Verdict:
    """Play a project's schedules and judge how that went.

    Args:
        settings: Those of the soak.
        environ: The environment of what it starts.
        folder: Where the service's log goes, and how far the soak has come.
        progress: What to play, and what of it was played before.
        stop: Set, it ends the soak early.
        tell: Is told of every checkpoint.

    Raises:
        NoSchedulesError: There is nothing to play.
        SchedulesChangedError: The soak began with other schedules.
        CollectionError: The tests cannot be collected, all of them.
        ServiceFailedError: The service did not start.
        StoreError: The database cannot be used.
    """
    collection = collect(settings)
    if collection.broken:
        raise CollectionError(f"{collection.broken[0]}.")
    workflows = enabled(collection.workflows, settings.environment)
    if not workflows:
        raise NoSchedulesError
    schedules = schedules_of(workflows.values())
    if progress.parts and progress.schedules != schedules:
        raise SchedulesChangedError
    with Ledger(settings) as ledger:
        ledger.ask(lambda store: store.clock())  # the database is there before others come
        before = _with_cut_off(settings, progress, ledger, workflows)
        if before.parts:
            _withdraw(ledger, settings)
        ledger.pace = _pace(ledger, progress)
        with _service(settings, environ, folder, progress.plan, ledger.pace) as service:
            _await_schedules(ledger, settings, workflows, service, folder)
            if before.parts:
                _await_nothing_due(ledger, settings, service)
            now = _now(ledger)
            part = Part(
                began_at=now,
                ended_at=now,
                really_began_at=ledger.ask(lambda store: store.server_state().now),
            )
            begun = replace(before, schedules=schedules, parts=(*before.parts, part))
            return _Play(
                settings, workflows, begun, ledger, service, folder, stop, tell
            ).to_its_end()


def _pace(ledger: Ledger, progress: Progress) -> Pace:
    """Let the played time end about when it is so in real time, so that none is in the future.

    Between two parts of a soak, as much played as real time passes.
    """
    if progress.plan.speed == 1:
        return REAL
    speed = progress.plan.speed
    real_seconds = (progress.plan.seconds - progress.played_seconds) / speed
    return Pace(speed=speed, meets_at=_now(ledger) + timedelta(seconds=real_seconds))


def _with_cut_off(
    settings: Settings, progress: Progress, ledger: Ledger, workflows: Mapping[str, Workflow]
) -> Progress:
    """Note which slots were on their way when a soak was interrupted, before it goes on."""
    if not progress.parts:
        return progress
    last = progress.parts[-1]
    records = _Records(settings, ledger, progress)
    keys = on_their_way(
        expect_in(tuple(workflows.values()), progress.parts),
        records.slots(),
        records.runs(),
        now=last.ended_at,
        speed=progress.plan.speed,
    )
    return progress.with_last(replace(last, cut_off=keys))


def _withdraw(ledger: Ledger, settings: Settings) -> None:
    """End the slots that an interrupted soak left on their way: their runs would be in the way."""

    def end(store: Store) -> None:
        slots = store.open_slots(settings.project, settings.environment)
        store.cancel_jobs(it.job_id for it in slots if it.job_id is not None)
        ids = [it.slot_id for it in slots]
        store.end_slots(ids, SlotStatus.CANCELLED, at=store.clock(), reason=INTERRUPTED)

    ledger.ask(end)


class _Records:
    """What was recorded since a soak began."""

    def __init__(self, settings: Settings, ledger: Ledger, progress: Progress) -> None:
        self._scope = settings.project, settings.environment
        self._ledger = ledger
        self._names = tuple(progress.schedules)
        self._first = progress.parts[0]

    def slots(self) -> tuple[Slot, ...]:
        since = dict.fromkeys(self._names, self._first.began_at - EARLIER)
        return self._ledger.ask(lambda store: store.recorded_since(*self._scope, since))

    def runs(self) -> tuple[ScheduledRun, ...]:
        since = dict.fromkeys(self._names, self._first.really_began_at)
        return self._ledger.ask(lambda store: store.scheduled_runs(*self._scope, since, MOST_RUNS))


def _now(ledger: Ledger) -> datetime:
    return ledger.ask(lambda store: store.clock())


class _Play:
    """A soak whose service has begun; the last of its parts is what is being played."""

    def __init__(
        self,
        settings: Settings,
        workflows: Mapping[str, Workflow],
        progress: Progress,
        ledger: Ledger,
        service: subprocess.Popen[bytes],
        folder: Path,
        stop: threading.Event,
        tell: Callable[[Checkpoint], None],
    ) -> None:
        self._progress = progress
        self._plan = progress.plan
        self._ledger = ledger
        self._service = service
        self._folder = folder
        self._stop = stop
        self._tell = tell
        self._began = monotonic()
        self._part = progress.parts[-1]
        left = self._plan.seconds - progress.played_seconds
        self._until = self._part.began_at + timedelta(seconds=left)
        to_come = progress.with_last(replace(self._part, ended_at=self._until))
        self._expected = expect_in(tuple(workflows.values()), to_come.parts)
        self._records = _Records(settings, ledger, progress)

    def to_its_end(self) -> Verdict:
        """Take account now and then until the time is over, then of everything.

        Slots that were begun may end, and their results be stored, before the service is stopped.
        """
        self._checkpoint()
        checkpoint_at = self._began + self._plan.checkpoint_seconds
        note_at = self._began + NOTE_SECONDS
        while (left := self._left_seconds()) > 0 and self._goes_on():
            self._stop.wait(min(left, LOOK_SECONDS))
            if monotonic() >= checkpoint_at:
                self._checkpoint()
                checkpoint_at += self._plan.checkpoint_seconds
            if monotonic() >= note_at:
                self._note()
                note_at += NOTE_SECONDS
        is_complete = left <= 0
        give_up_at = monotonic() + SETTLE_SECONDS
        while is_complete and self._goes_on() and monotonic() < give_up_at:
            if not self._account(is_over=False).open:
                break
            self._stop.wait(LOOK_SECONDS)
        self._checkpoint(is_complete=is_complete, problem=self._problem())
        return judge(self._account(is_over=is_complete), self._progress)

    def _left_seconds(self) -> float:
        left = (self._until - _now(self._ledger)).total_seconds()
        return self._ledger.pace.real_seconds(left)

    def _goes_on(self) -> bool:
        return not self._stop.is_set() and self._service.poll() is None

    def _problem(self) -> str:
        code = self._service.poll()
        return "" if code is None else f"the service ended with exit code {code}"

    def _note(self, *, is_complete: bool = False, problem: str = "") -> None:
        """Note how far it has come, so that a soak that is killed can go on from here."""
        part = replace(
            self._part,
            ended_at=min(_now(self._ledger), self._until),
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
        account = self._account(is_over=False)
        self._tell(Checkpoint(played_seconds=played, account=account, vitals=vitals))

    def _account(self, *, is_over: bool) -> Account:
        return take_account(
            self._expected,
            self._records.slots(),
            self._records.runs(),
            now=_now(self._ledger),
            speed=self._plan.speed,
            is_over=is_over,
        )


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
