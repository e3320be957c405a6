"""Says the raw values of a report in words, by the form of their column."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.words.period_report import Form

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from pytest_workflow_monitor.words.period_report import Value

NOTHING = "–"
NUMERIC = frozenset(
    {
        Form.COUNT,
        Form.NUMBER,
        Form.DURATION,
        Form.SHARE,
        Form.CHANGE_DURATION,
        Form.CHANGE_SHARE,
        Form.CHANGE_COUNT,
        Form.RATIO,
        Form.QUANTITY,
    }
)
"""Forms that are set flush right."""


def said(value: Value, form: Form, zone: tzinfo, *, unit: str = "") -> str:
    """Say a value.

    Args:
        value: Milliseconds for durations, 0 to 1 for shares, aware for instants.
        form: How to say it.
        zone: Whose clock instants are said by.
        unit: Of a quantity.
    """
    if value is None or value == "":
        return NOTHING
    if isinstance(value, datetime):
        return instant(value, zone)
    if isinstance(value, tuple):
        return trend(value)
    if isinstance(value, str):
        return value
    if form is Form.QUANTITY:
        return wording.quantity(value, unit)
    return _NUMBERS.get(form, wording.number)(value)


def instant(moment: datetime, zone: tzinfo) -> str:
    """Say an instant with its day: ``12 Nov 14:20``."""
    local = moment.astimezone(zone)
    return f"{local.day} {wording.MONTHS[local.month - 1]} {local:%H:%M}"


def day(moment: datetime, zone: tzinfo) -> str:
    """Say the day of an instant: ``12 Nov``."""
    local = moment.astimezone(zone)
    return f"{local.day} {wording.MONTHS[local.month - 1]}"


def trend(values: tuple[float | None, ...]) -> str:
    """Say the durations of a small chart: the first, the last and their range."""
    there = [it for it in values if it is not None]
    if not there:
        return NOTHING
    low, high = wording.duration(min(there)), wording.duration(max(there))
    return f"{wording.duration(there[0])} to {wording.duration(there[-1])} ({low} to {high})"


def _signed(value: float, said_value: str) -> str:
    if value == 0:
        return "±0"
    return ("+" if value > 0 else "−") + said_value


def _points(share: float) -> str:
    """Percentage points with one decimal, or the first digit there is."""
    points = abs(share) * 100
    text = f"{points:.1f}" if points >= 0.1 else f"{points:.1g}"  # noqa: PLR2004 - see above
    return _signed(share, f"{text.removesuffix('.0')} points")


_NUMBERS: dict[Form, Callable[[float], str]] = {
    Form.COUNT: lambda value: f"{int(value):,}",
    Form.NUMBER: wording.number,
    Form.DURATION: wording.duration,
    Form.SHARE: wording.availability,
    Form.CHANGE_DURATION: lambda value: wording.change(value) if value else "±0",
    Form.CHANGE_SHARE: _points,
    Form.CHANGE_COUNT: lambda value: _signed(value, f"{abs(int(value)):,}"),
    Form.RATIO: lambda value: f"× {wording.number(value)}",
}
