"""Slots that did not run as planned, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.figures import name_of
from pytest_workflow_monitor.analysis.wording import plural
from pytest_workflow_monitor.words.period_report import Column, Form, Note, Section, Table, Tone
from pytest_workflow_monitor.words.slots import SlotStatus

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

COLUMNS = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="what", label="What"),
    Column(key="count", label="Slots", form=Form.COUNT),
    Column(key="reason", label="Why"),
    Column(key="first", label="First", form=Form.INSTANT),
    Column(key="last", label="Last", form=Form.INSTANT),
)
WORDS = {
    SlotStatus.MISSED: "missed",
    SlotStatus.LOST: "lost with its worker",
    SlotStatus.NOT_RUN: "not run",
    SlotStatus.SKIPPED: "skipped",
    SlotStatus.CANCELLED: "cancelled",
}
BAD = frozenset({SlotStatus.MISSED, SlotStatus.LOST})


def section(facts: PeriodFacts) -> Section:
    """List them by workflow, what became of them, and the reason."""
    if not facts.slots:
        note = Note(text="Every slot that is known of ran.", tone=Tone.GOOD)
        return Section(name="slots", title="Slots that did not run", blocks=(note,))
    order = list(WORDS)
    found = sorted(
        facts.slots, key=lambda it: (order.index(SlotStatus(it.status)), -it.count, it.key)
    )
    table = Table(
        name="slots",
        columns=COLUMNS,
        rows=tuple(
            (
                name_of(facts, it.key),
                WORDS[SlotStatus(it.status)],
                it.count,
                it.reason,
                it.first_at,
                it.last_at,
            )
            for it in found
        ),
        tones={
            f"{number}.what": Tone.BAD
            for number, it in enumerate(found)
            if SlotStatus(it.status) in BAD
        },
    )
    total = sum(it.count for it in found)
    return Section(
        name="slots",
        title="Slots that did not run",
        blocks=(table,),
        brief=plural(total, "slot"),
    )
