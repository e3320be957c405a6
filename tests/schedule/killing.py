"""Schedulers and workers on one database while they are killed at random, and the account of it."""

from __future__ import annotations

import random
import signal
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Protocol

import psutil

from pytest_workflow_monitor.cron import times
from tests.schedule import stand_in
from tests.schedule.timetable import ENVIRONMENT, PROJECT, a_schedule, keep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.words.slots import Slot
    from tests.schedule.yard import Process, Yard

SCHEDULERS, WORKERS = 3, 4


@dataclass
class Account:
    """What became of every slot.

    Attributes:
        kills: How many processes were killed.
        expected: How many slots there should be.
        statuses: How many slots have which status.
        ran: How many slots ran.
        doubled: Slots that ran more than once.
        silent: Slots of which nothing is recorded, or no reason why they did not run.
        retried: How many slots were given to another worker.
    """

    kills: int = 0
    expected: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    ran: int = 0
    doubled: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    retried: int = 0


class Kind(Protocol):
    """What runs: pytest, or something cheaper.

    Attributes:
        interval_seconds: How long it is from slot to slot of each workflow.
        settle_seconds: How long the last runs may take after the last kill.
    """

    interval_seconds: int
    settle_seconds: float

    def prepare(self, yard: Yard, names: Sequence[str]) -> None:
        """Make the project, before any process starts."""

    def start(self, yard: Yard, kind: str) -> Process:
        """Start a scheduler without a worker, or a worker."""

    def begin(self, yard: Yard, names: Sequence[str]) -> None:
        """Return when the workflows have schedules."""

    def end(self, yard: Yard, names: Sequence[str]) -> None:
        """Let nothing more be due."""

    def ran(self, yard: Yard) -> tuple[Counter[int], Counter[int]]:
        """Count the runs of each slot: those of which there is anything, those that ended."""


class StandIns:
    """A cheap command instead of pytest, every two seconds."""

    interval_seconds = 2
    settle_seconds = 60.0

    def prepare(self, yard: Yard, names: Sequence[str]) -> None:
        """Nothing: the schedules are given."""

    def start(self, yard: Yard, kind: str) -> Process:
        """Start the program that stands in."""
        command = [sys.executable, stand_in.__file__, kind]
        return yard.start_program(command, PYTHONPATH=str(Path(__file__).parents[2]))

    def begin(self, yard: Yard, names: Sequence[str]) -> None:
        """Store the schedules."""
        rhythm = rhythm_of(self)
        first = next(times(rhythm, "UTC", yard.store.clock()))
        schedules = [
            a_schedule(it, cron_expression=rhythm, grace_seconds=20.0, next_run_at=first)
            for it in names
        ]
        keep(yard.store, schedules)

    def end(self, yard: Yard, names: Sequence[str]) -> None:
        """Take the schedules away."""
        yard.store.remove_schedules(PROJECT, ENVIRONMENT, names, yard.store.clock())

    def ran(self, yard: Yard) -> tuple[Counter[int], Counter[int]]:
        """Each run noted at its end that it ran."""
        rows = yard.store.connection.execute(
            "SELECT jsonb_array_elements_text(arguments)::bigint AS slot_id FROM test_sessions"
        ).fetchall()
        found = Counter(row["slot_id"] for row in rows)
        return found, found


def rhythm_of(kind: Kind) -> str:
    """Return the expression of the workflows."""
    return f"* * * * * */{kind.interval_seconds}"


class Massacre:
    """Runs the processes, and kills some.

    Args:
        yard: Where.
        workflows: How many workflows are due again and again.
        seed: Which processes are killed, and when.
        kind: What runs.
    """

    def __init__(self, yard: Yard, workflows: int, seed: int, kind: Kind | None = None) -> None:
        self._yard = yard
        self._kind = kind or StandIns()
        self._random = random.Random(seed)
        self._names = [f"workflow-{number}" for number in range(workflows)]
        self._processes: list[tuple[str, Process]] = []
        self._began_at: datetime | None = None

    def carry_out(self, kills: int, pause: float) -> Account:
        """Kill so many processes one after the other, let the rest settle, and take account."""
        self._kind.prepare(self._yard, self._names)
        for kind in ["scheduler"] * SCHEDULERS + ["worker"] * WORKERS:
            self._start(kind)
        for _, process in self._processes:
            process.until("started")
        self._kind.begin(self._yard, self._names)
        self._began_at = self._yard.store.clock()
        for _ in range(kills):
            sleep(self._random.uniform(0, 2 * pause))
            self._kill_one()
        until = self._yard.store.clock()
        self._await_dispatch(until)
        self._kind.end(self._yard, self._names)
        self._settle()
        for _, process in self._processes:
            process.signal(signal.SIGTERM)
        for _, process in self._processes:
            process.wait()
        return self._account(kills, until)

    def _start(self, kind: str) -> None:
        self._processes.append((kind, self._kind.start(self._yard, kind)))

    def _kill_one(self) -> None:
        """Kill a scheduler, a worker, or something that a worker has started."""
        index = self._random.randrange(len(self._processes))
        kind, process = self._processes[index]
        children = psutil.Process(process.popen.pid).children(recursive=True)
        if children and self._random.random() < 0.25:
            with suppress(psutil.NoSuchProcess):
                self._random.choice(children).kill()
            return
        process.kill()
        del self._processes[index]
        self._start(kind)

    def _await_dispatch(self, until: datetime) -> None:
        """Let the schedulers that live now catch up with what was due before."""
        give_up_at = monotonic() + self._kind.settle_seconds
        while monotonic() < give_up_at:
            due_at = self._yard.store.next_due_at(PROJECT, ENVIRONMENT)
            if due_at is None or due_at > until:
                return
            sleep(0.1)

    def _settle(self) -> None:
        give_up_at = monotonic() + self._kind.settle_seconds
        while self._yard.store.open_slots(PROJECT, ENVIRONMENT) and monotonic() < give_up_at:
            sleep(0.1)

    def _account(self, kills: int, until: datetime) -> Account:
        store = self._yard.store
        slots = store.slots(PROJECT, ENVIRONMENT)
        runs, ended = self._kind.ran(self._yard)
        account = Account(kills=kills, statuses=Counter(it.status.value for it in slots))
        account.ran = len(runs)
        account.retried = sum(it.tries > 1 for it in slots)
        account.doubled = [str(it) for it in slots if ended[it.slot_id] > 1]
        account.silent = [
            str(it) for it in slots if it.is_open or (not runs[it.slot_id] and not it.reason)
        ]
        for name in self._names:
            found = {it.slot_at: it for it in slots if it.workflow_id == name}
            for slot_at in self._expected(until):
                account.expected += 1
                if slot_at not in found and not self._is_covered(slot_at, found.values()):
                    account.silent.append(f"{name} at {slot_at}")
        return account

    def _expected(self, until: datetime) -> list[datetime]:
        """The slots that were due until the last kill."""
        assert self._began_at is not None
        found: list[datetime] = []
        for slot_at in times(rhythm_of(self._kind), "UTC", self._began_at):
            if slot_at > until:
                return found
            found.append(slot_at)
        return found

    def _is_covered(self, slot_at: datetime, slots: Iterable[Slot]) -> bool:
        """Whether one row stands for this slot and others that were missed with it."""
        interval = timedelta(seconds=self._kind.interval_seconds)
        return any(
            it.covers > 1 and it.slot_at <= slot_at < it.slot_at + it.covers * interval
            for it in slots
        )
