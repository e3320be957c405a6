"""The database of a soak, for questions; it may be away for a while."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar

from pytest_workflow_monitor.errors import StoreUnreachableError, WorkflowMonitorError
from pytest_workflow_monitor.store import open_store
from pytest_workflow_monitor.support.pace import REAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.support.pace import Pace

T = TypeVar("T")

PATIENCE_SECONDS = 900.0
PAUSE_SECONDS = 1.0


class Ledger:
    """Asks the database, and opens it anew after it was away.

    Args:
        settings: Which database.

    Attributes:
        pace: How quickly time passes on its clock.
    """

    def __init__(self, settings: Settings) -> None:
        self.pace: Pace = REAL
        self._settings = settings
        self._store: Store | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def ask(self, question: Callable[[Store], T]) -> T:
        """Ask until there is an answer.

        Raises:
            StoreError: The database cannot be used, or is away for very long.
        """
        give_up_at = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                if self._store is None:
                    self._store = open_store(self._settings)
                self._store.pace = self.pace
                return question(self._store)
            except StoreUnreachableError:
                self._close()
                if monotonic() > give_up_at:
                    raise
            sleep(PAUSE_SECONDS)

    def _close(self) -> None:
        if self._store is not None:
            with suppress(WorkflowMonitorError):
                self._store.close()
            self._store = None
