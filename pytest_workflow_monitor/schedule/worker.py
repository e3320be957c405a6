"""A worker: takes jobs from the queue and runs their slots, never one that is somebody else's.

Three things make that so. A slot begins by a compare-and-set: who changes it from queued to
running has it, and its session's id is the proof. A worker gives signs of life; of one that is
silent, schedulers take the slots back. And a worker that was only frozen or cut off sees at its
next sign of life that they are not its own any more, and ends their run.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
from procrastinate.exceptions import ConnectorException, JobAborted
from procrastinate.worker import Worker as Fetcher

from pytest_workflow_monitor.alerting.rules import rules_of
from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.health.network import network_problem
from pytest_workflow_monitor.keeping.alerts.others import Problem, clear_problems, report_problems
from pytest_workflow_monitor.model import Overlap, Record
from pytest_workflow_monitor.recording.identity import new_id
from pytest_workflow_monitor.schedule import runner
from pytest_workflow_monitor.schedule.desk import PAUSES
from pytest_workflow_monitor.schedule.endings import Ending, How, Verdict, verdict
from pytest_workflow_monitor.schedule.queueing import HandedBackError, make_app
from pytest_workflow_monitor.words.alerts import AlertKind
from pytest_workflow_monitor.words.queues import Appointment, job_queue
from pytest_workflow_monitor.words.slots import Schedule, Slot, SlotStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from procrastinate import App

    from pytest_workflow_monitor.schedule.desk import Desk
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

POLL_SECONDS = 5.0
"""How often it looks for jobs of which it was not told, such as those that wait again."""

MOST_WAIT_SECONDS = 60.0
"""A slot may at least wait so long for a worker, however short its grace."""

FORGET_SECONDS = 86_400.0
"""Workers that were silent so long are forgotten; what they left is looked after long before."""

logger = logging.getLogger("pytest_workflow_monitor.schedule")


class Began(Record, frozen=True, kw_only=True):
    """What a worker has begun: slots that are its own now, and their schedules."""

    slots: tuple[Slot, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    missed: tuple[Slot, ...] = ()


class Control:
    """How a run is told to stop, and why."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.is_handed_back = False
        self.is_lost = False


