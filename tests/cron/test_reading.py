from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.cron.reading import NAMES, check, read


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
        "0 0 15,L * *",
        "0 0 * * 1#3",
        "0 0 * * mon#1,L5,sun",
        "0 0 ? * 5L",
        "H H(0-5) * * *",
        "H/10 * * * *",
        "30 * * * * *",
        "* * * * * */15",
        "@hourly",
        "@Daily",
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
        ("", "not a cron expression (it has 0 fields); expected five fields such as"),
        ("hourly", "it has 1 field)"),
        ("* * * *", "it has 4 fields"),
        ("* * * * * * *", "it has 7 fields"),
        ("60 * * * *", "the minute field '60': 60 is out of range; allowed 0-59"),
        ("0 25 * * *", "the hour field '25': 25 is out of range; allowed 0-23"),
        ("0 1,8-24 * * *", "the hour field '1,8-24': 24 is out of range; allowed 0-23"),
        ("0 0 32 * *", "the day-of-month field '32': 32 is out of range; allowed 1-31, and L for"),
        ("0 0 0 * *", "the day-of-month field '0': 0 is out of range"),
        ("0 0 * 13 *", "the month field '13': 13 is out of range; allowed 1-12 or jan-dec"),
        ("0 0 * * 8", "the day-of-week field '8': 8 is out of range; allowed 0-7 or sun-sat"),
        ("0 0 * * * 60", "the second field '60': 60 is out of range; allowed 0-59"),
        ("*/0 * * * *", "the minute field '*/0': a step cannot be 0"),
        ("*/90 * * * *", "the minute field '*/90': the step 90 is longer than the field"),
        ("0 0 * * fry", "the day-of-week field 'fry': 'fry' cannot be read"),
        ("0 0 * * mon-", "the day-of-week field 'mon-': 'mon-' cannot be read"),
        ("0 mon * * *", "the hour field 'mon': 'mon' cannot be read"),
        ("0 0 * * L", "the day-of-week field 'L': 'L' needs a day, as in L5"),
        ("1,,2 * * * *", "the minute field '1,,2': a part of it is empty"),
        ("0 -1 * * *", "the hour field '-1': '-1' cannot be read"),
        ("0 22-4/2 * * *", "the hour field '22-4/2': '22-4/2' goes round the end"),
        ("0 0 * * 1#6", "the day-of-week field '1#6': '1#6' needs a number from 1 to 5 after '#'"),
        ("0 0 * * L", "the day-of-week field 'L':"),
        ("0 0 15W * *", "the day-of-month field '15W': W is not supported"),
        ("0 0 H(1-31) * *", "H chooses a day up to 28, as every month has it"),
        ("H(50-70) * * * *", "the minute field 'H(50-70)': 70 is out of range"),
        ("a b c d e", "the minute field 'a': 'a' cannot be read"),
        ("@every 5m", "there is no such name); allowed are @yearly, @annually, @monthly"),
        ("@reboot", "there is no such name"),
        ("@", "there is no such name"),
        ("0 0 31 2 *", "there is no such day, so it would never run"),
        ("0 0 30 2 *", "there is no such day, so it would never run"),
        ("0 0 31 4,6,9,11 *", "there is no such day, so it would never run"),
        ("R * * * *", "the minute field 'R': R draws another time on every look; write H"),
        ("0 R(1-5) * * *", "R draws another time on every look; write H"),
        ("0," * 300 + "0 * * * *", "longer than 500 characters"),
    ],
)
def test_other_texts_are_refused_with_the_field_and_a_reason(expression: str, reason: str) -> None:
    """What can never run, or never twice at the same time, is refused like what cannot be read."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the next line looks closer
        check(expression)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.one_of(st.text(), st.text("0123456789*/,-LHR#?@ ajnmodeuwf()", max_size=30)))
def test_any_text_is_accepted_or_refused(text: str) -> None:
    """No text leads to another exception than the one that says what is allowed."""
    with suppress(ValueError):
        check(text)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("5", (5,)),
        ("5-5", (5,)),
        ("5-8", (5, 6, 7, 8)),
        ("10-20/5", (10, 15, 20)),
        ("50/5", (50, 55)),
        ("59/15", (59,)),
        ("58-1", (0, 1, 58, 59)),
        ("*/20", (0, 20, 40)),
        ("*/60", (0,)),
        ("0,30,15-16", (0, 15, 16, 30)),
        ("0-59", tuple(range(60))),
    ],
)
def test_numbers_of_a_field(text: str, minutes: tuple[int, ...]) -> None:
    """Lists, ranges, steps, ranges that go round the end; a range of one is that one."""
    assert read(f"{text} * * * *").minutes == minutes


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("0", {0}),
        ("7", {0}),
        ("7-7", {0}),
        ("0-7", {0, 1, 2, 3, 4, 5, 6}),
        ("5-7", {5, 6, 0}),
        ("1-7/2", {1, 3, 5, 0}),
        ("fri-mon", {5, 6, 0, 1}),
        ("SUN,wed", {0, 3}),
        ("mon-1", {1}),
        ("*", {0, 1, 2, 3, 4, 5, 6}),
        ("?", {0, 1, 2, 3, 4, 5, 6}),
    ],
)
def test_weekdays(text: str, days: set[int]) -> None:
    """Names in any case, Sunday as 0 and 7."""
    assert read(f"0 0 * * {text}").days.weekdays == days


def test_names_stand_for_their_expressions() -> None:
    """`@hourly` is on the hour, as in cron, whatever the workflow."""
    for name, expression in NAMES.items():
        assert read(name, "any") == read(expression)


@pytest.mark.parametrize(
    ("expression", "is_wild"),
    [
        ("30 2 * * *", False),
        ("*/15 2 * * *", True),
        ("30 * * * *", True),
        ("30 */2 * * *", True),
        ("30 0-23 * * *", False),
        ("0,*/20 2 * * *", False),
        ("H H * * *", False),
        ("H * * * *", True),
        ("30 2 * * * *", False),
        ("@hourly", True),
        ("@daily", False),
    ],
)
def test_wild_is_what_begins_with_a_star_in_minute_or_hour(expression: str, is_wild: bool) -> None:
    """As cron does: the first character of the two fields decides, whatever follows."""
    assert read(expression).is_wild is is_wild


@given(st.text(max_size=200), st.sampled_from(["H H H H H H", "H/7 H(3-5) H/9 H H(1-5)"]))
def test_jitter_is_stable_and_within_bounds(workflow_id: str, expression: str) -> None:
    """`H` follows from the id alone and chooses a day that every month has."""
    found = read(expression, workflow_id)
    assert found == read(f" {expression} ", workflow_id)
    assert max(found.days.days) <= 28
    if "(" in expression:
        assert set(found.hours) < {3, 4, 5}
        assert found.days.weekdays < {1, 2, 3, 4, 5}
    else:
        assert len(found.minutes) == len(found.hours) == len(found.seconds) == 1


def test_jitter_spreads_workflows() -> None:
    """A thousand workflows of `H * * * *` use every minute of the hour."""
    minutes = [read("H * * * *", f"shop.check-{number}").minutes[0] for number in range(1000)]
    assert set(minutes) == set(range(60))
    assert max(map(minutes.count, range(60))) < 50
