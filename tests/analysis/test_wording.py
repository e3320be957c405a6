"""Numbers, durations and instants as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import Status

NOW = datetime(2025, 11, 12, 14, 20, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0, "0 ms"),
        (0.3, "<1 ms"),
        (840, "840 ms"),
        (999.5, "1.0 s"),
        (4_210, "4.2 s"),
        (59_960, "1 min"),
        (192_000, "3 min 12 s"),
        (7_500_000, "2 h 5 min"),
        (90_000_000, "1 d 1 h"),
        (-4_200, "-4.2 s"),
    ],
)
def test_durations(milliseconds: float | None, said: str) -> None:
    """Two units at most, and no unit that the next larger one replaces."""
    assert wording.duration(milliseconds) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.986, "98.6 %"), (0.9999, "99.9 %"), (1, "100 %"), (0.5, "50 %")],
)
def test_percentages(share: float, said: str) -> None:
    """Only all is 100 %."""
    assert wording.percent(share) == said


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [(0, "0 B"), (999, "999 B"), (12_345, "12 kB"), (3_400_000, "3.4 MB"), (56e12, "56 TB")],
)
def test_sizes(size_bytes: int, said: str) -> None:
    """Powers of 1,000."""
    assert wording.size(size_bytes) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (6030, "ms", "6.0 s"),
        (12.4, "EUR", "12.4 EUR"),
        (1_234_567, "", "1,234,567"),
        (0.0421, "s", "0.0421 s"),
        (3.0, "", "3"),
        (None, "x", "– x"),
        (1e-9, "", "1e-09"),
    ],
)
def test_quantities(value: float | None, unit: str, said: str) -> None:
    """A metric's value has its unit, and milliseconds are a duration."""
    assert wording.quantity(value, unit) == said


def test_changes_have_a_sign() -> None:
    """The base is named beside it by whoever says it."""
    assert wording.change(1_300) == "+1.3 s"
    assert wording.change(-40) == "−40 ms"
    assert wording.change(0) == "±0 ms"


def test_instants_get_a_day_only_when_it_is_another() -> None:
    """In the zone that is shown, not in UTC."""
    berlin = ZoneInfo("Europe/Berlin")
    assert wording.instant(NOW, reference=NOW) == "14:20"
    assert wording.instant(NOW, reference=NOW, zone=berlin) == "15:20"
    assert wording.instant(NOW - timedelta(days=1), reference=NOW) == "11 Nov 14:20"
    assert wording.instant(NOW - timedelta(days=400), reference=NOW) == "8 Oct 2024 14:20"
    late = NOW.replace(hour=23, minute=30)
    assert wording.instant(late, reference=NOW, zone=berlin) == "13 Nov 00:30"
    assert wording.full_instant(NOW, zone=berlin) == "12 Nov 2025 15:20:05 CET"


def test_the_first_line_is_the_first_that_says_something() -> None:
    """Blank lines are passed over, long ones end in an ellipsis."""
    assert wording.first_line("\n  \n  boom  \nmore") == "boom"
    assert wording.first_line("") == ""
    assert wording.first_line("x" * 400) == "x" * 299 + "…"


def test_plurals() -> None:
    """One is one, and thousands are grouped."""
    assert wording.plural(1, "run") == "1 run"
    assert wording.plural(0, "run") == "0 runs"
    assert wording.plural(10_000, "run") == "10,000 runs"


def test_every_status_has_a_word_and_a_mark() -> None:
    """Nothing can be shown without them."""
    assert set(wording.STATUS_WORDS) == set(wording.STATUS_MARKS) == set(Status)
