"""A kept report, read again: JSON does not tell instants from texts, the forms of columns do."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from pytest_workflow_monitor.errors import ReportError
from pytest_workflow_monitor.words.period_report import (
    SCHEMA_VERSION,
    Facts,
    Form,
    PeriodReport,
    Section,
    Table,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.words.period_report import Block, Value


def read_document(document: bytes) -> PeriodReport:
    """Read a report as it was rendered as JSON.

    Raises:
        ReportError: It is none, or of a version that is not known here.
    """
    try:
        found = _decoder().decode(document)
    except msgspec.MsgspecError as error:
        raise ReportError(f"The kept report cannot be read: {error}.") from error
    if found.schema_version > SCHEMA_VERSION:
        raise ReportError(
            f"The kept report is of version {found.schema_version}; this program knows versions up "
            f"to {SCHEMA_VERSION}: update it."
        )
    return replace(found, sections=tuple(map(_section, found.sections)))


@cache
def _decoder() -> msgspec.json.Decoder[PeriodReport]:
    return msgspec.json.Decoder(PeriodReport)


def _section(section: Section) -> Section:
    return replace(section, blocks=tuple(map(_block, section.blocks)))


def _block(block: Block) -> Block:
    if isinstance(block, Facts):
        facts = (replace(it, value=_value(it.value, it.form)) for it in block.facts)
        return replace(block, facts=tuple(facts))
    if isinstance(block, Table):
        forms = [it.form for it in block.columns]
        rows = (tuple(map(_value, row, forms)) for row in block.rows)
        return replace(block, rows=tuple(rows))
    return block


def _value(value: Any, form: Form) -> Value:
    if isinstance(value, list):
        return tuple(value)
    if form is Form.INSTANT and isinstance(value, str):
        try:
            return msgspec.convert(value, datetime)
        except msgspec.ValidationError:
            return value  # words instead of an instant, such as "still open"
    return value  # type: ignore[no-any-return]
