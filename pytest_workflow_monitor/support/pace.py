"""The pace of time: how quickly it passes for those who go by the store's clock."""

from __future__ import annotations

from datetime import datetime

from pytest_workflow_monitor.model import Record


class Pace(Record, frozen=True, kw_only=True):
    """Real time, or one that is played more quickly and meets real time at one instant.

    Attributes:
        speed: How many played seconds a real one has.
        meets_at: When played and real time are the same; None at the speed of 1.
    """

    speed: float = 1.0
    meets_at: datetime | None = None

    @property
    def is_real(self) -> bool:
        """Whether it is real time."""
        return self.meets_at is None

    def at(self, real: datetime) -> datetime:
        """Return the played time at a real one."""
        if self.meets_at is None:
            return real
        return self.meets_at + (real - self.meets_at) * self.speed

    def real_seconds(self, played: float) -> float:
        """Return how many real seconds some played ones take."""
        return played / self.speed


REAL = Pace()
