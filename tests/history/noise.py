"""How durations vary: skewed, alike from one run to the next, now and then much longer."""

from __future__ import annotations

import random
from math import cos, exp, pi, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tests.history.truth import Season

LOAD_SPREAD = 0.055
LOAD_MEMORY = 0.6
STEP_SPREAD = 0.13
STRAGGLERS = 0.004
WEEKEND = 5


class Noise:
    """The load that one series of runs meets: log-normal around 1, and remembering itself."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)
        self._load = self.chance.gauss(0, 1)

    def next_load(self) -> float:
        """Return the factor that all durations of the next run share."""
        kept = LOAD_MEMORY * self._load
        self._load = kept + sqrt(1 - LOAD_MEMORY**2) * self.chance.gauss(0, 1)
        return exp(LOAD_SPREAD * self._load)

    def step_ms(self, median_ms: float) -> float:
        """Return how long a step takes under a load of 1."""
        took = median_ms * exp(STEP_SPREAD * self.chance.gauss(0, 1))
        if self.chance.random() < STRAGGLERS:
            took *= 1.5 + self.chance.random()
        return took

    def around(self, median: float, spread: float) -> float:
        """Return a log-normal value of a spread of its own."""
        return median * exp(spread * self.chance.gauss(0, 1))


def season_at(season: Season | None, moment: datetime) -> float:
    """Return what a season multiplies durations by at a moment."""
    if season is None:
        return 1.0
    hours = moment.hour + moment.minute / 60 - season.peak_hour
    daily = 1 + season.daily * cos(2 * pi * hours / 24)
    return daily * (season.weekend if moment.weekday() >= WEEKEND else 1.0)
