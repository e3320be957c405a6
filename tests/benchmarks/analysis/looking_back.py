"""Changes of level and forecasts: what was planted and found, and what nothing was planted for."""

from __future__ import annotations

from datetime import timedelta
from math import exp
from random import Random
from statistics import median
from time import process_time

from pytest_workflow_monitor.analysis import Change, find_changes, forecast
from tests.benchmarks.analysis.wording import percent
from tests.made_series import NOISES, SPREADS, START, Made, made, step, week
from tests.real_series import REAL

SERIES = 40
PLACES = (120, 220)
NEAR = 10
HALF_DAY = timedelta(hours=12)
LIMIT = 4_000.0


def changes_of(series: Made) -> tuple[Change, ...]:
    """Look for changes in a series as the defaults do."""
    return find_changes(series.instants, series.values)


def measure() -> None:
    """Measure and print."""
    print(f"Changes of level up at {PLACES[0]} and down at {PLACES[1]} of 300 points, by so many")
    print(
        f"spreads, {SERIES} series: found within {NEAR} points, distance (median), interval right"
    )
    for noise in NOISES:
        print(f"{noise:16}" + " | ".join(_changes(noise, spreads) for spreads in (1, 1.5, 2.5)))
    print(f"\nChanges claimed per 1,000 points of {SERIES} series of 300 points without any")
    for noise in NOISES:
        claims = sum(len(changes_of(made(noise, seed, 300))) for seed in range(SERIES))
        print(f"{noise:16}{1_000 * claims / SERIES / 300:.2f}")
    print("\nA change by 30 % in a series with a week's rhythm, 10 series")
    for days, every in ((28, timedelta(minutes=30)), (56, timedelta(hours=1))):
        print(f"{days} days, every {every!s:9}{_in_season(timedelta(days=days) // every, every)}")
    print("\nReal series")
    for name in REAL:
        print(f"{name:16}{_real(name)}")
    print("\nForecasts: daily values of 30 days that rise to their limit, noise 5 %, 200 series")
    print(_forecasts())
    print()
    for size in (300, 1_000, 2_000, 5_000):
        series = made("lognormal", 1, size, shape=step(size // 3, ratio=1.3))
        changes_of(series)
        began = process_time()
        changes_of(series)
        print(f"changes in {size:5,} points take {process_time() - began:.3f} s of CPU")


def _changes(noise: str, spreads: float) -> str:
    hits = claims = covered = 0
    off: list[int] = []
    for seed in range(SERIES):
        shape = step(*PLACES, ratio=exp(spreads * SPREADS[noise]))
        series = made(noise, seed + 1_000, 300, shape=shape)
        found = changes_of(series)
        claims += len(found)
        for truth in PLACES:
            near = min(found, key=lambda one: abs(one.index - truth), default=None)
            if near is None or abs(near.index - truth) > NEAR:
                continue
            hits += 1
            off.append(abs(near.index - truth))
            covered += near.earliest_at < series.instants[truth] <= near.latest_at
    return (
        f"{spreads}: precision {percent(hits, claims)}, recall {percent(hits, 2 * SERIES)}, off "
        f"{median(off or [0]):.0f}, {percent(covered, hits)}"
    )


def _in_season(size: int, every: timedelta) -> str:
    place, hits, others = size * 6 // 10, 0, 0
    shape = step(place, ratio=1.3)
    for seed in range(10):
        series = made(
            "lognormal", seed, size, every=every, shape=lambda n, at: week(at) * shape(n, at)
        )
        near = [abs(one.index - place) * every <= HALF_DAY for one in changes_of(series)]
        hits += any(near)
        others += near.count(False)
    return f"found within 12 h in {hits} of 10, {others} others claimed"


def _real(name: str) -> str:
    real = REAL[name]
    found = find_changes(real.instants, real.values, scale=real.scale)
    said = ", ".join(
        f"{one.at:%Y-%m} (after {one.earliest_at:%Y-%m}, by {one.latest_at:%Y-%m}; "
        f"{one.before:.3g} → {one.after:.3g})"
        for one in found
    )
    return f"found {said or 'nothing'}; known {real.truth[0]:%Y-%m} to {real.truth[1]:%Y-%m}"


def _forecasts() -> str:
    told = right = false = 0
    off: list[float] = []
    for seed in range(200):
        random = Random(seed)
        breaks_on = random.uniform(34, 45)
        slope = random.uniform(15, 60)
        instants = [START + timedelta(days=day) for day in range(30)]
        noise = [random.gauss(0, 150) for _ in instants]
        rising = [LIMIT - slope * (breaks_on - day) + noise[day] for day in range(30)]
        found = forecast(instants, rising, LIMIT, now=instants[-1])
        truth = START + timedelta(days=breaks_on)
        if found:
            told += 1
            right += found.earliest_at <= truth and (
                found.latest_at is None or truth <= found.latest_at
            )
            off.append(abs((found.breaks_at - truth) / timedelta(days=1)))
        level = [3_700 + one for one in noise]
        false += forecast(instants, level, LIMIT, now=instants[-1]) is not None
    return (
        f"told in {percent(told, 200)}, off by {median(off):.1f} days (median), interval right "
        f"{percent(right, told)}; told of series that do not rise {percent(false, 200)}"
    )
