"""``workflow-monitor db stats``: how big the database is, and is going to be."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, needed
from pytest_workflow_monitor.cli.options import as_json_option
from pytest_workflow_monitor.cli.output import console, print_json

if TYPE_CHECKING:
    from pytest_workflow_monitor.keeping.growth import Growth
    from pytest_workflow_monitor.store.statistics import TableStatistics


@click.command(short_help="Tell sizes, growth, and what is to come.")
@as_json_option
def stats(*, as_json: bool) -> None:
    """Tell how many rows each table has, how big it is, and how much a day adds.

    Rows of big tables are estimates, marked with ~. What is to come follows from the last week and
    from how long things are kept.
    """
    from pytest_workflow_monitor.keeping.growth import growth

    settings, now = effective_settings(), datetime.now(UTC)
    with needed(settings) as store:
        tables = store.table_statistics(now)
        folder = store.server.data if store.server else None
    free = shutil.disk_usage(folder).free if folder else None
    found = growth(tables, settings, now, free_bytes=free)
    if as_json:
        rows = [{**asdict(it), "size_bytes": it.size_bytes} for it in tables]
        print_json({"tables": rows, **asdict(found)})
        return
    columns = ["=Table", ">Rows", ">Size", ">Indexes", "=Oldest", "=Newest", ">Rows a day"]
    filled = sorted((it for it in tables if it.rows), key=lambda it: -it.size_bytes)
    console().print(
        display.listing(
            f"What is in the database ({display.times()})",
            columns,
            [_row(it, now) for it in filled],
        )
    )
    _print_growth(found, now)


def _row(table: TableStatistics, now: datetime) -> list[str]:
    return [
        table.name,
        f"{'~' if table.is_estimate else ''}{table.rows:,}",
        wording.size(table.size_bytes),
        wording.size(table.index_bytes),
        display.when(table.oldest_at, now) if table.oldest_at else "",
        display.when(table.newest_at, now) if table.newest_at else "",
        "" if table.rows_per_day is None else f"{table.rows_per_day:,.0f}",
    ]


def _print_growth(found: Growth, now: datetime) -> None:
    size, a_day = wording.size(found.size_bytes), wording.size(round(found.bytes_per_day))
    click.echo(f"{size} in all; a day adds {a_day} now.")
    ahead = [f"{wording.size(it)} in {days} days" for days, it in found.forecast_bytes.items()]
    click.echo(f"If it goes on like that: {', '.join(ahead)}.")
    if found.free_bytes is not None:
        left = f"The disk has {wording.size(found.free_bytes)} left"
        when = f"until {display.when(found.full_at, now)}" if found.full_at else "for ten years"
        click.echo(f"{left}: enough {when}.")
