"""At which hours of which days things went wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.wording import MONTHS
from pytest_workflow_monitor.words.period_report import HeatMap, Section

if TYPE_CHECKING:
    from datetime import date

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = 24
MOST_DAYS = 31
HALF_AN_HOUR = timedelta(minutes=30)
"""To the middle of an hour of UTC, which tells in which hour of the zone it mostly is."""


def section(facts: PeriodFacts) -> Section | None:
    """Show the hours of the last days, in the report's zone."""
    if not facts.hours:
        return None
    zone = facts.period.zone
    cells: dict[date, list[tuple[int, int] | None]] = {}
    last = (facts.period.end - timedelta(seconds=1)).astimezone(zone).date()
    first = max(
        (facts.hours[0].starts_at + HALF_AN_HOUR).astimezone(zone).date(),
        last - timedelta(days=MOST_DAYS - 1),
    )
    for number in range((last - first).days + 1):
        cells[first + timedelta(days=number)] = [None] * HOURS
    for hour in facts.hours:
        local = (hour.starts_at + HALF_AN_HOUR).astimezone(zone)
        row = cells.get(local.date())
        if row is not None and hour.judged:
            judged, bad = row[local.hour] or (0, 0)
            row[local.hour] = (judged + hour.judged, bad + hour.bad)
    heat = HeatMap(
        title=f"Failed executions by hour ({facts.period.timezone})",
        days=tuple(f"{WEEKDAYS[it.weekday()]} {it.day} {MONTHS[it.month - 1]}" for it in cells),
        cells=tuple(tuple(row) for row in cells.values()),
    )
    return Section(name="hours", title="Days and hours", blocks=(heat,))
