"""Charts as geometry: the template draws them as SVG, colours come from classes.

Places across are per cent of the width, so that a chart fits any; heights are pixels.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.report.period.axes import Tick, across, ticks, time_ticks
from pytest_workflow_monitor.report.period.saying import day, instant, said
from pytest_workflow_monitor.words.period_report import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime, tzinfo

    from pytest_workflow_monitor.words.period_report import HeatMap, LineChart, Mark, Timeline

HEIGHT = 180.0
ROOM = 10.0
"""Pixels above the highest value, so that its mark is not cut."""

WIDTH = 1000.0
"""Units across of the lines' own picture, which is stretched."""

ROW = 28.0
LEVELS = ((0.0, "h0"), (0.05, "h1"), (0.25, "h2"), (0.6, "h3"))
"""From which share of failures on a cell has which class."""

SPARK_WIDTH = 96.0
SPARK_HEIGHT = 20.0


class Dot(NamedTuple):
    """A value with what a reader is told who points at it."""

    x: float
    y: float
    label: str


class Line(NamedTuple):
    """One series: a path in the stretched picture, and its dots."""

    number: int
    name: str
    path: str
    dots: tuple[Dot, ...]


class MarkPlace(NamedTuple):
    """Something that happened: a line, or an area if it lasted."""

    x: float
    width: float
    label: str


class Lines(NamedTuple):
    """A chart of lines."""

    lines: tuple[Line, ...]
    band: str
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    limit: float | None
    marks: tuple[MarkPlace, ...]
    height: float = HEIGHT


class Bar(NamedTuple):
    """A span on its row."""

    x: float
    width: float
    tone: str
    label: str


class TimelineRow(NamedTuple):
    """The spans of one workflow."""

    label: str
    bars: tuple[Bar, ...]


class Rows(NamedTuple):
    """A timeline."""

    rows: tuple[TimelineRow, ...]
    x_ticks: tuple[Tick, ...]
    marks: tuple[MarkPlace, ...]


class Cell(NamedTuple):
    """An hour of a day."""

    x: float
    level: str
    label: str


class HeatRow(NamedTuple):
    """A day."""

    label: str
    cells: tuple[Cell, ...]


def lines(chart: LineChart, zone: tzinfo) -> Lines:
    """Lay out a chart of lines."""
    low, high = _range(chart)
    start, end = chart.instants[0], chart.instants[-1]

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(HEIGHT - share * (HEIGHT - ROOM), 2)

    places = [across(at, start, end) for at in chart.instants]
    return Lines(
        lines=tuple(
            Line(
                number=number,
                name=series.name,
                path=_path(places, series.values, y),
                dots=tuple(
                    Dot(
                        x=x,
                        y=y(value),
                        label=f"{day(at, zone)}: {said(value, chart.form, zone, unit=chart.unit)}",
                    )
                    for x, at, value in zip(places, chart.instants, series.values, strict=True)
                    if value is not None
                ),
            )
            for number, series in enumerate(chart.series)
        ),
        band=_band(places, chart, y),
        y_ticks=tuple(
            Tick(y(value), said(value, chart.form, zone, unit=chart.unit))
            for value in ticks(low, high, chart.form)
        ),
        x_ticks=time_ticks(start, end, zone),
        limit=None if chart.limit is None else y(chart.limit),
        marks=_marks(chart.marks, start, end, zone),
    )


def timeline(chart: Timeline, zone: tzinfo) -> Rows:
    """Lay out a timeline, a row for each workflow in order of their first span."""
    rows: dict[str, list[Bar]] = {}
    for span in chart.spans:
        x = across(max(span.starts_at, chart.start), chart.start, chart.end)
        until = across(min(span.ends_at or chart.end, chart.end), chart.start, chart.end)
        ended = instant(span.ends_at, zone) if span.ends_at else "still open"
        label = f"{span.label} ({instant(span.starts_at, zone)} to {ended})"
        rows.setdefault(span.row, []).append(
            Bar(x=x, width=max(round(until - x, 3), 0.4), tone=span.tone.value, label=label)
        )
    return Rows(
        rows=tuple(TimelineRow(label, tuple(bars)) for label, bars in rows.items()),
        x_ticks=time_ticks(chart.start, chart.end, zone),
        marks=_marks(chart.marks, chart.start, chart.end, zone),
    )


def heat(chart: HeatMap) -> tuple[HeatRow, ...]:
    """Lay out a map of hours."""
    return tuple(
        HeatRow(
            label,
            tuple(
                Cell(
                    x=round(100 * hour / len(cells), 3),
                    level=_level(cell),
                    label=f"{label} {hour:02d}:00: {_said_cell(cell)}",
                )
                for hour, cell in enumerate(cells)
            ),
        )
        for label, cells in zip(chart.days, chart.cells, strict=True)
    )


def spark(values: Sequence[float | None]) -> str:
    """Draw a small line as an SVG path; gaps where there is no value."""
    there = [it for it in values if it is not None]
    if len(there) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    low, high = min(there), max(there)
    width = SPARK_WIDTH / (len(values) - 1)
    height = SPARK_HEIGHT - 4

    def y(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(SPARK_HEIGHT - 2 - share * height, 1)

    return _path([round(n * width, 1) for n in range(len(values))], values, y, scale=1)


def _range(chart: LineChart) -> tuple[float, float]:
    series: list[Iterable[float | None]] = [it.values for it in chart.series]
    values = [it for one in (*series, chart.low, chart.high) for it in one if it is not None]
    if chart.limit is not None:
        values.append(chart.limit)
    high, low = max(values, default=1.0), min(values, default=0.0)
    if chart.form is Form.SHARE:
        high = 1.0
        low = min(low, 0.99)
        return (floor(low * 20) / 20 if low < 0.95 else floor(low * 100) / 100), high  # noqa: PLR2004 - steps of 5 or 1 %
    if chart.from_zero:
        low = min(0.0, low)
    return low, high if high > low else low + 1.0


def _path(
    places: Sequence[float],
    values: Sequence[float | None],
    y: Callable[[float], float],
    *,
    scale: float = WIDTH / 100,
) -> str:
    parts, pen = [], "M"
    for x, value in zip(places, values, strict=True):
        if value is None:
            pen = "M"
            continue
        parts.append(f"{pen}{round(x * scale, 2)} {y(value)}")
        pen = "L"
    return "".join(parts)


def _band(places: Sequence[float], chart: LineChart, y: Callable[[float], float]) -> str:
    if not chart.low or not chart.high:
        return ""
    upper = _path(places, chart.high, y)
    lower = _path(places[::-1], chart.low[::-1], y)
    return f"{upper}L{lower[1:]}Z" if upper and lower else ""


def _marks(
    marks: Iterable[Mark], start: datetime, end: datetime, zone: tzinfo
) -> tuple[MarkPlace, ...]:
    found = []
    for mark in marks:
        if not start <= mark.at <= end:
            continue
        x = across(mark.at, start, end)
        until = across(min(mark.until, end), start, end) if mark.until else x
        label = f"{mark.label}, {instant(mark.at, zone)}"
        found.append(MarkPlace(x=x, width=round(until - x, 3), label=label))
    return tuple(found)


def _level(cell: tuple[int, int] | None) -> str:
    if cell is None:
        return "none"
    judged, bad = cell
    if not bad:
        return "fine"
    share = bad / judged if judged else 0.0
    return [name for least, name in LEVELS if share >= least][-1]


def _said_cell(cell: tuple[int, int] | None) -> str:
    return "nothing ran" if cell is None else f"{cell[1]} of {cell[0]} failed"
