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
from typing import TYPE_CHECKING

import psutil

from pytest_workflow_monitor.cron import times
from tests.schedule import stand_in
from tests.schedule.timetable import ENVIRONMENT, PROJECT, a_schedule, keep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_workflow_monitor.slots import Slot
    from tests.schedule.yard import Process, Yard

SCHEDULERS, WORKERS = 3, 4
RHYTHM = "* * * * * */2"
"""A slot every two seconds."""

SETTLE_SECONDS = 60.0


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


class Massacre:
    """Runs the processes, and kills some.

    Args:
        yard: Where.
        workflows: How many workflows are due every two seconds.
        seed: Which processes are killed, and when.
    """

    def __init__(self, yard: Yard, workflows: int, seed: int) -> None:
        self._yard = yard
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._names = [f"workflow-{number}" for number in range(workflows)]
        self._processes: list[tuple[str, Process]] = []
        self._began_at: datetime | None = None

    def carry_out(self, kills: int, pause: float) -> Account:
        """Kill so many processes one after the other, let the rest settle, and take account."""
        for kind in ["scheduler"] * SCHEDULERS + ["worker"] * WORKERS:
            self._start(kind)
        for _, process in self._processes:
            process.until("started")
        self._begin()
        for _ in range(kills):
            sleep(self._random.uniform(0, 2 * pause))
            self._kill_one()
        until = self._yard.store.clock()
        self._end()
        self._settle()
        for _, process in self._processes:
            process.signal(signal.SIGTERM)
        for _, process in self._processes:
            process.wait()
        return self._account(kills, until)

    def _start(self, kind: str) -> None:
        command = [sys.executable, stand_in.__file__, kind]
        root = str(Path(__file__).parents[2])
        self._processes.append((kind, self._yard.start_program(command, PYTHONPATH=root)))

    def _begin(self) -> None:
        self._began_at = self._yard.store.clock()
        schedules = [
            a_schedule(
                it,
                cron_expression=RHYTHM,
                grace_seconds=20.0,
                next_run_at=next(times(RHYTHM, "UTC", self._began_at)),
            )
            for it in self._names
        ]
        keep(self._yard.store, schedules)

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

    def _end(self) -> None:
        """Let nothing more be due."""
        now = self._yard.store.clock()
        self._yard.store.remove_schedules(PROJECT, ENVIRONMENT, self._names, now)

    def _settle(self) -> None:
        give_up_at = monotonic() + SETTLE_SECONDS
        while self._yard.store.open_slots(PROJECT, ENVIRONMENT) and monotonic() < give_up_at:
            sleep(0.1)

    def _account(self, kills: int, until: datetime) -> Account:
        store = self._yard.store
        slots = store.slots(PROJECT, ENVIRONMENT)
        rows = store.connection.execute(
            "SELECT jsonb_array_elements_text(arguments)::bigint AS slot_id FROM test_sessions"
        ).fetchall()
        runs = Counter(row["slot_id"] for row in rows)
        account = Account(kills=kills, statuses=Counter(it.status.value for it in slots))
        account.ran = len(runs)
        account.retried = sum(it.tries > 1 for it in slots)
        account.doubled = [str(it) for it in slots if runs[it.slot_id] > 1]
        account.silent = [
            str(it) for it in slots if it.is_open or (not runs[it.slot_id] and not it.reason)
        ]
        for name in self._names:
            found = {it.slot_at: it for it in slots if it.workflow_id == name}
            for slot_at in self._expected(until):
                account.expected += 1
                if slot_at not in found and not _is_covered(slot_at, found.values()):
                    account.silent.append(f"{name} at {slot_at}")
        return account

    def _expected(self, until: datetime) -> list[datetime]:
        """The slots that were surely dispatched: the last may have been taken away."""
        assert self._began_at is not None
        found: list[datetime] = []
        for slot_at in times(RHYTHM, "UTC", self._began_at):
            if slot_at > until - timedelta(seconds=10):
                return found
            found.append(slot_at)
        return found


def _is_covered(slot_at: datetime, slots: Iterable[Slot]) -> bool:
    """Whether one row stands for this slot and others that were missed with it."""
    return any(
        it.covers > 1 and it.slot_at <= slot_at < it.slot_at + it.covers * timedelta(seconds=2)
        for it in slots
    )
