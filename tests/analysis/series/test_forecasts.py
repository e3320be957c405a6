"""When a limit breaks: told of what rises, silent about all else."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from pytest_workflow_monitor.analysis import Forecast, forecast
from tests.made_series import START

LIMIT = 3_000.0
DAY = timedelta(days=1)


def rising(slope: float, seed: int = 1, days: int = 30, noise: float = 60.0) -> list[float]:
    """Values that stand at 2,800 on the last day."""
    random = Random(seed)
    return [2_800 - slope * (days - 1 - day) + random.gauss(0, noise) for day in range(days)]


def told(
    values: list[float], limit: float = LIMIT, horizon: timedelta = 30 * DAY
) -> Forecast | None:
    """Ask on the day of the last of daily values."""
    instants = [START + day * DAY for day in range(len(values))]
    now = START + max(len(values) - 1, 0) * DAY
    return forecast(instants, values, limit, now=now, horizon=horizon)


def test_a_rise_is_told_with_its_interval() -> None:
    """200 ms at 50 ms a day are four days."""
    found = told(rising(50))
    assert found is not None
    now = START + 29 * DAY
    assert (found.breaks_at - now) / DAY == pytest.approx(4, abs=1)
    assert found.latest_at is not None
    assert now <= found.earliest_at < found.breaks_at < found.latest_at
    assert found.earliest_at <= now + 4 * DAY <= found.latest_at
    assert found.slope_low < found.slope_per_day < found.slope_high
    assert found.slope_per_day == pytest.approx(50, rel=0.1)
    assert found.level == pytest.approx(2_800, abs=50)
    assert found.confidence > 0.99
    assert found.sample_size == 30


def test_the_interval_is_mostly_right() -> None:
    """In nine of ten cases or more."""
    right = 0
    for seed in range(50):
        found = told(rising(20, seed))
        assert found is not None
        truth = START + 39 * DAY
        right += found.earliest_at <= truth and (
            found.latest_at is None or truth <= found.latest_at
        )
    assert right >= 45


def test_of_noise_nothing_is_told() -> None:
    """At most once in fifty."""
    assert sum(told(rising(0, seed)) is not None for seed in range(100)) <= 2


def test_persistent_values_do_not_pass_for_a_slope() -> None:
    """A walk about its level goes up for days without leading anywhere."""
    claims = 0
    for seed in range(100):
        random = Random(seed)
        left, values = 0.0, []
        for _ in range(30):
            left = 0.7 * left + random.gauss(0, 60)
            values.append(2_800 + left)
        claims += told(values) is not None
    assert claims <= 8


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        (rising(-50), LIMIT),
        (rising(50), 2_700.0),
        (rising(50)[:7], LIMIT),
        (rising(50), 9_000.0),
        ([], LIMIT),
        ([2_800.0] * 30, LIMIT),
    ],
    ids=["falls", "broken already", "too few", "too far", "nothing", "level"],
)
def test_what_cannot_be_told_is_not(values: list[float], limit: float) -> None:
    """Falling, broken already, too short, not within as much time as was seen, without slope."""
    assert told(values, limit) is None


def test_the_horizon_is_the_caller_s() -> None:
    """Four days are not within two."""
    assert told(rising(50), horizon=2 * DAY) is None


def test_outliers_do_not_bend_the_line() -> None:
    """Three wild days of thirty."""
    values = rising(50)
    values[3] = values[12] = values[21] = 60_000.0
    found = told(values)
    assert found is not None
    assert (found.breaks_at - START) / DAY == pytest.approx(33, abs=2)


def test_executions_serve_as_well_as_days() -> None:
    """Many values are shortened to medians of neighbours."""
    random = Random(1)
    instants = [START + number * timedelta(minutes=30) for number in range(48 * 30)]
    values = [2_800 + 50 * ((at - instants[-1]) / DAY) + random.gauss(0, 300) for at in instants]
    found = forecast(instants, values, LIMIT, now=instants[-1])
    assert found is not None
    assert (found.breaks_at - instants[-1]) / DAY == pytest.approx(4, abs=1)
    assert found.sample_size == 48 * 30