class Worker:
    """Runs slots.

    Args:
        settings: Whose slots.
        desk: The database.
        name: What it is called in slots and among the schedulers.
        queues: Which queues it takes jobs from.
        concurrency: How many jobs at once.
        heartbeat_seconds: How often it gives a sign of life.
    """

    def __init__(
        self,
        settings: Settings,
        desk: Desk,
        *,
        name: str,
        queues: Sequence[str],
        concurrency: int,
        heartbeat_seconds: float,
    ) -> None:
        self.settings = settings
        self._desk = desk
        self._name = name
        self._queues = tuple(queues)
        self._concurrency = concurrency
        self._heartbeat_seconds = heartbeat_seconds
        self._runs: set[Control] = set()
        self._stopping = asyncio.Event()
        self._hands_back = False
        self._given_up = asyncio.Event()
        self._fetcher: Fetcher | None = None

    @property
    def queues(self) -> tuple[str, ...]:
        """The queue's queues that it takes jobs from."""
        return tuple(
            job_queue(self.settings.project, self.settings.environment, it) for it in self._queues
        )

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs."""
        return not self._runs

    async def work(self, *, waits: bool = True) -> None:
        """Take jobs until it is stopped, or without waiting, until there are none."""
        tries = 0
        while not self._stopping.is_set():
            url = await self._desk.insist(lambda store: store.url)
            app = make_app(url, self.run_slots, self._given_up)
            try:
                async with app.open_async():
                    await self._fetch(app, waits=waits)
                if not waits:
                    return
                tries = 0
            except (ConnectorException, psycopg.Error) as error:
                logger.warning(
                    "the queue: %s", error.__cause__ or error, extra={"action": "queue_away"}
                )
                await self._pause(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1

    def stop(self) -> None:
        """Take no more jobs; what runs goes on."""
        self._stopping.set()
        if self._fetcher is not None:
            self._fetcher.stop()  # type: ignore[no-untyped-call]  # Procrastinate's

    def hand_back(self) -> None:
        """Stop what runs, and let its slots wait for another worker."""
        self._hands_back = True
        for run in self._runs:
            run.is_handed_back = True
            run.stop.set()

    def give_up(self) -> None:
        """Wait no more for a database that is away: the process ends."""
        self._given_up.set()

    async def run_slots(self, slot_ids: list[int]) -> None:
        """Run the slots of a job, together if there are several.

        Raises:
            HandedBackError: This worker stops; the job is to wait for another one.
            JobAborted: Somebody asked for it to be stopped.
        """
        if self._hands_back:
            raise HandedBackError
        control = Control()
        self._runs.add(control)
        try:
            began = await self._begin(slot_ids, session_id := new_id())
            if began.slots:
                await self._run(began, session_id, control)
        finally:
            self._runs.discard(control)

    async def _fetch(self, app: App, *, waits: bool) -> None:
        self._fetcher = Fetcher(
            app=app,
            name=self._name,
            queues=list(self.queues),
            concurrency=self._concurrency,
            wait=waits,
            listen_notify=waits,
            fetch_job_polling_interval=POLL_SECONDS,
            install_signal_handlers=False,
            update_heartbeat_interval=self._heartbeat_seconds,
            stalled_worker_timeout=FORGET_SECONDS,
        )
        if self._stopping.is_set():
            return
        beating = asyncio.create_task(self._beat(app, self._fetcher))
        try:
            await self._fetcher.run()  # type: ignore[no-untyped-call]  # Procrastinate's
        finally:
            beating.cancel()
            self._fetcher = None

    async def _beat(self, app: App, fetcher: Fetcher) -> None:
        """Give signs of life for as long as anything runs: Procrastinate ends its own before."""
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            if fetcher.worker_id is not None:
                await app.job_manager.update_heartbeat(fetcher.worker_id)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _begin(self, slot_ids: Sequence[int], session_id: str) -> Began:
        """Make slots this worker's own; others were cancelled, or taken over."""
        settings, name = self.settings, self._name
        began = await self._desk.insist(
            lambda store: begin(store, settings, slot_ids, session_id, name)
        )
        for slot in began.missed:
            self._log(slot)
        return began

    async def _run(self, began: Began, session_id: str, control: Control) -> None:
        """Run slots and record how that ended.

        1. Without a network, nothing is to be learnt about a site: the slots do not run.
        2. Run pytest, while looking whether the slots are still this worker's.
        3. Somebody wants it stopped: cancelled, or handed back to another worker.
        4. Several of which one keeps pytest from running the others run one by one.
        5. Record the end, and tell of problems that only the runner sees.
        """
        settings = self.settings
        slots = began.slots
        no_network = await asyncio.to_thread(network_problem, settings)
        if no_network:
            await self._end(
                began, session_id, Verdict(status=SlotStatus.NOT_RUN, reason=no_network)
            )
            return
        appointment = Appointment(
            session_id=session_id,
            slot_at=min(it.slot_at for it in slots),
            slot_ids=tuple(it.slot_id for it in slots),
        )
        run = runner.plan(settings, began.schedules, appointment)
        ending, is_cancelled = await self._carry_out(run, control)
        if is_cancelled:
            await self._end(began, session_id, Verdict(status=SlotStatus.CANCELLED), ending)
            raise JobAborted
        if control.is_lost:
            for slot in slots:
                self._log(slot, taken_over=True)
            return
        if control.is_handed_back and ending.how is How.STOPPED:
            await self._give_back(slots, session_id, "its worker stopped")
            raise HandedBackError
        found = verdict(ending, run.limit_seconds)
        if len(slots) > 1 and found.status is SlotStatus.NOT_RUN:
            await self._one_by_one(began, session_id, control)
            return
        await self._end(began, session_id, found, ending)

    async def _carry_out(self, run: runner.Run, control: Control) -> tuple[Ending, bool]:
        """Run pytest; also tell whether Procrastinate asked to abort the job."""
        running = asyncio.create_task(runner.carry_out(run, self.settings, control.stop))
        watching = asyncio.create_task(self._watch(run.appointment, control))
        try:
            return await asyncio.shield(running), False
        except asyncio.CancelledError:
            control.stop.set()
            return await running, True
        finally:
            watching.cancel()

    async def _watch(self, appointment: Appointment, control: Control) -> None:
        """Stop a run whose slots are not this worker's any more."""
        ids, session_id = appointment.slot_ids, appointment.session_id
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            with suppress(StoreError):
                if not await self._desk.ask(lambda store: store.held_slots(ids, session_id)):
                    control.is_lost = True
                    control.stop.set()
                    return

    async def _one_by_one(self, began: Began, session_id: str, control: Control) -> None:
        await self._give_back(began.slots, session_id, "run alone: together they could not run")
        for slot in began.slots:
            alone = await self._begin([slot.slot_id], own := new_id())
            if alone.slots:
                await self._run(alone, own, control)

    async def _give_back(self, slots: Iterable[Slot], session_id: str, reason: str) -> None:
        ids = [it.slot_id for it in slots]

        def give_back(store: Store) -> tuple[Slot, ...]:
            with store.transaction():
                return store.hand_back_slots(store.lock_held_slots(ids, session_id), reason=reason)

        for slot in await self._desk.insist(give_back):
            self._log(slot)

    async def _end(
        self, began: Began, session_id: str, found: Verdict, ending: Ending | None = None
    ) -> None:
        settings = self.settings
        kept = ending and runner.keep_output(ending, settings, session_id)
        reason = (
            f"{found.reason}; its output is in {kept}" if kept and found.reason else found.reason
        )
        ended = await self._desk.insist(
            lambda store: end(
                store,
                began.slots,
                session_id,
                Verdict(status=found.status, reason=reason),
                ending.exit_code if ending else None,
            )
        )
        await self._tell(began, found, reason)
        for slot in ended:
            self._log(slot, seconds=ending.seconds if ending else None)

    async def _tell(self, began: Began, found: Verdict, reason: str) -> None:
        """Open an alert about what kept workflows from running, or resolve it."""
        if found.status is SlotStatus.CANCELLED:
            return
        settings = self.settings
        with suppress(StoreError):  # the slot tells it too, and so does the log
            if found.is_problem:
                await self._desk.ask(lambda store: _report(store, settings, began, reason))
            elif found.status is SlotStatus.DONE:
                await self._desk.ask(lambda store: _clear(store, settings, began))

    def _log(self, slot: Slot, *, seconds: float | None = None, taken_over: bool = False) -> None:
        """Write the one line of a slot that has ended, or goes elsewhere."""
        what = "taken over by another worker" if taken_over else slot.status.value
        is_fine = slot.status is SlotStatus.DONE and not slot.reason and not taken_over
        logger.log(
            logging.INFO if is_fine else logging.WARNING,
            "slot %s of %s: %s%s%s",
            slot.slot_at.isoformat(),
            slot.workflow_id,
            what,
            "" if slot.exit_code is None else f", exit code {slot.exit_code}",
            f", {slot.reason}" if slot.reason else "",
            extra={
                "action": "slot_taken_over" if taken_over else f"slot_{slot.status.value}",
                "workflow_id": slot.workflow_id,
                "environment": slot.environment,
                "slot_at": slot.slot_at.isoformat(),
                "status": slot.status.value,
                "reason": slot.reason,
                "lateness_seconds": slot.lateness_seconds,
                "exit_code": slot.exit_code,
                "session_id": slot.session_id,
                "tries": slot.tries,
                "seconds": seconds,
            },
        )


