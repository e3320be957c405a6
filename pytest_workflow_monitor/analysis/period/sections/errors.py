"""Failures with the same cause: what is new, what goes on, what is gone."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.wording import first_line, plural
from pytest_workflow_monitor.words.period_report import Column, Form, Note, Section, Table, Tone

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import ErrorGroup, PeriodFacts
    from pytest_workflow_monitor.words.period_report import Value

MOST = 30
COLUMNS = (
    Column(key="state", label="State"),
    Column(key="error", label="Error", form=Form.CODE),
    Column(key="workflows", label="Workflows"),
    Column(key="count", label="Times", form=Form.COUNT),
    Column(key="before", label="Before", form=Form.COUNT),
    Column(key="first", label="First seen", form=Form.INSTANT),
    Column(key="last", label="Last seen", form=Form.INSTANT),
    Column(key="fingerprint", label="Fingerprint", form=Form.CODE),
)


class State(StrEnum):
    """How an error stands in a period."""

    NEW = "new"
    BACK = "back"
    CONTINUING = "continuing"
    GONE = "gone"


TONES = {State.NEW: Tone.BAD, State.BACK: Tone.BAD, State.GONE: Tone.GOOD}


def section(facts: PeriodFacts) -> Section:
    """List the groups of errors, new ones first."""
    order = list(State)
    found = sorted(
        ((state_of(facts, it), it) for it in facts.errors),
        key=lambda pair: (order.index(pair[0]), -pair[1].count, pair[1].fingerprint),
    )
    if not found:
        note = Note(text="There were none, neither now nor in the period before.", tone=Tone.GOOD)
        return Section(name="errors", title="Errors", blocks=(note,))
    rows: list[tuple[Value, ...]] = []
    tones: dict[str, Tone] = {}
    for number, (state, it) in enumerate(found[:MOST]):
        if state in TONES:
            tones[f"{number}.state"] = TONES[state]
        rows.append(
            (
                state.value,
                first_line(it.message, limit=160),
                ", ".join(it.workflow_ids),
                it.count,
                it.count_before,
                it.first_at,
                it.last_at,
                it.fingerprint[:12],
            )
        )
    new = sum(state is State.NEW for state, _ in found)
    table = Table(name="errors", columns=COLUMNS, rows=tuple(rows), tones=tones)
    return Section(
        name="errors",
        title="Errors",
        blocks=(table,),
        brief=plural(new, "new error") if new else "",
    )


def state_of(facts: PeriodFacts, group: ErrorGroup) -> State:
    """Tell whether an error is new, was seen before, goes on, or is gone."""
    if not group.count:
        return State.GONE
    if group.first_at >= facts.period.start:
        return State.NEW
    return State.CONTINUING if group.count_before else State.BACK
