"""Detectors: what they call anomalous, what they learn, what they remember."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from math import exp, inf, nan
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_workflow_monitor.analysis import Detector, Judgement, Scale, Season, SeriesOptions
from tests.made_series import NOISES, SPREADS, START, Made, made, step, week, with_outliers

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis import Verdict

HOUR = timedelta(hours=1)
MOST_BYTES = 7_000


def fed(series: Made, options: SeriesOptions | None = None) -> tuple[Detector, list[Verdict]]:
    """Feed a series to a new detector."""
    detector = Detector(options)
    points = zip(series.instants, series.values, strict=True)
    return detector, [detector.feed(*point) for point in points]


def constant(value: float, size: int = 60, options: SeriesOptions | None = None) -> Detector:
    """Return a detector that saw the same value every hour."""
    detector = Detector(options)
    for number in range(size):
        detector.feed(START + number * HOUR, value)
    return detector


def test_nothing_is_said_while_learning() -> None:
    """Twelve points and a day are needed, whatever comes."""
    series = made("lognormal", 1, 60)
    _, said = fed(series)
    assert {one.judgement for one in said[:48]} == {Judgement.LEARNING}
    assert {one.score for one in said[:48]} == {0.0}
    assert Judgement.LEARNING not in {one.judgement for one in said[48:]}
    _, said = fed(made("lognormal", 1, 14, every=timedelta(days=1)))
    assert [one.judgement is Judgement.LEARNING for one in said] == [True] * 12 + [False] * 2


@pytest.mark.parametrize("noise", [name for name in NOISES if name != "heavy-tailed"])
@pytest.mark.parametrize("rate", [1.0, 5.0])
def test_false_alarms_are_as_rare_as_stated(noise: str, rate: float) -> None:
    """Of 15,000 normal points, within a half more than stated."""
    options = SeriesOptions(false_alarms=rate, least_share=0.0)
    alarms = sum(
        one.is_anomalous for seed in range(5) for one in fed(made(noise, seed, 3_000), options)[1]
    )
    assert 0 < alarms / 15 < 1.5 * rate


@pytest.mark.parametrize("noise", NOISES)
def test_outliers_are_found_and_learned_nothing_from(noise: str) -> None:
    """Nine spreads off, high or low; afterwards the range is as it was."""
    for sign in (1, -1):
        ratio = exp(sign * 9 * SPREADS[noise])
        series = with_outliers(made(noise, 3, 600), 3, share=0.03, ratio=ratio, after=100)
        detector, said = fed(series)
        found = [number for number, one in enumerate(said) if one.is_anomalous]
        assert set(series.planted) <= set(found)
        assert {said[place].judgement for place in series.planted} == {
            Judgement.HIGH if sign > 0 else Judgement.LOW
        }
        plain, _ = fed(made(noise, 3, 600))
        with_them, without = detector.baseline(), plain.baseline()
        assert with_them is not None
        assert without is not None
        assert with_them.high == pytest.approx(without.high, rel=0.25)
        assert with_them.sample_size == 600 - len(found)


def test_a_score_grows_with_the_distance() -> None:
    """0 in the middle, above 0.5 outside the range only, 1 never passed."""
    detector, _ = fed(made("lognormal", 5, 300))
    after = START + timedelta(days=10)
    normal = detector.judge(after, 3_000.0)
    assert normal.high is not None
    assert normal.expected is not None
    scores = [detector.judge(after, normal.expected * factor).score for factor in (1, 1.2, 4, 90)]
    assert scores == sorted(scores)
    assert scores[0] == 0
    assert scores[1] < 0.5 < scores[2] < scores[3] <= 1
    assert detector.judge(after, normal.high).score == pytest.approx(0.5, abs=1e-3)
    assert not detector.judge(after, normal.high).is_anomalous
    assert detector.judge(after, normal.high * 1.01).is_anomalous


@pytest.mark.parametrize("noise", NOISES)
def test_a_level_that_lasts_becomes_normal(noise: str) -> None:
    """Sixteen of twenty points: told at once, normal soon, and quiet afterwards."""
    series = made(noise, 7, 600, shape=step(300, ratio=exp(7 * SPREADS[noise])))
    detector, said = fed(series)
    news = [number for number, one in enumerate(said) if one.is_new_normal]
    assert Judgement.HIGH in {one.judgement for one in said[300:303]}
    assert [310 <= place <= 320 for place in news] == [True]
    assert sum(one.is_anomalous for one in said[320:]) <= 3
    assert detector.state.shifts == 1
    normal = detector.baseline()
    assert normal is not None
    assert normal.median == pytest.approx(median(series.values[300:]), rel=0.1)


def test_a_short_incident_is_not_normal_and_its_end_no_anomaly() -> None:
    """Ten slow points are ten anomalies."""
    values = made("lognormal", 9, 400).values
    values[300:310] = [value * 4 for value in values[300:310]]
    _, said = fed(Made(made("lognormal", 9, 400).instants, values, []))
    assert [number for number, one in enumerate(said) if one.is_anomalous] == list(range(300, 310))


def test_another_spread_becomes_normal() -> None:
    """Values eight times as restless are strange at first, then usual."""
    calm, restless = made("lognormal", 1, 300).values, made("lognormal", 2, 600).values
    values = calm + [3_000 * (value / 3_000) ** 8 for value in restless]
    _, said = fed(Made(made("lognormal", 1, 900).instants, values, []))
    assert sum(one.is_new_normal for one in said) >= 1
    assert sum(one.is_anomalous for one in said[300:400]) >= 8
    assert sum(one.is_anomalous for one in said[600:]) <= 6


def test_the_rhythm_of_a_week_is_learned() -> None:
    """Quick at noon on Saturday is strange on Wednesday, and the other way round."""
    quarter = timedelta(minutes=15)
    series = made("lognormal", 4, 4 * 24 * 35, every=quarter, shape=lambda _, at: week(at) ** 2)
    detector, said = fed(series)
    assert detector.season is Season.WEEK
    assert sum(one.is_anomalous for one in said[-2_000:]) <= 8
    night = datetime(2026, 2, 11, 1, tzinfo=UTC)
    noon = night.replace(hour=13)
    usual_at_noon = detector.judge(noon, 3_000).expected
    assert usual_at_noon is not None
    assert not detector.judge(noon, usual_at_noon).is_anomalous
    assert detector.judge(night, usual_at_noon).judgement is Judgement.HIGH
    by_hour = detector.baseline()
    assert by_hour is not None
    assert [hour.hour for hour in by_hour.hours] == list(range(168))
    middle = {hour.hour: hour.median for hour in by_hour.hours}
    assert middle[2 * 24 + 13] == pytest.approx(3_000 * week(noon) ** 2, rel=0.15)
    assert middle[5 * 24 + 13] < 0.75 * middle[2 * 24 + 13]
    at_night = detector.baseline(night)
    assert at_night is not None
    assert at_night.median == pytest.approx(middle[2 * 24 + 1], rel=0.05)


@pytest.mark.parametrize("noise", NOISES)
def test_no_rhythm_is_seen_in_noise(noise: str) -> None:
    """Whatever the noise, of six weeks."""
    detector, _ = fed(made(noise, 11, 24 * 42, every=HOUR))
    assert detector.season is Season.NONE


def test_a_level_change_keeps_the_rhythm() -> None:
    """All hours move together."""
    shape = step(24 * 35, ratio=2.0)
    series = made(
        "lognormal", 6, 24 * 45, every=HOUR, shape=lambda number, at: week(at) * shape(number, at)
    )
    detector, said = fed(series)
    assert sum(one.is_new_normal for one in said) == 1
    assert sum(one.is_anomalous for one in said[24 * 36 :]) <= 4
    assert detector.season is not Season.NONE


def test_hours_are_those_of_the_instant_s_own_zone() -> None:
    """The same instants in another zone have another hour of the week."""
    elsewhere = timezone(timedelta(hours=-5))
    utc, there = Detector(), Detector()
    for number in range(24 * 10):
        instant = START + number * HOUR
        utc.feed(instant, 100.0)
        there.feed(instant.astimezone(elsewhere), 100.0)
    assert [(slot - 5) % 168 for slot in utc.state.slots] == there.state.slots


def test_small_deviations_of_a_steady_series_are_normal() -> None:
    """A tenth of the median, or the difference asked for; then they count."""
    detector = constant(200.0)
    after = START + 80 * HOUR
    assert not detector.judge(after, 219.0).is_anomalous
    assert detector.judge(after, 221.0).judgement is Judgement.HIGH
    assert detector.judge(after, 179.0).judgement is Judgement.LOW
    wide = constant(200.0, options=SeriesOptions(least_difference=500.0))
    assert not wide.judge(after, 650.0).is_anomalous


def test_differences_can_be_judged_about_zero() -> None:
    """A layout shift that is always zero."""
    options = SeriesOptions(scale=Scale.LINEAR, least_difference=0.05)
    detector = constant(0.0, options=options)
    after = START + 80 * HOUR
    assert detector.judge(after, 0.04).judgement is Judgement.NORMAL
    assert detector.judge(after, 0.06).judgement is Judgement.HIGH
    assert detector.judge(after, -3.0).judgement is Judgement.LOW


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_a_value_must_be_a_number(value: float) -> None:
    """And nothing is learned from what is none."""
    detector = Detector()
    with pytest.raises(ValueError, match="finite"):
        detector.feed(START, value)
    assert detector.state.points == 0


def test_a_late_value_is_judged_but_not_kept() -> None:
    """A journal that is replayed brings what is older than what is known."""
    detector, _ = fed(made("lognormal", 1, 300))
    kept = list(detector.state.kept)
    assert detector.feed(START, 30_000.0).judgement is Judgement.LEARNING
    assert detector.feed(START + 100 * HOUR, 30_000.0).judgement is Judgement.HIGH
    assert detector.feed(START + 101 * HOUR, 3_000.0).judgement is Judgement.NORMAL
    assert detector.state.kept == kept


@pytest.mark.parametrize("wrong", [{"false_alarms": 0.0}, {"false_alarms": 1e3}])
def test_a_sensitivity_must_be_possible(wrong: dict[str, float]) -> None:
    """None and all false alarms are none."""
    with pytest.raises(ValueError, match="above 0 and below 1,000"):
        SeriesOptions(false_alarms=wrong["false_alarms"])
    with pytest.raises(ValueError, match="5 or more, not 4"):
        SeriesOptions(settle_points=4)


def test_what_is_stored_is_no_state() -> None:
    """Is said."""
    with pytest.raises(msgspec.DecodeError):
        Detector.decode(b'{"points": "many"}')


def test_nothing_is_known_of_nothing() -> None:
    """No baseline without a value, and an empty state is nearly nothing."""
    assert Detector().baseline() is None
    assert Detector().encode() == b"{}"


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=120),
    st.sampled_from(Scale),
    st.integers(1, 3_000),
    st.data(),
)
def test_a_stored_state_continues_as_if_never_stored(
    values: list[float], scale: Scale, minutes: int, data: st.DataObject
) -> None:
    """Whatever the values and wherever it is stored between."""
    options = SeriesOptions(scale=scale)
    whole, parted = Detector(options), Detector(options)
    pause = data.draw(st.integers(0, len(values)))
    for number, value in enumerate(values):
        instant = START + number * timedelta(minutes=minutes)
        if number == pause:
            parted = Detector.decode(parted.encode(), options)
        assert parted.feed(instant, value) == whole.feed(instant, value)
    assert parted.encode() == whole.encode()
    assert parted.baseline() == whole.baseline()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(sorted(NOISES)), st.integers(0, 1_000), st.floats(1e-3, 1e3))
def test_the_unit_does_not_matter(noise: str, seed: int, unit: float) -> None:
    """Milliseconds or hours: the same scores, but for rounding."""
    series = made(noise, seed, 100)
    other = Made(series.instants, [value * unit for value in series.values], [])
    for said, again in zip(fed(series)[1], fed(other)[1], strict=True):
        assert said.score == pytest.approx(again.score, abs=0.01)


def test_a_state_stays_small_and_a_point_cheap() -> None:
    """However long the series; far below a millisecond a point."""
    series = made("lognormal", 1, 6_000, every=timedelta(minutes=20), shape=lambda _, at: week(at))
    began = process_time()
    detector, _ = fed(series)
    assert (process_time() - began) / 6_000 < 5e-4
    assert len(detector.encode()) < MOST_BYTES
    young, _ = fed(made("lognormal", 1, 3))
    assert len(young.encode()) < 500