def begin(
    store: Store, settings: Settings, slot_ids: Sequence[int], session_id: str, by: str
) -> Began:
    """Make slots that wait a worker's own, in the name of a session; may be repeated.

    Those that nobody took for longer than their grace are recorded as missed. One that was begun
    before, or queues behind others, has waited by right.
    """
    now = store.clock()
    scope = settings.project, settings.environment
    with store.transaction():
        waiting = [it for it in store.slots(*scope, slot_ids=slot_ids) if it.is_open]
        names = [it.workflow_id for it in waiting]
        schedules = {it.workflow_id: it for it in store.schedules(*scope, names, with_removed=True)}
        late = [it.slot_id for it in waiting if _is_late(it, schedules[it.workflow_id], now)]
        missed = store.end_slots(
            late, SlotStatus.MISSED, at=now, reason="no worker took it within its grace"
        )
        store.start_slots([it.slot_id for it in waiting], at=now, by=by, session_id=session_id)
        held = store.held_slots([it.slot_id for it in waiting], session_id)
        mine = tuple(sorted(store.slots(*scope, slot_ids=held), key=lambda it: it.slot_id))
    return Began(
        slots=mine, schedules=tuple(schedules[it.workflow_id] for it in mine), missed=missed
    )


def end(
    store: Store,
    slots: Sequence[Slot],
    session_id: str,
    found: Verdict,
    exit_code: int | None,
) -> tuple[Slot, ...]:
    """Record the end of a run in those of its slots that still belong to it."""
    now = store.clock()
    with store.transaction():
        held = store.lock_held_slots([it.slot_id for it in slots], session_id)
        return store.end_slots(
            held,
            found.status,
            at=now,
            reason=found.reason,
            exit_code=exit_code,
            session_id=session_id,
        )


def _is_late(slot: Slot, schedule: Schedule, now: datetime) -> bool:
    waited = (now - slot.claimed_at).total_seconds()
    return (
        slot.status is SlotStatus.QUEUED
        and slot.tries == 0
        and schedule.overlap is not Overlap.QUEUE
        and waited > max(schedule.grace_seconds, MOST_WAIT_SECONDS)
    )


def _report(store: Store, settings: Settings, began: Began, reason: str) -> None:
    problems = [
        Problem(
            key=it.workflow_id,
            kind=AlertKind.RUNNER,
            reason=reason,
            name=it.workflow_name,
            priority=it.priority,
            cause=reason,
        )
        for it in began.schedules
    ]
    scope = settings.project, settings.environment
    report_problems(store, rules_of(settings), *scope, problems, store.clock())


def _clear(store: Store, settings: Settings, began: Began) -> None:
    scope = settings.project, settings.environment
    names = [it.workflow_id for it in began.schedules]
    clear_problems(
        store, rules_of(settings), *scope, names, AlertKind.RUNNER, "it ran", store.clock()
    )
