"""The words of a period report: sections made of facts, tables, charts and findings.

A section says what it has to say in these words, once; HTML, Markdown, JSON and CSV are made from
them. Values are raw (milliseconds, shares between 0 and 1, instants); each renderer says them in
its way, by the :class:`Form` of the column.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.model import Priority, Record
from pytest_workflow_monitor.words.periods import Period

SCHEMA_VERSION = 1


class Form(StrEnum):
    """How values are to be said."""

    TEXT = "text"
    CODE = "code"
    WORKFLOW = "workflow"
    PRIORITY = "priority"
    STATUS = "status"
    COUNT = "count"
    NUMBER = "number"
    DURATION = "duration"
    SHARE = "share"
    CHANGE_DURATION = "change_duration"
    CHANGE_SHARE = "change_share"
    CHANGE_COUNT = "change_count"
    RATIO = "ratio"
    INSTANT = "instant"
    TREND = "trend"
    QUANTITY = "quantity"


class Tone(StrEnum):
    """Whether something is good, in the colours of statuses; neutral has none."""

    NEUTRAL = "neutral"
    GOOD = "passed"
    DOUBTFUL = "degraded"
    BAD = "failed"


if TYPE_CHECKING:
    Value = str | int | float | bool | datetime | tuple[float | None, ...] | None
else:
    Value = Any  # JSON alone does not tell an instant from a text: report/period/document.py does


class Fact(Record, frozen=True, kw_only=True, tag="fact"):
    """A number with its name, and how it changed against ``against``."""

    label: str
    value: Value
    form: Form = Form.TEXT
    change: float | None = None
    change_form: Form = Form.CHANGE_SHARE
    change_tone: Tone = Tone.NEUTRAL
    against: str = ""
    unit: str = ""


class Facts(Record, frozen=True, kw_only=True, tag="facts"):
    """Numbers that stand side by side."""

    facts: tuple[Fact, ...]


class Note(Record, frozen=True, kw_only=True, tag="note"):
    """A sentence."""

    text: str
    tone: Tone = Tone.NEUTRAL


class Column(Record, frozen=True, kw_only=True):
    """A column of a table; ``unit`` is for quantities."""

    key: str
    label: str
    form: Form = Form.TEXT
    unit: str = ""


class Table(Record, frozen=True, kw_only=True, tag="table"):
    """Rows of raw values; ``tones`` marks cells by row number and column key."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    tones: dict[str, Tone] = {}
    empty: str = ""


class Series(Record, frozen=True, kw_only=True):
    """One line of a chart, a value or None for each instant."""

    name: str
    values: tuple[float | None, ...]


class Mark(Record, frozen=True, kw_only=True):
    """Something that happened at an instant, or until another."""

    at: datetime
    label: str
    until: datetime | None = None
    tone: Tone = Tone.NEUTRAL


class LineChart(Record, frozen=True, kw_only=True, tag="line_chart"):
    """Values over time. ``low`` and ``high`` are the band of what is normal."""

    title: str
    form: Form
    instants: tuple[datetime, ...]
    series: tuple[Series, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    limit: float | None = None
    limit_label: str = ""
    marks: tuple[Mark, ...] = ()
    unit: str = ""
    from_zero: bool = True


class HeatMap(Record, frozen=True, kw_only=True, tag="heat_map"):
    """A value for each hour of each day: how much went wrong, of how much.

    ``days`` are the labels of the rows; cells are (judged, bad), or None where nothing ran.
    """

    title: str
    days: tuple[str, ...]
    cells: tuple[tuple[tuple[int, int] | None, ...], ...]


class Span(Record, frozen=True, kw_only=True):
    """A bar of a timeline; without ``ends_at`` it goes on."""

    row: str
    label: str
    starts_at: datetime
    ends_at: datetime | None = None
    tone: Tone = Tone.BAD


class Timeline(Record, frozen=True, kw_only=True, tag="timeline"):
    """What lasted from when to when, within a window."""

    title: str
    start: datetime
    end: datetime
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...] = ()


class Finding(Record, frozen=True, kw_only=True, tag="finding"):
    """Something to do: what is wrong, how one knows, and how to act.

    Attributes:
        rule: The rule that found it.
        title: What is wrong, in one sentence.
        evidence: What shows it, one sentence each.
        action: What to do, in one sentence.
        command: A command that helps with it; empty if there is none.
        link: An address that helps with it; empty if there is none.
        weight: How much it matters; larger comes first.
    """

    rule: str
    title: str
    evidence: tuple[str, ...] = ()
    action: str = ""
    command: str = ""
    link: str = ""
    tone: Tone = Tone.BAD
    priority: Priority = Priority.MEDIUM
    weight: float = 0.0


Block = Facts | Note | Table | LineChart | HeatMap | Timeline | Finding


class Section(Record, frozen=True, kw_only=True):
    """One part of a report. ``brief`` says in a few words what it says, for messages."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    brief: str = ""


class Headline(Record, frozen=True, kw_only=True):
    """What stands in ``monitoring_reports`` beside the document.

    Rates are per cent from 0 to 100, trends differences against the period before: of rates in
    percentage points, of the average duration in per cent.
    """

    total_runs: int
    successful_runs: int
    failed_runs: int
    success_rate: float | None
    avg_duration_ms: float | None
    critical_issues: int
    success_rate_trend: float | None
    performance_trend: float | None
    error_rate_trend: float | None


class PeriodReport(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A whole report; ``verdict`` is its first line, ``tone`` how good that is."""

    name: str
    project: str
    environment: str
    period: Period
    generated_at: datetime
    verdict: str
    tone: Tone
    headline: Headline
    sections: tuple[Section, ...]
    schema_version: int = SCHEMA_VERSION
