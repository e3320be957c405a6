"""What to do next, the most important first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.rules import findings
from pytest_workflow_monitor.analysis.wording import plural
from pytest_workflow_monitor.words.period_report import Note, Section, Tone

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

MOST = 12


def section(facts: PeriodFacts) -> Section:
    """List what the rules found."""
    found = findings(facts)
    if not found:
        note = Note(text="Nothing: all is as it should be.", tone=Tone.GOOD)
        return Section(name="recommendations", title="What to do next", blocks=(note,))
    left = len(found) - MOST
    more = (Note(text=f"{plural(left, 'thing')} of less weight are left out."),) if left > 0 else ()
    return Section(
        name="recommendations",
        title="What to do next",
        blocks=(*found[:MOST], *more),
        brief=f"{len(found)}",
    )
