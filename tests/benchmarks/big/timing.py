"""What each statement cost: on the clock, and of the server's processor."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.store import Store

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """Milliseconds of some rounds."""

    wall_ms: list[float] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """The median on the clock."""
        return median(self.wall_ms)

    @property
    def server(self) -> float:
        """The median of the server's processor, which others on the machine hardly change."""
        return median(self.server_ms)


class Meter:
    """Measures what a store's statements cost while it is asked.

    Attributes:
        statements: Of each statement, by name.
    """

    def __init__(self, store: Store) -> None:
        self.statements: dict[str, Cost] = defaultdict(Cost)
        self._pid = store.connection.info.backend_pid
        for name in ("fetch", "fetch_binary", "fetch_one", "run", "write"):
            setattr(store, name, self._measured(getattr(store, name)))

    @contextmanager
    def measure(self, cost: Cost) -> Iterator[None]:
        """Add what happens meanwhile to a cost."""
        before, started = self._processor_ms(), perf_counter()
        yield
        cost.wall_ms.append((perf_counter() - started) * 1000)
        cost.server_ms.append(self._processor_ms() - before)

    def _measured(self, act: Any) -> Any:
        def measured(statement: str, /, **parameters: Any) -> Any:
            with self.measure(self.statements[statement]):
                return act(statement, **parameters)

        return measured

    def _processor_ms(self) -> float:
        """Read what the server process of this connection has used of a processor."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / TICKS
