"""Series of values that are made, with a known truth: kinds of noise, and what is planted in them.

Every series follows from its seed. Values are durations in milliseconds about 3,000.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import cos, exp, pi, sqrt
from random import Random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""

USUAL_MS = 3_000.0
NOISE = 0.2
PERSISTENCE = 0.6


class Made(NamedTuple):
    """A series and the places where something was planted."""

    instants: list[datetime]
    values: list[float]
    planted: list[int]


def normal(random: Random) -> Callable[[], float]:
    """Return factors that are normal about one."""
    return lambda: max(1 + NOISE / 2 * random.gauss(0, 1), 0.01)


def lognormal(random: Random) -> Callable[[], float]:
    """Return factors whose logarithms are normal."""
    return lambda: exp(NOISE * random.gauss(0, 1))


def gamma(random: Random) -> Callable[[], float]:
    """Return factors as of a sum of nine waits."""
    return lambda: random.gammavariate(9, 1 / 9)


def heavy(random: Random) -> Callable[[], float]:
    """Return factors whose logarithms follow Student's t with five degrees of freedom."""
    return lambda: exp(NOISE / 2 * random.gauss(0, 1) / sqrt(random.gammavariate(2.5, 2) / 5))


def persistent(random: Random) -> Callable[[], float]:
    """Return factors whose logarithms follow those before: autoregressive."""
    last = random.gauss(0, NOISE)

    def factor() -> float:
        nonlocal last
        own = sqrt(1 - PERSISTENCE**2) * random.gauss(0, NOISE)
        last = PERSISTENCE * last + own
        return exp(last)

    return factor


NOISES = {
    "normal": normal,
    "lognormal": lognormal,
    "gamma": gamma,
    "heavy-tailed": heavy,
    "autocorrelated": persistent,
}
SPREADS = {
    "normal": 0.1,
    "lognormal": 0.2,
    "gamma": 0.343,
    "heavy-tailed": 0.129,
    "autocorrelated": 0.2,
}
"""The standard deviation of the logarithms of each kind."""


def made(
    noise: str,
    seed: int,
    size: int,
    *,
    every: timedelta = timedelta(minutes=30),
    shape: Callable[[int, datetime], float] | None = None,
) -> Made:
    """Make a series of one kind of noise.

    Args:
        noise: One of the kinds.
        seed: What everything random follows from.
        size: How many values.
        every: The time between two.
        shape: By what a value is multiplied, from its number and instant.
    """
    factor = NOISES[noise](Random(f"{noise} {seed}"))
    instants = [START + number * every for number in range(size)]
    values = [
        USUAL_MS * factor() * (shape(number, instant) if shape else 1.0)
        for number, instant in enumerate(instants)
    ]
    return Made(instants, values, [])


def with_outliers(series: Made, seed: int, *, share: float, ratio: float, after: int) -> Made:
    """Multiply some of the values after the first ones."""
    random = Random(seed)
    places = [place for place in range(after, len(series.values)) if random.random() < share]
    values = list(series.values)
    for place in places:
        values[place] *= ratio
    return Made(series.instants, values, places)


def step(*places: int, ratio: float) -> Callable[[int, datetime], float]:
    """Return a shape whose level changes at each of these places, up and down in turn."""
    return lambda number, _: ratio ** (sum(number >= place for place in places) % 2)


def week(instant: datetime) -> float:
    """Return the factor of a shop's week: slow at noon, quick at night and at weekends."""
    by_hour = 0.4 * cos((instant.hour - 13) / 24 * 2 * pi)
    return exp(by_hour - (0.3 if instant.weekday() >= 5 else 0.0))
