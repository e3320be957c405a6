"""A scheduler: dispatches when slots are due, looks after slots of the dead, and does chores."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.schedule.chores import CATALOGUE, CHORES
from pytest_workflow_monitor.schedule.desk import PAUSES
from pytest_workflow_monitor.schedule.dispatch import dispatch
from pytest_workflow_monitor.schedule.rescue import rescue
from pytest_workflow_monitor.schedule.signs import HeartbeatUrl
from pytest_workflow_monitor.words.slots import SlotStatus

if TYPE_CHECKING:
    from pytest_workflow_monitor.schedule.desk import Desk
    from pytest_workflow_monitor.schedule.dispatch import Dispatched
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

MOST_PAUSE = 30.0
BUSY_PAUSE = 0.25
"""How long it waits when something is due that another scheduler is busy with."""

SAID_AWAY_SECONDS = 5.0
CHORE_TICK = 1.0

logger = logging.getLogger("pytest_workflow_monitor.schedule")


class Scheduler:
    """Dispatches and does chores.

    Args:
        settings: Whose schedules.
        desk: The database, for what must not wait.
        slow_desk: The database, for chores that may take long.
        name: What it is called in slots.
    """

    def __init__(self, settings: Settings, desk: Desk, slow_desk: Desk, *, name: str) -> None:
        self.settings = settings
        self.catalogue_problem = ""
        self._desk = desk
        self._slow_desk = slow_desk
        self._name = name
        self._woken = asyncio.Event()
        self._chores_at = dict.fromkeys(CHORES, 0.0)
        self._away_since: float | None = None
        self._heartbeat = HeartbeatUrl(settings.heartbeat_url)
        self._pings = ThreadPoolExecutor(1, thread_name_prefix="heartbeat")

    def reload(self, settings: Settings) -> None:
        """Go on with other settings, and look at the catalogue at once."""
        self.settings = settings
        self._heartbeat = HeartbeatUrl(settings.heartbeat_url)
        self._chores_at[CATALOGUE] = 0.0
        self._woken.set()

    async def dispatch_for_ever(self) -> None:
        """Dispatch whenever a slot is due, and at least every half minute."""
        failures = 0
        while True:
            self._woken.clear()
            self._pings.submit(self._heartbeat.start)
            try:
                pause = await self._desk.ask(self.cycle)
                self._pings.submit(self._heartbeat.success)
                failures = 0
            except Exception as error:  # noqa: BLE001 - the next cycle may well do
                self._note_failure(error)
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                failures += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause)

    def cycle(self, store: Store) -> float:
        """Queue what is due, and return how long nothing will be."""
        settings = self.settings
        done = dispatch(store, settings, store.clock(), by=self._name)
        if self._away_since is not None:
            self._say_caught_up(done, monotonic() - self._away_since)
            self._away_since = None
        due_at = store.next_due_at(settings.project, settings.environment)
        if due_at is None:
            return MOST_PAUSE
        left = store.pace.real_seconds((due_at - store.clock()).total_seconds())
        return min(left, MOST_PAUSE) if left > 0 else BUSY_PAUSE

    async def do_chores(self) -> None:
        """Do every chore when its time has come, one after the other."""
        while True:
            for name, chore in CHORES.items():
                if monotonic() >= self._chores_at[name]:
                    self._chores_at[name] = monotonic() + chore.seconds
                    await self.do(name)
            await asyncio.sleep(CHORE_TICK)

    async def do(self, name: str) -> None:
        """Do one chore; what fails is tried again when its time comes."""
        try:
            problem = await self._slow_desk.ask(lambda store: CHORES[name].do(store, self.settings))
        except StoreError as error:
            logger.debug("%s: %s", name, error)
            self._chores_at[name] = monotonic() + PAUSES[-1]
            return
        except Exception:
            logger.exception("%s", name, extra={"action": "chore_failed", "chore": name})
            return
        if name == CATALOGUE:
            self.catalogue_problem = problem
            self._woken.set()

    async def rescue(self) -> None:
        """Look after the slots of dead workers, once the database has answered long enough."""
        if self._desk.reachable_seconds >= self.settings.worker_timeout_seconds:
            await self.rescue_now()

    async def rescue_now(self) -> None:
        """Look after the slots of dead workers at once, for a process that does not stay."""
        settings = self.settings
        silent = settings.worker_timeout_seconds
        await self._desk.ask(lambda store: rescue(store, settings, silent_seconds=silent))

    def close(self) -> None:
        """Stop telling the heartbeat URL."""
        self._pings.shutdown(wait=False, cancel_futures=True)

    def _note_failure(self, error: Exception) -> None:
        self._pings.submit(self._heartbeat.fail, f"{type(error).__name__}")
        if isinstance(error, StoreError):
            if self._away_since is None:
                self._away_since = monotonic()
        else:
            logger.error("a cycle failed", exc_info=error, extra={"action": "cycle_failed"})

    def _say_caught_up(self, done: Dispatched, seconds: float) -> None:
        if seconds < SAID_AWAY_SECONDS and not done.slots:
            return
        missed = [it for it in done.slots if it.status is SlotStatus.MISSED]
        logger.warning(
            "after %s without the database: %s run, %s missed",
            wording.duration(seconds * 1000),
            wording.plural(len(done.queued), "slot"),
            sum(it.covers for it in missed),
            extra={
                "action": "caught_up",
                "away_seconds": seconds,
                "queued": len(done.queued),
                "missed": sum(it.covers for it in missed),
            },
        )
