"""The pace of time: how quickly it passes for those who go by the store's clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from pytest_workflow_monitor.model import Record


class Pace(Record, frozen=True, kw_only=True):
    """Real time, or one that is played: more quickly, or later, or both.

    Attributes:
        speed: How many played seconds a real one has.
        meets_at: When played and real time would be the same; None at the speed of 1.
        behind_seconds: How far the played time is behind that.
    """

    speed: float = 1.0
    meets_at: datetime | None = None
    behind_seconds: float = 0.0

    @property
    def is_real(self) -> bool:
        """Whether it is real time."""
        return self.meets_at is None and not self.behind_seconds

    def at(self, real: datetime) -> datetime:
        """Return the played time at a real one."""
        behind = timedelta(seconds=self.behind_seconds)
        if self.meets_at is None:
            return real - behind
        return self.meets_at + (real - self.meets_at) * self.speed - behind

    def real_seconds(self, played: float) -> float:
        """Return how many real seconds some played ones take."""
        return played / self.speed


REAL = Pace()
