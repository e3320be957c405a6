"""The processes: scheduler and worker in one, a worker alone, a tick; their signals and signs."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pytest_workflow_monitor import settings as configuration
from pytest_workflow_monitor.errors import StoreError, WorkflowMonitorError
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.notify.courier import Courier
from pytest_workflow_monitor.recording.identity import new_id
from pytest_workflow_monitor.schedule import signs
from pytest_workflow_monitor.schedule.chores import CATALOGUE
from pytest_workflow_monitor.schedule.desk import Desk
from pytest_workflow_monitor.schedule.scheduler import Scheduler
from pytest_workflow_monitor.schedule.worker import Worker
from pytest_workflow_monitor.store.queue import Process
from pytest_workflow_monitor.support.pace import REAL
from pytest_workflow_monitor.words.queues import DEFAULT_QUEUE

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.support.pace import Pace

BEATS = 3
"""So many signs of life fit into the time that a worker may be silent."""

HAND_BACK_SECONDS = 15.0
"""How long handing back may take: to interrupt pytest, and to tell the database."""

MESSAGES_SECONDS = 10.0

logger = logging.getLogger("pytest_workflow_monitor.schedule")


class Options(Record, frozen=True, kw_only=True):
    """What a process is to do.

    Attributes:
        schedules: Whether it is a scheduler.
        queues: Which queues it works on; empty for the default one and that of the location.
        concurrency: How many jobs it works on at once; 0 for none.
        stop_within_seconds: How long a run may go on after the process was asked to stop.
        heartbeat_file: A file whose time tells that the process lives.
    """

    schedules: bool = True
    queues: tuple[str, ...] = ()
    concurrency: int = 3
    stop_within_seconds: float = 60.0
    heartbeat_file: Path | None = None


class Service:
    """One process.

    Args:
        settings: The effective settings.
        options: What it is to do.
        pace: How quickly time passes for schedules; signs of life and limits are in real time.
    """

    def __init__(self, settings: Settings, options: Options, pace: Pace = REAL) -> None:
        self._settings = settings
        self._options = options
        host, pid = socket.gethostname(), os.getpid()
        self._process = Process(
            scheduler_id=f"{host}/{pid}/{new_id()[-6:]}",
            project=settings.project,
            environment=settings.environment,
            kind="scheduler" if options.schedules else "worker",
            host=host,
            pid=pid,
            queues=options.queues or default_queues(settings),
            concurrency=options.concurrency,
        )
        self._desk = Desk(settings, "scheduler", pace)
        self._slow_desk = Desk(settings, "chores", pace)
        self._work_desk = Desk(settings, "worker", pace)
        self._scheduler = Scheduler(
            settings, self._desk, self._slow_desk, name=self._process.scheduler_id
        )
        self._worker = Worker(
            settings,
            self._work_desk,
            name=self._process.scheduler_id,
            queues=self._process.queues,
            concurrency=max(options.concurrency, 1),
            heartbeat_seconds=self._beat_seconds,
        )
        self._courier: Courier | None = None
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    @property
    def _beat_seconds(self) -> float:
        return self._settings.worker_timeout_seconds / BEATS

    async def run(self) -> int:
        """Work until a signal stops it, and return the exit code."""
        self._listen()
        loops: list[Coroutine[Any, Any, None]] = [self._beat_for_ever()]
        if self._options.schedules:
            loops += [self._scheduler.dispatch_for_ever(), self._scheduler.do_chores()]
        watchdog = signs.watchdog_seconds()
        if watchdog:
            loops.append(_feed(watchdog / 2))
        tasks = [asyncio.create_task(it) for it in loops]
        working = asyncio.create_task(self._work())
        self._say_started()
        signs.tell_systemd("READY=1")
        stopping = asyncio.create_task(self._stop.wait())
        watched: list[asyncio.Task[Any]] = [stopping, working, *tasks]
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        failed = [it for it in (working, *tasks) if it.done() and it.exception() is not None]
        for task in failed:
            logger.error("stopped", exc_info=task.exception(), extra={"action": "failed"})
        signs.tell_systemd("STOPPING=1")
        await self._end_work(working)
        stopping.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._leave()
        return 1 if failed else 0

    def _say_started(self) -> None:
        process = self._process
        logger.info(
            "started: %s, queues %s",
            process.kind,
            ", ".join(process.queues),
            extra={
                "action": "started",
                "kind": process.kind,
                "scheduler_id": process.scheduler_id,
                "queues": process.queues,
                "concurrency": process.concurrency,
            },
        )

    async def tick(self) -> bool:
        """Queue what is due, run what waits, and end.

        Returns:
            Whether the schedules could be read from the tests, all of them.

        Raises:
            StoreError: The database cannot be used.
        """
        self._listen()
        self._process = replace(self._process, scheduler_id=f"{self._process.host}/tick")
        await self._beat()
        await self._scheduler.do(CATALOGUE)
        await self._desk.ask(self._scheduler.cycle)
        await self._scheduler.rescue_now()
        beating = asyncio.create_task(self._beat_for_ever())
        working = asyncio.create_task(self._worker.work(waits=False))
        stopping = asyncio.create_task(self._stop.wait())
        watched: list[asyncio.Task[Any]] = [stopping, working]
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        await self._end_work(working)
        for name in ("reconcile", "journals", "reports"):
            await self._scheduler.do(name)
        stopping.cancel()
        beating.cancel()
        await self._leave()
        return not self._scheduler.catalogue_problem

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _asked_to_stop(self, number: signal.Signals) -> None:
        if self._stop.is_set():
            self._hurry.set()
        logger.info("%s", number.name, extra={"action": "stopping", "signal": number.name})
        self._stop.set()

    def _reload(self) -> None:
        """Read the settings again; mistakes in them leave everything as it is."""
        signs.tell_systemd("RELOADING=1")
        try:
            settings = configuration.load(self._settings.root)
        except WorkflowMonitorError as error:
            logger.error("%s", error, extra={"action": "reload_failed"})  # noqa: TRY400 - one line
        else:
            self._settings = settings
            self._worker.settings = settings
            self._scheduler.reload(settings)
            logger.info("reloaded", extra={"action": "reloaded"})
        signs.tell_systemd("READY=1")

    async def _work(self) -> None:
        if self._options.concurrency:
            await self._worker.work()
        else:
            await self._stop.wait()

    async def _end_work(self, working: asyncio.Task[None]) -> None:
        """Let runs end in the time that they have, then hand them back."""
        self._worker.stop()
        hurry = asyncio.create_task(self._hurry.wait())
        within = self._options.stop_within_seconds
        watched: list[asyncio.Task[Any]] = [working, hurry]
        await asyncio.wait(watched, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not working.done():
            self._worker.hand_back()
            await asyncio.wait([working], timeout=HAND_BACK_SECONDS)
        if not working.done():
            logger.error("runs could not be handed back", extra={"action": "left_behind"})
            self._worker.give_up()
            working.cancel()

    async def _beat_for_ever(self) -> None:
        """Give signs of life, and look after those who give none."""
        while True:
            signs.touch(self._options.heartbeat_file)
            with suppress(StoreError):
                await self._beat()
                if self._options.schedules:
                    await self._scheduler.rescue()
            await asyncio.sleep(self._beat_seconds)

    async def _beat(self) -> None:
        process = replace(self._process, catalogue_problem=self._scheduler.catalogue_problem)

        def beat(store: Store) -> str:
            store.beat(process, store.clock())
            return store.url

        url = await self._desk.ask(beat)
        if self._courier is None and self._settings.channels:
            self._courier = Courier(self._settings, url)

    async def _leave(self) -> None:
        if self._courier is not None:
            await asyncio.to_thread(self._courier.finish, MESSAGES_SECONDS)
        with suppress(StoreError):
            name = self._process.scheduler_id
            await self._desk.ask(lambda store: store.leave(name, store.clock()))
        self._scheduler.close()
        for desk in (self._desk, self._slow_desk, self._work_desk):
            await desk.close()
        logger.info("stopped", extra={"action": "stopped"})


def default_queues(settings: Settings) -> tuple[str, ...]:
    """Return the queues of workers that are told none."""
    return tuple(dict.fromkeys(filter(None, (DEFAULT_QUEUE, settings.location))))


async def _feed(seconds: float) -> None:
    """Tell systemd's watchdog that the loop goes round."""
    while True:
        signs.tell_systemd("WATCHDOG=1")
        await asyncio.sleep(seconds)
