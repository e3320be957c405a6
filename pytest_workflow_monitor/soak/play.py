"""Plays a soak: starts the service, takes account at checkpoints, and judges at the end."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.errors import CollectionError, WorkflowMonitorError
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.pace import REAL, Pace
from pytest_workflow_monitor.schedule.collecting import collect
from pytest_workflow_monitor.soak.account import Account, take_account
from pytest_workflow_monitor.soak.expectation import enabled, expect
from pytest_workflow_monitor.soak.ledger import Ledger
from pytest_workflow_monitor.soak.scratch import SERVICE_LOG
from pytest_workflow_monitor.soak.service import Order
from pytest_workflow_monitor.soak.verdict import Verdict, judge
from pytest_workflow_monitor.soak.vitals import Vitals, measure

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.settings import Settings

SERVICE = "pytest_workflow_monitor.soak.service"
START_SECONDS = 180.0
"""How long the service may take until it knows the schedules."""

SETTLE_SECONDS = 300.0
"""How long the last runs may take after the time is over, and their results to be stored."""

STOP_SECONDS = 10.0
LEAVE_SECONDS = 60.0
"""How long runs may go on when the soak stops, and how long the service may take to be gone."""

LOOK_SECONDS = 1.0
EARLIER = timedelta(days=1)
"""Slots before the first expected one matter, too: their runs may be in the way."""

MOST_RUNS = 10_000_000


class NoSchedulesError(WorkflowMonitorError):
    """No workflow here has a schedule: give its marker a `cron` or an `every`."""


class ServiceFailedError(WorkflowMonitorError):
    """The service did not start."""


class Plan(Record, frozen=True, kw_only=True):
    """What is to be played: how much time, how quickly, and how often it is told how it goes."""

    seconds: float
    speed: float
    checkpoint_seconds: float
    concurrency: int


class Checkpoint(Record, frozen=True, kw_only=True):
    """How it goes: how much time was played, what became of slots, and what was measured."""

    played_seconds: float
    account: Account
    vitals: Vitals


def play(
    settings: Settings,
    environ: Mapping[str, str],
    folder: Path,
    plan: Plan,
    *,
    stop: threading.Event,
    tell: Callable[[Checkpoint], None],
) -> Verdict:
    """Play a project's schedules and judge how that went.

    Args:
        settings: Those of the soak.
        environ: The environment of what it starts.
        folder: Where the service's log goes.
        plan: What to play.
        stop: Set, it ends the soak early.
        tell: Is told of every checkpoint.

    Raises:
        NoSchedulesError: There is nothing to play.
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
    with Ledger(settings) as ledger:
        ledger.ask(lambda store: store.clock())  # the database is there before others come
        ledger.pace = _pace(ledger, plan)
        with _service(settings, environ, folder, plan, ledger.pace) as service:
            _await_schedules(ledger, settings, workflows, service, folder)
            return _Play(settings, workflows, plan, ledger, service, stop, tell).to_its_end()


def _pace(ledger: Ledger, plan: Plan) -> Pace:
    """Let the played time end about when it is so in real time, so that none is in the future."""
    if plan.speed == 1:
        return REAL
    real_seconds = plan.seconds / plan.speed
    return Pace(speed=plan.speed, meets_at=_now(ledger) + timedelta(seconds=real_seconds))


def _now(ledger: Ledger) -> datetime:
    return ledger.ask(lambda store: store.clock())


class _Play:
    """A soak whose service has begun."""

    def __init__(
        self,
        settings: Settings,
        workflows: Mapping[str, Workflow],
        plan: Plan,
        ledger: Ledger,
        service: subprocess.Popen[bytes],
        stop: threading.Event,
        tell: Callable[[Checkpoint], None],
    ) -> None:
        self._scope = settings.project, settings.environment
        self._plan = plan
        self._ledger = ledger
        self._service = service
        self._stop = stop
        self._tell = tell
        self._began = monotonic()
        self._really_began_at = ledger.ask(lambda store: store.server_state().now)
        self._began_at = _now(ledger)
        self._until = self._began_at + timedelta(seconds=plan.seconds)
        self._expected = expect(workflows.values(), self._began_at, self._until)
        self._vitals: list[Vitals] = []

    def to_its_end(self) -> Verdict:
        """Take account now and then until the time is over, then of everything.

        Slots that were begun may end, and their results be stored, before the service is stopped.
        """
        self._checkpoint()
        checkpoint_at = self._began + self._plan.checkpoint_seconds
        while (left := self._left_seconds()) > 0 and self._goes_on():
            self._stop.wait(min(left, LOOK_SECONDS))
            if monotonic() >= checkpoint_at:
                self._checkpoint()
                checkpoint_at += self._plan.checkpoint_seconds
        is_complete = left <= 0
        give_up_at = monotonic() + SETTLE_SECONDS
        while is_complete and self._goes_on() and monotonic() < give_up_at:
            if not self._account(is_over=False).open:
                break
            self._stop.wait(LOOK_SECONDS)
        self._checkpoint()
        ended_at = min(_now(self._ledger), self._until)
        return judge(
            self._account(is_over=is_complete),
            self._vitals,
            began_at=self._began_at,
            ended_at=ended_at,
            real_seconds=monotonic() - self._began,
            speed=self._plan.speed,
            is_complete=is_complete,
            problem=self._problem(),
        )

    def _left_seconds(self) -> float:
        left = (self._until - _now(self._ledger)).total_seconds()
        return self._ledger.pace.real_seconds(left)

    def _goes_on(self) -> bool:
        return not self._stop.is_set() and self._service.poll() is None

    def _problem(self) -> str:
        code = self._service.poll()
        return "" if code is None else f"the service ended with exit code {code}"

    def _checkpoint(self) -> None:
        now = _now(self._ledger)
        connections = self._ledger.ask(lambda store: store.count_connections())
        vitals = measure(self._service.pid, connections, now)
        self._vitals.append(vitals)
        played = (min(now, self._until) - self._began_at).total_seconds()
        account = self._account(is_over=False)
        self._tell(Checkpoint(played_seconds=played, account=account, vitals=vitals))

    def _account(self, *, is_over: bool) -> Account:
        now = _now(self._ledger)
        since = dict.fromkeys(self._expected, self._really_began_at)
        before = dict.fromkeys(self._expected, self._began_at - EARLIER)
        return take_account(
            self._expected,
            self._ledger.ask(lambda store: store.recorded_since(*self._scope, before)),
            self._ledger.ask(lambda store: store.scheduled_runs(*self._scope, since, MOST_RUNS)),
            now=now,
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
    """Wait until the service knows every schedule: from then on slots are expected.

    Raises:
        ServiceFailedError: It ended, or takes too long.
    """
    give_up_at = monotonic() + START_SECONDS
    names = list(workflows)
    scope = settings.project, settings.environment
    while len(ledger.ask(lambda store: store.schedules(*scope, names))) < len(names):
        if service.poll() is not None or monotonic() > give_up_at:
            raise ServiceFailedError(
                f"The service did not start; {folder / SERVICE_LOG} tells why."
            )
        sleep(LOOK_SECONDS / 5)
