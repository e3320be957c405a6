"""How values look on a terminal: text that cannot act, statuses, instants, ids, tables."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import Priority, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from pytest_workflow_monitor.schedule.collector import BrokenFile

STYLES = {
    Status.PASSED: "green",
    Status.DEGRADED: "yellow",
    Status.FAILED: "red",
    Status.ERROR: "bold red",
    Status.TIMED_OUT: "red",
    Status.CRASHED: "bold red",
    Status.INTERRUPTED: "bold red",
    Status.SKIPPED: "dim",
    Status.RUNNING: "blue",
}
FLAKY_MARK, FLAKY_WORD = "~", "Flaky"
SHORT_ID = 18
"""The part of a UUIDv7 that tells when, to the millisecond, and twelve random bits."""

WIDE = 110
"""From so many columns on, tables show what does not fit on a narrow terminal."""

BRANCH_LENGTH = 20

_TERMINAL_CODES = re.compile(
    r"\x1b(?:\[?[\d;]*(?=\.\.\.)|\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])"
)
"""Colours, titles and the like; the first form is what is left where pytest cut a message."""


def printable(text: str) -> str:
    """Make text from a test harmless for a terminal: no codes, no control characters."""
    plain = _TERMINAL_CODES.sub("", text).replace("\t", "    ").replace("\r\n", "\n")
    return "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in plain
    )


def line(text: str, style: str = "") -> Text:
    """Return text for the terminal in a style."""
    from rich.text import Text

    return Text(printable(text), style=style)


def verbatim(text: str, style: str = "") -> Text:
    """Return text that only the terminal itself may break: code, or a path to copy."""
    made = line(text, style)
    made.no_wrap = True
    return made


def status(value: Status, *, is_flaky: bool = False) -> Text:
    """Show a status as its mark and its word; a pass after a failed attempt as flaky.

    What is appended to it has no colour: that belongs to the status alone.
    """
    if is_flaky and value is Status.PASSED:
        return line("").append(f"{FLAKY_MARK} {FLAKY_WORD}", "yellow")
    said = f"{wording.STATUS_MARKS[value]} {wording.STATUS_WORDS[value]}"
    return line("").append(said, STYLES[value])


def priority(value: Priority) -> Text:
    """Show a priority, the highest with weight."""
    return line(value.value, "bold" if value is Priority.CRITICAL else "")


def when(moment: datetime | None, now: datetime | None = None) -> str:
    """Say an instant in the local time zone; ``–`` for none."""
    if moment is None:
        return wording.UNKNOWN
    local = _local(moment)
    return wording.instant(local, reference=now or datetime.now(UTC), zone=local.tzinfo or UTC)


def times() -> str:
    """Name the time zone of the instants in a table, for its title."""
    return f"times in {datetime.now(UTC).astimezone():%Z}"


def full_when(moment: datetime) -> str:
    """Say an instant completely, in the local time zone."""
    local = _local(moment)
    return wording.full_instant(local, zone=local.tzinfo or UTC)


def _local(moment: datetime) -> datetime:
    """Return an instant in the local time zone, at the ends of the calendar in its own."""
    try:
        return moment.astimezone()
    except OverflowError:
        return moment


def short_id(identifier: str) -> str:
    """Cut an id to what distinguishes it and is accepted wherever an id is asked for."""
    return identifier[:SHORT_ID]


def commit(git_commit: str, git_branch: str = "") -> str:
    """Say from which commit: ``e7fa45b on main``."""
    return " on ".join(part for part in (git_commit[:7], git_branch) if part)


def short_branch(git_branch: str) -> str:
    """Cut the name of a branch to what a table has room for."""
    return wording.cut(git_branch, BRANCH_LENGTH)


def is_wide() -> bool:
    """Tell whether the terminal has room for columns that can be missed."""
    from pytest_workflow_monitor.cli.output import console

    return console().width >= WIDE


def listing(title: str, columns: Sequence[str], rows: Iterable[Sequence[Text | str]]) -> Group:
    """Return a table with hairlines only; cells are text, nothing in them acts as markup.

    Args:
        title: Stands above it; may be empty.
        columns: Their names. ``>`` before a name says that the column holds numbers, ``=`` that
            its cells, such as ids, are never broken over two lines.
        rows: A cell for each column.
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        made.add_column(
            line(name.lstrip(">=")),
            justify="right" if name.startswith(">") else "left",
            no_wrap=name.startswith((">", "=")),
            overflow="fold",
        )
    for row in rows:
        made.add_row(*(line(cell) if isinstance(cell, str) else cell for cell in row))
    return Group(line(title, "bold"), made) if title else Group(made)


def facts(named: Iterable[tuple[str, Text | str]]) -> Table:
    """Return what is known of a thing, each fact with its name before it."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in named:
        grid.add_row(name, line(value) if isinstance(value, str) else value)
    return grid


def say(sentence: str) -> None:
    """Print a sentence about what was done, where it does not mix with data."""
    click.echo(printable(sentence), err=True)


def complain(broken: Iterable[BrokenFile]) -> None:
    """Say which files are missing from a collection, and why."""
    for it in broken:
        say(f"{it}.")
