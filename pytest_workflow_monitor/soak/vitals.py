"""How the machine and the service fare during a soak: memory, connections, load."""

from __future__ import annotations

import os
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

import psutil

from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARE = 10
"""A tenth of the checkpoints tells how it was at the start, and another how it was at the end."""

MEMORY_GROWTH, MEMORY_GROWTH_MB = 0.25, 32.0
"""Memory that grew by both, a share and an amount, has grown."""

CONNECTIONS_GROWTH = 4
LEAST = 20
"""With fewer checkpoints nothing has grown: each end would be a moment, with runs or without."""


class Vitals(Record, frozen=True, kw_only=True):
    """What was measured at one moment.

    ``memory_mb`` is the resident memory of scheduler and worker, without the runs that they start;
    ``processes`` counts those. ``connections`` are those to the database, without the soak's own.
    """

    at: datetime
    memory_mb: float
    processes: int
    connections: int
    load: float


class Growth(Record, frozen=True, kw_only=True):
    """Something at the start and at the end: medians over a tenth of the checkpoints each."""

    start: float
    end: float
    has_grown: bool

    @property
    def more(self) -> float:
        """How much more it is at the end."""
        return self.end - self.start


def measure(pid: int, connections: int, at: datetime) -> Vitals:
    """Measure a process; one that is gone has no memory."""
    memory, processes = 0.0, 0
    try:
        service = psutil.Process(pid)
        memory = service.memory_info().rss / 1e6
        processes = len(service.children(recursive=True))
    except psutil.NoSuchProcess:
        pass
    return Vitals(
        at=at,
        memory_mb=memory,
        processes=processes,
        connections=connections,
        load=os.getloadavg()[0],
    )


def together(found: Sequence[Vitals]) -> Vitals:
    """Return what several services take at about the same moment."""
    return Vitals(
        at=max(it.at for it in found),
        memory_mb=sum(it.memory_mb for it in found),
        processes=sum(it.processes for it in found),
        connections=sum(it.connections for it in found),
        load=max(it.load for it in found),
    )


def memory_growth(found: Sequence[Vitals]) -> Growth:
    """Judge the memory."""
    start, end = _ends([it.memory_mb for it in found])
    more = end - start
    return Growth(
        start=start,
        end=end,
        has_grown=len(found) >= LEAST and more > MEMORY_GROWTH_MB and more > MEMORY_GROWTH * start,
    )


def connection_growth(found: Sequence[Vitals]) -> Growth:
    """Judge the connections."""
    start, end = _ends([float(it.connections) for it in found])
    has_grown = len(found) >= LEAST and end - start > CONNECTIONS_GROWTH
    return Growth(start=start, end=end, has_grown=has_grown)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Return the medians of the first and the last values, the very first left out: it warms up."""
    settled = values[1:] or values
    if not settled:
        return 0.0, 0.0
    some = max(len(settled) // SHARE, 1)
    return median(settled[:some]), median(settled[-some:])
