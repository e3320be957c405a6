"""What a message says, before a channel gives it its form.

All texts are plain: they may hold anything that a page or a test produced, already masked. A
channel escapes them for its own markup and cuts them to its own limits.
"""

from __future__ import annotations

from datetime import datetime

from pytest_workflow_monitor.model import Priority, Record
from pytest_workflow_monitor.words.alerts import AlertKind, NotificationKind
from pytest_workflow_monitor.words.period_report import Tone


class Picture(Record, frozen=True, kw_only=True):
    """A screenshot: where its file is, and where a browser can fetch it, if anywhere.

    ``path`` is absolute, or empty when the file is not on this machine.
    """

    name: str
    path: str = ""
    url: str = ""
    content_type: str = "image/png"


class Item(Record, frozen=True, kw_only=True):
    """One alert as a message tells it.

    Attributes:
        state: ``failing``, ``acknowledged`` or ``resolved``.
        status_word: The latest execution's status as people say it, such as ``Timed out``.
        since: When the problem began.
        lasted: How long it has lasted, or had when it was resolved, in words.
        how_often: How often it happened before, in words.
        duration: How long the latest execution took, and what is normal, in words.
        failing_step: The path of the step that failed.
        failed_steps: Names of all failed steps.
        steps_total: How many steps it had; 0 when that is not known.
        error: The error in at most three lines.
        cause: What it has in common with others, or what kind of error it is, in words.
        evidence_url: Where the report shows the execution, if that can be reached.
        explained: Names of workflows whose alerts this one explains.
    """

    alert_id: int
    kind: AlertKind
    state: str
    workflow_id: str
    name: str
    priority: Priority
    since: datetime
    lasted: str = ""
    status_word: str = ""
    how_often: str = ""
    duration: str = ""
    failing_step: str = ""
    failed_steps: tuple[str, ...] = ()
    steps_total: int = 0
    error: tuple[str, ...] = ()
    cause: str = ""
    reason: str = ""
    owner: str = ""
    runbook: str = ""
    evidence_url: str = ""
    picture: Picture | None = None
    run_id: str = ""
    explained: tuple[str, ...] = ()


class Figure(Record, frozen=True, kw_only=True):
    """A number with its name, said with how it changed."""

    label: str
    value: str


class Point(Record, frozen=True, kw_only=True):
    """Something that needs attention: what shows it, and what helps, if anything."""

    text: str
    detail: str = ""
    tone: Tone = Tone.NEUTRAL
    command: str = ""
    url: str = ""


class Attachment(Record, frozen=True, kw_only=True):
    """A file that goes along with a message, where the channel can carry files."""

    name: str
    content_type: str
    data: bytes


class Message(Record, frozen=True, kw_only=True):
    """A message to one channel.

    Attributes:
        key: The idempotency key of this message.
        thread_key: The same for all messages about one incident: ``project/environment/number``.
        kind: What the message is about.
        title: One line that says it all: ``Login fails: 6 workflows in production``.
        is_good: Whether it is good news.
        priority: The highest among its items.
        mention: Whether people are to be called by name, if the channel knows how.
        at: When it was composed, in UTC.
        items: The alerts it tells of, the most important first.
        counts: How many alerts it tells of in each state; may be more than there are items.
        summary: Lines for the kinds that are about no alert, such as a summary or a pass.
        report_url: Where the report is, if that can be reached.
        actor: Who did what the message tells, such as who acknowledged.
        note: Why it comes now, such as ``not acknowledged for 15 min``.
        is_test: Whether it is only a sample.
        word: What it calls itself where its kind says too little, such as ``Daily report``.
        tone: What it means where that does not follow from its items.
        figures: The numbers of a report.
        points: What needs attention, the most important first.
        attachment: The report as a file.
    """

    key: str
    thread_key: str
    kind: NotificationKind
    title: str
    project: str
    environment: str
    at: datetime
    is_good: bool = False
    priority: Priority = Priority.MEDIUM
    mention: bool = False
    items: tuple[Item, ...] = ()
    counts: dict[str, int] = {}
    summary: tuple[str, ...] = ()
    report_url: str = ""
    actor: str = ""
    note: str = ""
    is_test: bool = False
    word: str = ""
    tone: Tone | None = None
    figures: tuple[Figure, ...] = ()
    points: tuple[Point, ...] = ()
    attachment: Attachment | None = None
