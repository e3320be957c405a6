from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.cron import check


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "*/15 * * * *",
        "0 6-22/2 * * mon-fri",
        "0 0 1 jan,jul *",
        "0 0 29 2 *",
        "0 0 31 * *",
        "0 0 L * *",
        "0 0 * * 1#3",
        "H H(0-5) * * *",
        "H/10 * * * *",
        "30 * * * * *",
        "@hourly",
        "@daily",
        "@weekly",
        "  */5   *\t* * * ",
    ],
)
def test_cron_expressions_are_accepted(expression: str) -> None:
    """Five fields, six with seconds, names of days and months, `H` for jitter, `@` names."""
    check(expression)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "it has 0 fields"),
        ("hourly", "it has 1 field[)]"),
        ("* * * *", "it has 4 fields"),
        ("* * * * * * *", "it has 7 fields"),
        ("60 * * * *", "out of range"),
        ("*/0 * * * *", "not a cron expression"),
        ("a b c d e", "not acceptable"),
        ("0 0 32 * *", "out of range"),
        ("@every 5m", "there is no such name"),
        ("@reboot", "there is no such name"),
        ("@", "there is no such name"),
        ("0 0 31 2 *", "there is no such day, so it would never run"),
        ("0 0 30 2 *", "there is no such day, so it would never run"),
        ("0 0 31 4,6,9,11 *", "there is no such day, so it would never run"),
        ("R * * * *", "R draws another time on every look; write H"),
        ("0 R(1-5) * * *", "R draws another time on every look; write H"),
    ],
)
def test_other_texts_are_refused_with_a_reason(expression: str, reason: str) -> None:
    """What can never run, or never twice at the same time, is refused like what cannot be read."""
    with pytest.raises(ValueError, match=reason):
        check(expression)


@given(st.one_of(st.text(), st.text("0123456789*/,-LHR#?@ ajnmodeuwf()", max_size=30)))
def test_any_text_is_accepted_or_refused(text: str) -> None:
    """No text leads to another exception than the one that says what is allowed."""
    with suppress(ValueError):
        check(text)
