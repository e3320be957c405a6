"""Delivers beside a session, so that neither the session nor its shipper waits for a channel."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from pytest_workflow_monitor.alerting.rules import rules_of
from pytest_workflow_monitor.errors import WorkflowMonitorError
from pytest_workflow_monitor.keeping.alerts import tend
from pytest_workflow_monitor.notify.delivery import deliver, next_due_at
from pytest_workflow_monitor.store.connection import Store

if TYPE_CHECKING:
    from pytest_workflow_monitor.settings import Settings

logger = logging.getLogger("pytest_workflow_monitor.notify")

TICK_SECONDS = 1.0
"""How long it waits between two looks at the outbox while the session runs."""

TEND_SECONDS = 30.0
"""How often it looks whether somebody is to be reminded."""


class Courier:
    """Delivers in a thread of its own with a database connection of its own.

    Args:
        settings: Whose messages, and the channels.
        url: The database, which has to be there as long as this lives.
    """

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        self._rules = rules_of(settings)
        self._url = url
        self._store: Store | None = None
        self._tend_at = 0.0
        self._leave_at: float | None = None
        self._problems: tuple[str, ...] = ()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name="messages", daemon=True)
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Wait until everything is delivered that is due within some seconds, and stop.

        What is left then, or due later, is left to the next process.
        """
        self._leave_at = monotonic() + seconds
        self._woken.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        pause: float | None = 0.0
        while pause is not None:
            self._woken.wait(pause)
            pause = self._guarded_round()
        self._close()

    def _guarded_round(self) -> float | None:
        """Do one round and return the pause after it; a session never fails for what happens."""
        try:
            return self._pause(moved=self._round())
        except WorkflowMonitorError as error:
            logger.warning("messages wait: %s", error)
        except Exception:
            logger.exception("messages wait")
        self._close()
        return TICK_SECONDS if self._leave_at is None else None

    def _round(self) -> bool:
        """Deliver what is due, and tell whether anything was."""
        if self._store is None:
            self._store = Store(self._url, project=self._settings.project)
        if monotonic() >= self._tend_at:
            tend(self._store, self._rules, self._settings.project, self._store.clock())
            self._tend_at = monotonic() + TEND_SECONDS
        done = deliver(self._store, self._settings)
        for problem in dict.fromkeys(done.problems):
            if problem not in self._problems:
                logger.warning("%s", problem)
        self._problems = done.problems or self._problems
        return done.moved

    def _pause(self, *, moved: bool) -> float | None:
        """Return how long to wait; None when there is nothing more to do in the time left."""
        if self._leave_at is None or self._store is None:
            return TICK_SECONDS
        self._woken.clear()
        due_at, now = next_due_at(self._store, self._settings), self._store.clock()
        left = self._leave_at - monotonic()
        if due_at is None or left <= 0 or due_at > now + timedelta(seconds=left):
            return None
        if due_at <= now and not moved:  # another process is at it, or only another one can
            return None
        return max((due_at - now).total_seconds(), 0.0)

    def _close(self) -> None:
        if self._store is not None:
            with suppress(WorkflowMonitorError):
                self._store.close()
            self._store = None
