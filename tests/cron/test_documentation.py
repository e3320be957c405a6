"""What docs/scheduling.md says about expressions is true."""

from __future__ import annotations

import re
from datetime import date, datetime
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pytest_workflow_monitor.cron import check, times
from pytest_workflow_monitor.cron.reading import NAMES

TEXT = (Path(__file__).parents[2] / "docs" / "scheduling.md").read_text("utf-8")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = (date(2026, 3, 29), date(2026, 10, 25))


def rows(heading: str) -> list[list[str]]:
    """The cells of the table whose heading begins so."""
    table = TEXT[TEXT.index(f"| {heading}") :].partition("\n\n")[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]
    ]


@pytest.mark.parametrize(("expression", "reason"), rows("expression | because"))
def test_refusals(expression: str, reason: str) -> None:
    """Each refusal word for word."""
    with pytest.raises(ValueError, match=f"^{re.escape(reason.rstrip(' |'))}$"):
        check(expression.strip(" `|"))


def test_names() -> None:
    """Each name with what it stands for."""
    found = {
        name: expression.strip(" `|")
        for names, expression in rows("name | stands for")
        for name in re.findall(r"@\w+", names)
    }
    assert found == NAMES


@pytest.mark.parametrize(("expression", "spring", "autumn"), rows("expression | 29 March 2026"))
def test_nights_in_berlin(expression: str, spring: str, autumn: str) -> None:
    """What runs from 01:00 to 04:00 on the two nights of 2026."""
    for night, expected in zip(NIGHTS, (spring, autumn), strict=True):
        first, last = (
            datetime(night.year, night.month, night.day, hour, tzinfo=BERLIN) for hour in (1, 4)
        )
        found = takewhile(
            lambda it, last=last: it < last,  # type: ignore[misc]
            times(expression.strip(" `|"), "Europe/Berlin", first),
        )
        said = ", ".join(f"{it.astimezone(BERLIN):%H:%M %Z}" for it in found) or "none"
        assert said == expected.rstrip(" |")
