"""What is normal for a series of values: the words for it, and the little that is kept of it.

A series is one number of one workflow or step, in one environment and location, as it comes with
each execution. :class:`SeriesState` is all that is remembered of it, plain data of a few kilobytes
at most, which a detector (``series/anomalies.py``) makes and continues.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from pytest_workflow_monitor.model import Record

ALL = 1_000
LEAST_SETTLING = 5


class Scale(StrEnum):
    """On which scale deviations are compared."""

    LOG = "log"
    """Ratios: for durations, sizes and all that is positive; twice as slow is as far as half."""

    LINEAR = "linear"
    """Differences: for numbers that may be zero or negative, such as a layout shift."""


class Season(StrEnum):
    """Which rhythm the data were found to have."""

    NONE = "none"
    DAY = "day"
    WEEK = "week"


class SeriesOptions(Record, frozen=True, kw_only=True):
    """How a series is judged; the defaults suit durations of workflows.

    Attributes:
        scale: Ratios or differences.
        false_alarms: The sensitivity: how many normal points of 1,000 may be called anomalous,
            high and low together.
        learning_points: So many points are learned from before the first verdict.
        learning_hours: So long is learned before the first verdict.
        settle_points: A level that has lasted for so many points becomes the new normal.
        least_share: A deviation below this share of the median is never anomalous.
        least_difference: Nor is one below this, in the unit of the values.

    Raises:
        ValueError: ``false_alarms`` is not above 0 and below 1,000, or ``settle_points`` below 5.
    """

    scale: Scale = Scale.LOG
    false_alarms: float = 1.0
    learning_points: int = 12
    learning_hours: float = 24.0
    settle_points: int = 20
    least_share: float = 0.1
    least_difference: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.false_alarms < ALL:
            raise ValueError(f"false_alarms is above 0 and below 1,000, not {self.false_alarms:g}")
        if self.settle_points < LEAST_SETTLING:
            raise ValueError(f"settle_points is {LEAST_SETTLING} or more, not {self.settle_points}")


class Rhythm(Struct, omit_defaults=True):
    """What is remembered about hours, on the working scale: means over visits, and their number.

    Attributes:
        season: The rhythm that was found so far.
        day: By hour of the day.
        weekday: What a day of the week adds to it.
        week: What an hour of the week adds to both.
        levels: How far the latest visits lay above nothing, the day's and the week's prediction.
        hour: The present hour, counted from 1970.
        total: The sum of its values so far.
        count: Their number.
        today: The sums of the errors without rhythm, by day and by week; and their number.
        day_gain: Days, mean and variance of what knowing the hour of the day took off the error.
        week_gain: The same of the hour of the week.
    """

    season: Season = Season.NONE
    day: dict[int, tuple[float, int]] = {}
    weekday: dict[int, tuple[float, int]] = {}
    week: dict[int, float] = {}
    levels: tuple[float, float, float] = (0.0, 0.0, 0.0)
    hour: int = -1
    total: float = 0.0
    count: int = 0
    today: tuple[float, float, float, int] = (0.0, 0.0, 0.0, 0)
    day_gain: tuple[int, float, float] = (0, 0.0, 0.0)
    week_gain: tuple[int, float, float] = (0, 0.0, 0.0)


class SeriesState(Struct, omit_defaults=True):
    """Everything that is remembered of a series, to be stored as JSON and continued.

    Values are on the working scale (natural logarithms or the values themselves).

    Attributes:
        points: How many values were seen, the anomalous ones too.
        accepted: How many became part of what is normal.
        first_at: Instant of the first value, in seconds since 1970.
        latest_at: Instant of the last one.
        kept: Deviations from the rhythm, or plain values where there is none; oldest first.
        slots: The hour of the week of each of them, 0 for Monday from midnight.
        kept_at: Instant of the last one kept.
        spacing: Seconds that must lie between values to be kept.
        recent: The latest values, anomalous or not, with their hours; oldest first.
        strange: Which of the latest values were anomalous, as bits; the lowest is the last one.
        shifts: How often a new level became normal.
        shifted_at: Instant of the last time.
        rhythm: What is known about hours.
    """

    points: int = 0
    accepted: int = 0
    first_at: float = 0.0
    latest_at: float = 0.0
    kept: list[float] = []
    slots: list[int] = []
    kept_at: float = 0.0
    spacing: float = 0.0
    recent: list[tuple[float, int]] = []
    strange: int = 0
    shifts: int = 0
    shifted_at: float = 0.0
    rhythm: Rhythm | None = None


class HourNormal(Record, frozen=True, kw_only=True):
    """What is normal in one hour of the week, 0 for Monday from midnight to one."""

    hour: int
    low: float
    median: float
    high: float


class Baseline(Record, frozen=True, kw_only=True):
    """What is normal for a series, in the unit of its values.

    Attributes:
        median: The middle of the values kept.
        spread: Their robust standard deviation: 1.4826 times the median distance from the median.
        low: Below it a value is anomalous.
        high: Above it a value is anomalous.
        p95: The 95th percentile.
        mean: The arithmetic mean.
        sample_size: How many values became part of what is normal.
        season: The rhythm that was found.
        hours: The normal value of each hour of the week that was seen; empty without a season.
    """

    median: float
    spread: float
    low: float
    high: float
    p95: float
    mean: float
    sample_size: int
    season: Season = Season.NONE
    hours: tuple[HourNormal, ...] = ()
