"""Detectors: false alarms, outliers, new levels, rhythms, and what a point costs."""

from __future__ import annotations

from datetime import timedelta
from math import exp
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import Detector, Judgement, Season, SeriesOptions
from tests.benchmarks.analysis.wording import percent
from tests.made_series import NOISES, SPREADS, Made, made, step, week, with_outliers

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis import Verdict

SEEDS = range(20)
RATES = (0.5, 1.0, 5.0)
POINTS = 5_000
SERIES_OF_WEEKS = (
    (timedelta(minutes=15), 5),
    (timedelta(hours=1), 20),
    (timedelta(hours=6), 60),
)


def verdicts(series: Made, options: SeriesOptions | None = None) -> list[Verdict]:
    """Feed a series to a new detector."""
    detector = Detector(options)
    return [detector.feed(*point) for point in zip(series.instants, series.values, strict=True)]


def measure() -> None:
    """Measure and print."""
    print("False alarms per 1,000 normal points, 20 series of 1,500 points each;")
    print("and how often another level was taken for the new normal, of all these points")
    print(f"{'':16}" + "".join(f"{f'stated {rate:g}':14}" for rate in RATES) + "new levels")
    for noise in NOISES:
        print(f"{noise:16}{_false_alarms(noise)}")
    print("\nOutliers: one value in 50 is off by so many spreads, 20 series of 1,000 points")
    for noise in NOISES:
        print(f"{noise:16}" + " | ".join(_outliers(noise, spreads) for spreads in (4, 6, 8)))
    print("\nNew level at point 300 of 600, by so many spreads, 20 series: points until the first")
    print("sign of it, points until it is the new normal (medians), series without a word of it")
    for noise in NOISES:
        print(f"{noise:16}" + " | ".join(_shift(noise, spreads) for spreads in (3, 5, 8)))
    print("\nA week's rhythm (hours ± 49 %, weekends − 26 %), eight weeks")
    for every, count in SERIES_OF_WEEKS:
        print(f"every {every!s:9}{_season(every, count)}")
    print(f"\n{_cost()}")


def _false_alarms(noise: str) -> str:
    cells, settled = "", 0
    for rate in RATES:
        options = SeriesOptions(false_alarms=rate, least_share=0.0)
        said = [one for seed in SEEDS for one in verdicts(made(noise, seed, 1_500), options)]
        judged = [one for one in said if one.judgement is not Judgement.LEARNING]
        alarms = 1_000 * sum(one.is_anomalous for one in judged) / len(judged)
        cells += f"{alarms:<14.2f}"
        settled += sum(one.is_new_normal for one in said)
    return f"{cells}{settled}"


def _outliers(noise: str, spreads: int) -> str:
    hits = claims = truths = 0
    ratio = exp(spreads * SPREADS[noise])
    for seed in SEEDS:
        series = made(noise, seed, 1_000)
        series = with_outliers(series, seed, share=0.02, ratio=ratio, after=60)
        said = {number for number, one in enumerate(verdicts(series)) if one.is_anomalous}
        hits += len(said & set(series.planted))
        claims += len(said)
        truths += len(series.planted)
    return f"{spreads}: precision {percent(hits, claims)}, recall {percent(hits, truths)}"


def _shift(noise: str, spreads: int) -> str:
    signs, settled, missed = [], [], 0
    for seed in SEEDS:
        shape = step(300, ratio=exp(spreads * SPREADS[noise]))
        said = list(enumerate(verdicts(made(noise, seed, 600, shape=shape))[300:], start=1))
        first = [number for number, one in said if one.is_anomalous or one.is_new_normal][:1]
        signs += first
        settled += [number for number, one in said if one.is_new_normal][:1]
        missed += not first
    return f"{spreads}: {median(signs):4.0f} {median(settled):4.0f} {missed:3}"


def _season(every: timedelta, count: int) -> str:
    size = timedelta(weeks=8) // every
    days, weeks, alarms, normal, hits, truths = [], [], [0, 0], [0, 0], 0, 0
    for seed in range(count):
        series = made("lognormal", seed, size, every=every, shape=lambda _, at: week(at))
        ratio = exp(6 * SPREADS["lognormal"])
        series = with_outliers(series, seed, share=0.005, ratio=ratio, after=size // 2)
        known: dict[Season, float] = {}
        detector = Detector()
        for number, point in enumerate(zip(series.instants, series.values, strict=True)):
            is_anomalous = detector.feed(*point).is_anomalous
            known.setdefault(detector.season, number * every / timedelta(days=1))
            if number in series.planted:
                hits, truths = hits + is_anomalous, truths + 1
            else:
                late = number * every >= timedelta(weeks=3)
                alarms[late] += is_anomalous
                normal[late] += 1
        days += [known[Season.DAY]] if Season.DAY in known else []
        weeks += [known[Season.WEEK]] if Season.WEEK in known else []
    early, later = (1_000 * a / n for a, n in zip(alarms, normal, strict=True))
    return (
        f"{count} series: hours known on day {median(days):.0f} ({len(days)}), weekdays on day "
        f"{median(weeks or [0]):.0f} ({len(weeks)}); false alarms per 1,000: {early:.2f} in three "
        f"weeks, {later:.2f} later; outliers of 6 spreads found: {percent(hits, truths)}"
    )


def _cost() -> str:
    series = made("lognormal", 1, POINTS)
    began = process_time()
    detector = Detector()
    for point in zip(series.instants, series.values, strict=True):
        detector.feed(*point)
    each = (process_time() - began) / POINTS * 1e6
    encoded = detector.encode()
    began = process_time()
    for _ in range(200):
        Detector.decode(encoded).encode()
    again = (process_time() - began) / 200 * 1e6
    young = Detector()
    for point in zip(series.instants[:10], series.values[:10], strict=True):
        young.feed(*point)
    return (
        f"A point costs {each:.0f} µs of CPU; to decode and encode a state {again:.0f} µs; it "
        f"takes {len(young.encode()):,} bytes after 10 points, {len(encoded):,} after {POINTS:,}"
    )
