"""What a detector says of a value."""

from __future__ import annotations

from enum import StrEnum

from pytest_workflow_monitor.model import Record


class Judgement(StrEnum):
    """What is to be said of a value."""

    NORMAL = "normal"
    HIGH = "high"
    LOW = "low"
    LEARNING = "learning"


class Verdict(Record, frozen=True, kw_only=True):
    """What is to be said of one value, in the unit of the values.

    Attributes:
        judgement: Normal, anomalously high or low; learning while too little is known to say.
        score: From 0, as expected, to 1; above 0.5 it is anomalous; 0 while learning.
        expected: The normal value at that instant; None while nothing is known.
        low: Where the normal range ends; None while nothing is known.
        high: Its other end.
        is_new_normal: Whether with this value another level or spread became normal.
    """

    judgement: Judgement
    score: float = 0.0
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    is_new_normal: bool = False

    @property
    def is_anomalous(self) -> bool:
        """Whether the value is anomalous, high or low."""
        return self.judgement in {Judgement.HIGH, Judgement.LOW}
