"""The database for a program with an event loop: asked in a thread, one question at a time."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from pytest_workflow_monitor.errors import StoreError, StoreSchemaError, WorkflowMonitorError
from pytest_workflow_monitor.store import open_store, queue_schema
from pytest_workflow_monitor.support.pace import REAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.support.pace import Pace

T = TypeVar("T")

PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds between tries to reach a database that is away; the last one again and again."""

logger = logging.getLogger("pytest_workflow_monitor.schedule")


class Desk:
    """Asks the database, and opens it anew after it was away.

    Args:
        settings: Which database.
        name: What it is for; its thread is called so.
        pace: How quickly time passes on the database's clock.
    """

    def __init__(self, settings: Settings, name: str, pace: Pace = REAL) -> None:
        self.settings = settings
        self._pace = pace
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._store: Store | None = None
        self._reached_at = monotonic()
        self._is_away = False

    @property
    def reachable_seconds(self) -> float:
        """Since when the database has answered without a break, as far as is known here."""
        return 0.0 if self._is_away else monotonic() - self._reached_at

    async def ask(self, question: Callable[[Store], T]) -> T:
        """Ask once.

        Raises:
            StoreError: The database cannot be used.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._answer, question)

    async def insist(self, question: Callable[[Store], T]) -> T:
        """Ask until there is an answer, with growing pauses while the database is away.

        Raises:
            StoreSchemaError: The tables are those of a newer version: no patience helps.
        """
        tries = 0
        while True:
            try:
                return await self.ask(question)
            except StoreSchemaError:
                raise
            except StoreError:
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1

    async def close(self) -> None:
        """Let go of the database."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._close)
        self._threads.shutdown()

    def _answer(self, question: Callable[[Store], T]) -> T:
        try:
            if self._store is None:
                self._store = open_store(self.settings)
                self._store.pace = self._pace
                queue_schema.prepare(self._store)
            answer = question(self._store)
        except StoreError as error:
            if not self._is_away:
                logger.warning("the database: %s", error, extra={"action": "database_away"})
            self._is_away = True
            self._close()
            raise
        if self._is_away:
            self._is_away = False
            self._reached_at = monotonic()
            logger.warning("the database answers again", extra={"action": "database_back"})
        return answer

    def _close(self) -> None:
        if self._store is not None:
            with suppress(WorkflowMonitorError):
                self._store.close()
            self._store = None
