"""Judges the values of a series one by one as they come, and learns what is normal from them.

A value is anomalous when it leaves the range that a next normal value leaves only as often as
``false_alarms`` allows. Anomalous values teach nothing, until they have become the rule. Cost and
measured quality are in ``docs/analysis.md``.
"""

from __future__ import annotations

from math import exp, isfinite, log
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.analysis.series import rhythm as rhythms
from pytest_workflow_monitor.analysis.series import settling
from pytest_workflow_monitor.analysis.series.baselines import (
    Baseline,
    HourNormal,
    Rhythm,
    Scale,
    Season,
    SeriesOptions,
    SeriesState,
)
from pytest_workflow_monitor.analysis.series.sample import MAD_OF_NORMAL, Sample, quantile
from pytest_workflow_monitor.analysis.series.verdicts import Judgement, Verdict

if TYPE_CHECKING:
    from datetime import datetime

LEAST_POSITIVE = 1e-6
"""On the scale of ratios, what is smaller counts as this."""

LEAST_KEPT = 3
"""From so many values on a range can be told at all."""

LARGEST_LOG = 700.0
DIGITS = 4
PER_THOUSAND = 1e-3
SECONDS_AN_HOUR = 3600
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(SeriesState)


class Detector:
    """Judges a series and continues its baseline.

    The hour of a value is that of its instant's own zone: hand in local instants where people keep
    local hours.

    Args:
        options: How to judge; they are not part of the state and can change.
        state: What was remembered; without one the series begins.
    """

    def __init__(
        self, options: SeriesOptions | None = None, state: SeriesState | None = None
    ) -> None:
        self.options = options or SeriesOptions()
        self.state = state or SeriesState()
        self._sample = Sample(self.state.kept)

    @classmethod
    def decode(cls, encoded: bytes | str, options: SeriesOptions | None = None) -> Detector:
        """Continue from what :meth:`encode` returned.

        Raises:
            msgspec.DecodeError: It is something else.
        """
        return cls(options, _decoder.decode(encoded))

    def encode(self) -> bytes:
        """Return the state as JSON: half a kilobyte at first, 7 kB at most."""
        return _encoder.encode(self.state)

    def feed(self, instant: datetime, value: float) -> Verdict:
        """Judge one more value and learn from it.

        Args:
            instant: When it was measured; aware. A value that comes late, after younger ones, is
                judged, but not kept.
            value: A finite number.

        Raises:
            ValueError: The value is not finite; nothing was learned.
        """
        if not isfinite(value):
            raise ValueError(f"a series holds finite numbers, not {value}")
        state, seconds = self.state, instant.timestamp()
        if not state.points:
            state.first_at = seconds
        verdict, slot, work = self._look(instant, seconds, value)
        state.points += 1
        state.latest_at = max(state.latest_at, seconds)
        is_new_normal = self._learn(seconds, slot, work, strange=verdict.is_anomalous)
        self._follow_rhythm(instant, seconds, work, strange=verdict.is_anomalous)
        return msgspec.structs.replace(verdict, is_new_normal=True) if is_new_normal else verdict

    def judge(self, instant: datetime, value: float) -> Verdict:
        """Judge a value without learning from it."""
        return self._look(instant, instant.timestamp(), value)[0]

    def _look(self, instant: datetime, seconds: float, value: float) -> tuple[Verdict, int, float]:
        slot = _slot(instant)
        work = self._work(value)
        bounds = self._bounds(slot)
        if bounds is None:
            return Verdict(judgement=Judgement.LEARNING), slot, work
        low, expected, high = bounds
        if self._is_learning(seconds):
            judgement, score = Judgement.LEARNING, 0.0
        else:
            judgement = (
                Judgement.HIGH
                if value > high
                else Judgement.LOW
                if value < low
                else Judgement.NORMAL
            )
            score = self._score(work, *map(self._work, bounds))
        verdict = Verdict(judgement=judgement, score=score, expected=expected, low=low, high=high)
        return verdict, slot, work

    def _is_learning(self, seconds: float) -> bool:
        state, options = self.state, self.options
        hours = (seconds - state.first_at) / SECONDS_AN_HOUR
        return state.points < options.learning_points or hours < options.learning_hours

    def _bounds(self, slot: int) -> tuple[float, float, float] | None:
        """Return where the normal range begins, its middle and its end; None where unknown."""
        base = self._base(slot)
        if base is None or len(self._sample.ordered) < LEAST_KEPT:
            return None
        rate = self.options.false_alarms * PER_THOUSAND
        low, high = self._sample.limits(rate)
        middle = self._value(base + self._sample.quantile(0.5))
        least = self._least(middle)
        return (
            min(self._value(base + low), middle - least),
            middle,
            max(self._value(base + high), middle + least),
        )

    def _least(self, middle: float) -> float:
        """Return the smallest deviation that can be anomalous, in the unit of the values."""
        return max(abs(middle) * self.options.least_share, self.options.least_difference)

    def _least_work(self, base: float) -> float:
        """Return the same on the working scale."""
        if not self._sample.ordered:
            return 0.0
        middle = self._value(base + self._sample.quantile(0.5))
        return self._work(middle + self._least(middle)) - self._work(middle)

    @staticmethod
    def _score(work: float, low: float, middle: float, high: float) -> float:
        """Return 0 in the middle, 0.5 where the normal range ends, 1 infinitely far off."""
        room = high - middle if work > middle else middle - low
        distance = abs(work - middle)
        return round(distance / (distance + room), DIGITS) if distance else 0.0

    def _learn(self, seconds: float, slot: int, work: float, *, strange: bool) -> bool:
        base = self._base(slot)
        if base is None:
            return False
        left = rhythms.rounded(work - base, is_level=self.season is Season.NONE)
        state = self.state
        if not strange:
            state.accepted += 1
            settling.keep(state, self._sample, seconds, slot, left)
        state.strange = (state.strange << 1 | strange) & ((1 << 2 * self.options.settle_points) - 1)
        state.recent.append((left, slot))
        del state.recent[: -2 * self.options.settle_points]
        sample = settling.settled(
            state, self._sample, self.options.settle_points, self._least_work(base)
        )
        if sample is None:
            return False
        self._sample = sample
        state.shifts += 1
        state.shifted_at = seconds
        return True

    def _follow_rhythm(
        self, instant: datetime, seconds: float, work: float, *, strange: bool
    ) -> None:
        state = self.state
        rhythm = state.rhythm
        if rhythm is None:
            rhythm = state.rhythm = Rhythm()
        if strange and rhythm.season is not Season.NONE:
            return
        offset = instant.utcoffset()
        hour = int((seconds + (offset.total_seconds() if offset else 0.0)) // SECONDS_AN_HOUR)
        if rhythms.learn(rhythm, hour, work, self._sample.spread):
            season = rhythms.found(rhythm)
            if season is not rhythm.season:
                self._sample = settling.rebase(state, rhythm, season)

    def _base(self, slot: int) -> float | None:
        rhythm = self.state.rhythm
        return 0.0 if rhythm is None else rhythms.predicted(rhythm, slot, rhythm.season)

    def _work(self, value: float) -> float:
        if self.options.scale is Scale.LINEAR:
            return value
        return log(max(value, LEAST_POSITIVE))

    def _value(self, work: float) -> float:
        return work if self.options.scale is Scale.LINEAR else exp(min(work, LARGEST_LOG))

    def baseline(self, instant: datetime | None = None) -> Baseline | None:
        """Say what is normal: at the hour of an instant, or over all hours; None while unknown."""
        slots = sorted(set(self.state.slots)) if instant is None else [_slot(instant)]
        bounds = [found for found in map(self._bounds, slots) if found is not None]
        values = self._values(None if instant is None else slots[0])
        if not bounds or not values:
            return None
        median = quantile(values, 0.5)
        off = sorted(abs(value - median) for value in values)
        return Baseline(
            median=median,
            spread=MAD_OF_NORMAL * quantile(off, 0.5),
            low=min(low for low, _, _ in bounds),
            high=max(high for _, _, high in bounds),
            p95=quantile(values, 0.95),
            mean=sum(values) / len(values),
            sample_size=self.state.accepted,
            season=self.season,
            hours=self._hours(),
        )

    @property
    def season(self) -> Season:
        """The rhythm that was found so far."""
        return Season.NONE if self.state.rhythm is None else self.state.rhythm.season

    def _values(self, slot: int | None) -> list[float]:
        """The kept values in their unit, sorted; with a slot, as if all were of that hour."""
        kept = zip(self.state.kept, self.state.slots, strict=True)
        bases = ((left, self._base(own if slot is None else slot)) for left, own in kept)
        return sorted(self._value(left + base) for left, base in bases if base is not None)

    def _hours(self) -> tuple[HourNormal, ...]:
        if self.season is Season.NONE:
            return ()
        found = ((slot, self._bounds(slot)) for slot in range(rhythms.HOURS_A_WEEK))
        return tuple(
            HourNormal(hour=slot, low=bounds[0], median=bounds[1], high=bounds[2])
            for slot, bounds in found
            if bounds is not None
        )


def _slot(instant: datetime) -> int:
    return instant.weekday() * rhythms.HOURS_A_DAY + instant.hour
