from __future__ import annotations

import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.words.durations import seconds


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        (0, 0.0),
        (90, 90.0),
        (0.25, 0.25),
        ("90s", 90.0),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        ("1.5h", 5400.0),
        ("2d", 172800.0),
        (" 1H 30M ", 5400.0),
        ("1d2h3m4s5ms", 93784.005),
        ("0s", 0.0),
    ],
)
def test_durations_as_people_write_them(given_as: object, expected: float) -> None:
    """Seconds as a number, or numbers with units, in any case and with spaces."""
    assert seconds(given_as) == pytest.approx(expected)


@pytest.mark.parametrize(
    "given_as",
    ["", " ", "5", "s", "soon", "5 minutes", "-5m", "5m ago", "1e3s", "1..5s", "5m;", "5m\n6"],
)
def test_other_text_is_refused_with_what_is_allowed(given_as: str) -> None:
    """A text without a unit could mean anything, so it means nothing."""
    with pytest.raises(ValueError, match='expected seconds as a number, or text such as "90s"'):
        seconds(given_as)


@pytest.mark.parametrize(
    "given_as",
    [-1, -0.001, float("nan"), float("inf"), float("-inf"), 10**400, "9" * 400 + "d"],
)
def test_numbers_that_are_no_duration_are_refused(given_as: object) -> None:
    """Negative, infinite, or larger than a float can be."""
    with pytest.raises(ValueError, match="cannot be negative or infinite"):
        seconds(given_as)


@pytest.mark.parametrize("given_as", [None, True, False, [], b"5m", 1j])
def test_other_types_are_refused(given_as: object) -> None:
    """True is no duration, although Python counts with it."""
    with pytest.raises(TypeError, match="expected seconds as a number"):
        seconds(given_as)


@given(st.floats(0, sys.float_info.max))
def test_numbers_are_taken_as_they_are(value: float) -> None:
    """A number of seconds stays that number."""
    assert seconds(value) == value


@given(st.integers(0, 999), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_units_add_up(d: int, h: int, m: int, s: int) -> None:
    """The units of one text are added."""
    assert seconds(f"{d}d{h}h {m}m{s}s") == ((d * 24 + h) * 60 + m) * 60 + s


@given(st.one_of(st.text(), st.text("0123456789.smhd \n", max_size=40)))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    """No text leads to another exception, to a negative duration, or to endless work."""
    with suppress(ValueError):
        assert seconds(text) >= 0
