"""Procrastinate, the queue: its connection to our schema, and its one task."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException

from pytest_workflow_monitor.errors import WorkflowMonitorError
from pytest_workflow_monitor.schedule.desk import PAUSES
from pytest_workflow_monitor.store.database import conninfo
from pytest_workflow_monitor.store.queries import SQL
from pytest_workflow_monitor.words.queues import TASK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from procrastinate.connector import Notify
    from procrastinate.jobs import Job

T = TypeVar("T")

MAX_CONNECTIONS = 4
CONNECT_SECONDS = 10.0

logger = logging.getLogger("pytest_workflow_monitor.schedule")


class HandedBackError(WorkflowMonitorError):
    """The worker stops, and its slots wait for another one."""


class PatientConnector(PsycopgConnector):
    """Waits for a database that is away, so that neither a worker nor its heartbeat ends by it.

    A statement may be repeated whose answer was lost. Of those that matter, a job that was fetched
    twice is found by the scheduler: no worker has begun its slots.

    Args:
        given_up: Set, it waits no more: the process ends, and the database may never come back.
        arguments: Those of the connector.
    """

    def __init__(self, given_up: asyncio.Event, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._given_up = given_up

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Run a statement."""
        await self._patiently(
            lambda: super(PatientConnector, self).execute_query_async(query, **arguments)
        )

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """Run a statement and return its first row."""
        return await self._patiently(
            lambda: super(PatientConnector, self).execute_query_one_async(query, **arguments)
        )

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """Run a statement and return its rows."""
        return await self._patiently(
            lambda: super(PatientConnector, self).execute_query_all_async(query, **arguments)
        )

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Listen for new jobs, for ever."""
        await self._patiently(
            lambda: super(PatientConnector, self).listen_notify(on_notification, channels)
        )

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        tries = 0
        while True:
            try:
                return await call()
            except ConnectorException as error:
                if self._given_up.is_set() or not isinstance(
                    error.__cause__, psycopg.OperationalError
                ):
                    raise
                logger.debug("the queue waits: %s", error.__cause__)
            except psycopg.OperationalError as error:
                if self._given_up.is_set():
                    raise
                logger.debug("the queue waits: %s", error)
            with suppress(TimeoutError):
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
                await asyncio.wait_for(self._given_up.wait(), pause)
            tries += 1


class _AfterHandingBack(BaseRetryStrategy):
    """Lets a job wait again whose worker has stopped."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002 - Procrastinate's signature
        return RetryDecision() if isinstance(exception, HandedBackError) else None


def make_app(
    url: str, run_slots: Callable[[list[int]], Awaitable[None]], given_up: asyncio.Event
) -> App:
    """Return the queue of a database.

    Args:
        url: The store's.
        run_slots: Runs the slots of a job.
        given_up: Set, nobody waits any more for a database that is away.
    """
    connector = PatientConnector(
        given_up,
        conninfo=conninfo(url),
        min_size=1,
        max_size=MAX_CONNECTIONS,
        timeout=CONNECT_SECONDS,
        configure=_prepare,
    )
    app = App(connector=connector)

    @app.task(name=TASK, retry=_AfterHandingBack())
    async def run(slot_ids: list[int]) -> None:
        await run_slots(slot_ids)

    return app


async def _prepare(connection: psycopg.AsyncConnection[Any]) -> None:
    """Make a new connection ours: Procrastinate's statements find its tables by search_path."""
    await connection.execute(SQL["prepare_connection"])
    await connection.commit()
