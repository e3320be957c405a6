"""How tables are set: which have a title, and how much room their columns need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.words.period_report import Form, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.words.period_report import Column, Section, Value

    Say = Callable[[Value, Form, str], str]

SHORT = 22
"""Texts of so many characters stay on one line."""

TEXTS = frozenset({Form.TEXT, Form.CODE, Form.INSTANT, Form.PRIORITY, Form.STATUS})


def has_titles(section: Section) -> bool:
    """Whether the tables of a section need titles: one alone is what the section is."""
    return sum(isinstance(it, Table) for it in section.blocks) > 1


def widths(table: Table, say: Say) -> tuple[str, ...]:
    """Tell for each column whether it is ``tight`` (on one line), ``roomy``, or neither."""
    return tuple(
        _width(column, [row[number] for row in table.rows], say)
        for number, column in enumerate(table.columns)
    )


def _width(column: Column, values: list[Value], say: Say) -> str:
    if column.form not in TEXTS:
        return ""
    longest = max((len(say(it, column.form, column.unit)) for it in values), default=0)
    return "tight" if longest <= SHORT else "roomy"
