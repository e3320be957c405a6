"""Charts as tables: the same numbers for those who cannot see them, and for plain formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.words.period_report import (
    Column,
    Form,
    HeatMap,
    LineChart,
    Table,
    Timeline,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.words.period_report import Value

HOURS = 24


def table_of(chart: LineChart | HeatMap | Timeline) -> Table:
    """Return what a chart shows as a table."""
    if isinstance(chart, LineChart):
        return _of_lines(chart)
    return _of_heat(chart) if isinstance(chart, HeatMap) else _of_timeline(chart)


def _of_lines(chart: LineChart) -> Table:
    has_band = bool(chart.low and chart.high)
    columns = [
        Column(key="at", label="When", form=Form.INSTANT),
        *(
            Column(key=f"series{number}", label=series.name, form=chart.form, unit=chart.unit)
            for number, series in enumerate(chart.series)
        ),
    ]
    if has_band:
        columns += [
            Column(key="low", label="Normally from", form=chart.form, unit=chart.unit),
            Column(key="high", label="Normally to", form=chart.form, unit=chart.unit),
        ]
    rows: list[tuple[Value, ...]] = []
    for number, at in enumerate(chart.instants):
        band = (chart.low[number], chart.high[number]) if has_band else ()
        rows.append((at, *(series.values[number] for series in chart.series), *band))
    return Table(name=chart.title, columns=tuple(columns), rows=tuple(rows))


def _of_heat(chart: HeatMap) -> Table:
    columns = (
        Column(key="day", label="Day"),
        *(Column(key=f"h{hour}", label=f"{hour:02d}") for hour in range(HOURS)),
    )
    rows = tuple(
        (label, *("" if cell is None else f"{cell[1]} of {cell[0]}" for cell in cells))
        for label, cells in zip(chart.days, chart.cells, strict=True)
    )
    return Table(name=chart.title, columns=columns, rows=rows)


def _of_timeline(chart: Timeline) -> Table:
    columns = (
        Column(key="row", label="Workflow", form=Form.WORKFLOW),
        Column(key="what", label="What"),
        Column(key="since", label="From", form=Form.INSTANT),
        Column(key="until", label="Until", form=Form.INSTANT),
    )
    rows = tuple((it.row, it.label, it.starts_at, it.ends_at or "still open") for it in chart.spans)
    return Table(name=chart.title, columns=columns, rows=rows)
