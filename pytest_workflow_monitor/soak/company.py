"""What the stretches of a soak have in common: their clocks, when they begin, and when all end."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.support.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.soak.progress import Progress


class Company:
    """The stretches of a soak, each played by a thread.

    One begins, as played, when the one before it ends; the last ends about now, so that none is in
    the future, or at real speed when it does so in real time.

    Args:
        stretches: How far each of them came before.
        stop: Set, it ends them all early.
    """

    def __init__(self, stretches: Sequence[Progress], stop: threading.Event) -> None:
        self._stop = stop
        self._is_abandoned = False
        self._begun = threading.Event()
        to_play = sum(not it.is_complete for it in stretches) or 1
        self._barrier = threading.Barrier(to_play, self._begun.set)
        self._ready: list[datetime] = []
        self._now = datetime.now(UTC)
        self._left_seconds = max(it.left_seconds for it in stretches)

    def pace_of(self, stretch: Progress) -> Pace:
        """Return how time passes in a stretch; between two of its parts as much as in real time."""
        plan = stretch.plan
        later = plan.stretches - 1 - stretch.stretch
        behind = later * (plan.stretch_seconds - plan.apart_seconds * plan.speed)
        if plan.speed == 1:
            return Pace(behind_seconds=behind)
        meets_at = self._now + timedelta(seconds=self._left_seconds / plan.speed)
        return Pace(speed=plan.speed, meets_at=meets_at, behind_seconds=behind)

    def begin(self, stretch: Progress, now: datetime) -> datetime:
        """Wait until every stretch is ready, and return when this one begins, in real time.

        Raises:
            BrokenBarrierError: One of them cannot.
        """
        self._ready.append(now)
        self._barrier.wait()
        return max(self._ready) + timedelta(seconds=stretch.stretch * stretch.plan.apart_seconds)

    @property
    def goes_on(self) -> bool:
        """Whether nobody has ended it."""
        return not (self._is_abandoned or self._stop.is_set())

    def wait(self, seconds: float) -> None:
        """Wait, unless somebody asks for the end."""
        self._stop.wait(seconds)

    def abandon(self) -> None:
        """End all stretches: without one of them the others are of no use."""
        self._is_abandoned = True
        if not self._begun.is_set():
            self._barrier.abort()
