from __future__ import annotations

import pytest
from hypothesis import given

from pytest_workflow_monitor.cron.reading import read
from pytest_workflow_monitor.cron.wording import interval, words
from tests.cron.definition import Meaning, meanings


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("0,30 * * * *", "every 30 minutes"),
        ("7-59/15 * * * *", "every 15 minutes from minute 7"),
        ("5,20 * * * *", "at the minutes 5 and 20 of every hour"),
        ("0-10,30 * * * *", "at the minutes 0 to 10 and 30 of every hour"),
        ("@hourly", "every hour"),
        ("5 * * * *", "every hour at minute 5"),
        ("0 */2 * * *", "every 2 hours"),
        ("5 */2 * * *", "every 2 hours from 00:05"),
        ("0 6-22/2 * * *", "every 2 hours from 06:00 to 22:00"),
        ("0 8-18 * * 1-5", "every hour from 08:00 to 18:00 on weekdays"),
        ("*/15 8-18 * * *", "every 15 minutes from 08:00 to 18:45"),
        ("*/10 1 * * *", "every 10 minutes from 01:00 to 01:50"),
        ("*/10 1,5,6 * * *", "every 10 minutes of the hours 1, 5 and 6"),
        ("0,7,9 8-18 * * *", "at the minutes 0, 7 and 9 of the hours 8 to 18"),
        ("5 1,4,9,16,23 * * *", "at minute 5 of the hours 1, 4, 9, 16 and 23"),
        ("30 2 * * *", "at 02:30 every day"),
        ("30 2 * * 1-5", "at 02:30 on weekdays"),
        ("30 2,14 * * sat,sun", "at 02:30 and 14:30 at weekends"),
        ("0,30 8,9 * * *", "at 08:00, 08:30, 09:00 and 09:30 every day"),
        ("30 2 * * 1", "at 02:30 on Mondays"),
        ("30 2 * * 2-6", "at 02:30 on Tuesdays to Saturdays"),
        ("30 2 * * sun,mon,thu", "at 02:30 on Mondays, Thursdays and Sundays"),
        ("30 2 * * 1#3", "at 02:30 on the third Monday of the month"),
        ("30 2 * * L5", "at 02:30 on the last Friday of the month"),
        (
            "30 2 * * mon,fri#2,fri#1",
            "at 02:30 on Mondays, the first Friday of the month and the second Friday of the month",
        ),
        ("30 2 1 * *", "at 02:30 on day 1 of the month"),
        ("30 2 1,15 * *", "at 02:30 on the days 1 and 15 of the month"),
        ("30 2 L * *", "at 02:30 on the last day of the month"),
        ("30 2 15,L * *", "at 02:30 on day 15 and the last day of the month"),
        ("30 2 1-7 * *", "at 02:30 on the days 1 to 7 of the month"),
        ("30 2 13 * 5", "at 02:30 on day 13 of the month and on Fridays"),
        ("30 2 */15 * 5", "at 02:30 on the days 1, 16 and 31 of the month, only on Fridays"),
        ("30 2 1-31 * 5", "at 02:30 every day"),
        ("30 2 * jan *", "at 02:30 every day in January"),
        ("30 2 * jan,jun-aug 1", "at 02:30 on Mondays in January and June to August"),
        ("*/5 * * jul *", "every 5 minutes in July"),
        ("@yearly", "at 00:00 on day 1 of the month in January"),
        ("@weekly", "at 00:00 on Sundays"),
        ("* * * * * *", "every second"),
        ("* * * * * */15", "every 15 seconds"),
        ("* * * * * 5,20", "at the seconds 5 and 20 of every minute"),
        ("*/5 * * * * 30", "every 5 minutes (at second 30)"),
        ("30 2 * * * 15", "at 02:30:15 every day"),
        ("*/5 8-18 * * * */15", "every 5 minutes from 08:00 to 18:55 (every 15 seconds)"),
    ],
)
def test_words(expression: str, expected: str) -> None:
    """What a person would say."""
    assert words(read(expression)) == expected


@given(meanings())
def test_every_expression_has_words(meaning: Meaning) -> None:
    """Whatever it is, and on one line."""
    assert "\n" not in words(read(meaning.text))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1, "every second"),
        (90, "every 90 seconds"),
        (300, "every 5 minutes"),
        (3600, "every hour"),
        (5400, "every 90 minutes"),
        (86400, "every day"),
        (604_800, "every 7 days"),
    ],
)
def test_intervals(seconds: int, expected: str) -> None:
    """In the largest unit that divides it."""
    assert interval(seconds) == expected
