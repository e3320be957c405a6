"""Changes of level: what was planted is found where it was planted, and in noise nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_workflow_monitor.analysis import Scale, find_changes
from pytest_workflow_monitor.analysis.series import segmentation
from tests.made_series import NOISES, SPREADS, START, made, step, week, with_outliers
from tests.real_series import REAL

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("noise", NOISES)
def test_a_planted_change_is_found(noise: str) -> None:
    """Four spreads up at 120 of 300 points, near to the point and told as it is."""
    ratio = exp(4 * SPREADS[noise])
    series = made(noise, 1, 300, shape=step(120, ratio=ratio))
    (change,) = find_changes(series.instants, series.values)
    assert abs(change.index - 120) <= 2
    assert change.at == series.instants[change.index]
    assert change.after_at == series.instants[change.index - 1]
    assert change.earliest_at <= change.after_at < change.at <= change.latest_at
    assert change.ratio == pytest.approx(ratio, rel=0.2)
    assert change.after / change.before == pytest.approx(change.ratio)
    assert change.confidence > 0.999
    assert change.sample_before == change.index == 300 - change.sample_after


@pytest.mark.parametrize("noise", [name for name in NOISES if name != "autocorrelated"])
def test_nothing_is_claimed_of_noise(noise: str) -> None:
    """With outliers in it, at most once in 3,000 points."""
    claims = 0
    for seed in range(10):
        series = made(noise, seed, 300)
        assert find_changes(series.instants, series.values) == ()
        series = with_outliers(series, seed, share=0.03, ratio=6.0, after=0)
        claims += len(find_changes(series.instants, series.values))
    assert claims <= 1


def test_persistent_noise_rarely_looks_like_a_change() -> None:
    """At most once in 1,000 points."""
    claims = 0
    for seed in range(20):
        series = made("autocorrelated", seed, 300)
        claims += len(find_changes(series.instants, series.values))
    assert claims <= 6


def test_up_and_down_again_are_two_changes() -> None:
    """Each against its own neighbours."""
    series = made("lognormal", 5, 400, shape=step(150, 250, ratio=1.6))
    up, down = find_changes(series.instants, series.values)
    assert (round(up.index, -1), round(down.index, -1)) == (150, 250)
    assert up.ratio is not None
    assert down.ratio is not None
    assert up.ratio > 1 > down.ratio
    assert up.after == down.before


def test_a_rhythm_is_no_change() -> None:
    """Four weeks of days, nights and weekends; with a change, only that is found."""
    half_hour = timedelta(minutes=30)
    size = timedelta(weeks=4) // half_hour
    quiet = made("lognormal", 1, size, every=half_hour, shape=lambda _, at: week(at))
    assert find_changes(quiet.instants, quiet.values) == ()
    shape = step(800, ratio=1.4)
    busy = made(
        "lognormal", 1, size, every=half_hour, shape=lambda number, at: week(at) * shape(number, at)
    )
    (change,) = find_changes(busy.instants, busy.values)
    assert abs(change.index - 800) <= 8


def test_small_changes_can_be_left_out() -> None:
    """By their share, and by their difference."""
    series = made("lognormal", 2, 300, shape=step(150, ratio=1.5))
    found = find_changes(series.instants, series.values)
    assert len(found) == 1
    assert find_changes(series.instants, series.values, least_share=0.7) == ()
    assert find_changes(series.instants, series.values, least_difference=2_000) == ()


@pytest.mark.parametrize("values", [[], [1.0], [5.0] * 100, [1.0] * 7 + [9.0] * 7])
def test_too_little_or_no_noise_at_all_is_no_change(values: list[float]) -> None:
    """A level needs eight values."""
    instants = [START + number * HOUR for number in range(len(values))]
    assert find_changes(instants, values) == ()


def test_a_step_of_a_series_without_noise_is_found() -> None:
    """The clearest of all."""
    instants = [START + number * HOUR for number in range(60)]
    (change,) = find_changes(instants, [100.0] * 30 + [150.0] * 30)
    assert change.index == 30
    assert change.before == pytest.approx(100)
    assert change.after == pytest.approx(150)


def test_about_zero_there_is_no_ratio() -> None:
    """Differences are told all the same."""
    noise = [value / 3_000 - 1 for value in made("normal", 1, 100).values]
    values = noise[:50] + [value + 1 for value in noise[50:]]
    instants = [START + number * HOUR for number in range(100)]
    (change,) = find_changes(instants, values, scale=Scale.LINEAR)
    assert change.index == 50
    assert change.after - change.before == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", REAL)
def test_what_is_known_of_the_world_is_found(name: str) -> None:
    """The change is in the interval told."""
    real = REAL[name]
    found = find_changes(real.instants, real.values, scale=real.scale)
    earliest, latest = real.truth
    assert any(one.earliest_at < latest and earliest <= one.latest_at for one in found)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(1e-3, 1e6), max_size=80), st.sampled_from(Scale))
def test_any_numbers_give_ordered_levels(values: list[float], scale: Scale) -> None:
    """Rising places, each level long enough, all of them sure enough."""
    instants = [START + number * HOUR for number in range(len(values))]
    found = find_changes(instants, values, scale=scale)
    assert all(one.index < other.index for one, other in pairwise(found))
    assert all(0 < one.index < len(values) for one in found)
    assert all(one.confidence >= 0.999 for one in found)


def test_the_library_finds_the_same() -> None:
    """In long series, which it is for."""
    series = made("lognormal", 1, 1_000, shape=step(300, 500, ratio=1.5))
    level = [value / 600 for value in series.values]
    own, theirs = (
        cut(level, 20.0, 8) for cut in (segmentation.cuts_here, segmentation.cuts_by_library)
    )
    assert own == theirs
    assert {300, 500} <= set(own) | {place - 1 for place in own}


def test_without_the_library_long_series_are_cut_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slower, with the same result."""
    series = made("lognormal", 1, segmentation.WORTH_IMPORTING, shape=step(300, ratio=1.5))
    by_library = find_changes(series.instants, series.values)
    monkeypatch.setitem(sys.modules, "ruptures", None)
    assert find_changes(series.instants, series.values) == by_library


def test_the_library_is_not_imported_for_short_series() -> None:
    """It takes a second."""
    code = (
        "import sys; from tests.made_series import made; "
        "from pytest_workflow_monitor.analysis import find_changes; "
        "find_changes(*made('normal', 1, 500)[:2]); "
        "sys.exit(bool({'ruptures', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_cuts_are_the_best_there_are() -> None:
    """Compared with trying all, on short series."""
    for seed in range(20):
        values = made("normal", seed, 11).values
        level = [value / 300 for value in values]
        best = min(_all_cuts(len(level), 3), key=lambda cut: _cost(level, cut, 2.0))
        assert segmentation.cuts_here(level, 2.0, 3) == best


def _all_cuts(size: int, least: int) -> list[list[int]]:
    found: list[list[int]] = [[]]
    for first in range(least, size - least + 1):
        found += [
            [first, *(first + one for one in rest)] for rest in _all_cuts(size - first, least)
        ]
    return found


def _cost(level: list[float], cut: list[int], penalty: float) -> float:
    total = penalty * len(cut)
    for start, end in pairwise([0, *cut, len(level)]):
        middle = sum(level[start:end]) / (end - start)
        total += sum((value - middle) ** 2 for value in level[start:end])
    return total
