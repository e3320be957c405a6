"""What nobody was told of, and why: silences, windows, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.facts import Key
from pytest_workflow_monitor.analysis.period.figures import listed, name_of
from pytest_workflow_monitor.analysis.period.incidents import said_alert
from pytest_workflow_monitor.words.period_report import Column, Form, Section, Table

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.words.alerts import Silence
    from pytest_workflow_monitor.words.period_report import Block, Value

MOST_NAMED = 5
SILENCES = (
    Column(key="silence", label="Silence", form=Form.COUNT),
    Column(key="what", label="Of what"),
    Column(key="from", label="From", form=Form.INSTANT),
    Column(key="until", label="Until", form=Form.INSTANT),
    Column(key="hid", label="What it held back"),
    Column(key="by", label="By"),
    Column(key="why", label="Why"),
)
MESSAGES = (
    Column(key="messages", label="Messages not sent", form=Form.COUNT),
    Column(key="why", label="Why"),
)
ALERTS = (
    Column(key="workflow", label="Workflow", form=Form.WORKFLOW),
    Column(key="what", label="What"),
    Column(key="why", label="Why nobody was told"),
    Column(key="alerts", label="Alerts", form=Form.COUNT),
    Column(key="first", label="First", form=Form.INSTANT),
    Column(key="last", label="Last", form=Form.INSTANT),
)


def section(facts: PeriodFacts) -> Section | None:
    """List silences, messages that were not sent, and alerts of which nobody was told."""
    blocks: list[Block] = []
    if facts.silences:
        blocks.append(
            Table(
                name="Silences",
                columns=SILENCES,
                rows=tuple(
                    (
                        it.silence_id,
                        "; ".join(f"{name}: {', '.join(what)}" for name, what in it.match.items()),
                        it.starts_at,
                        it.ends_at,
                        _hidden(facts, it),
                        it.author,
                        it.reason,
                    )
                    for it in facts.silences
                ),
            )
        )
    quiet = _quiet(facts)
    if quiet:
        blocks.append(Table(name="Alerts of which nobody was told", columns=ALERTS, rows=quiet))
    if facts.suppressed:
        blocks.append(
            Table(
                name="Messages that were not sent",
                columns=MESSAGES,
                rows=tuple((it.count, it.reason) for it in facts.suppressed),
            )
        )
    return Section(name="silenced", title="Silenced", blocks=tuple(blocks)) if blocks else None


def _quiet(facts: PeriodFacts) -> tuple[tuple[Value, ...], ...]:
    """The alerts that opened in the period, those of one workflow about the same together."""
    groups: dict[tuple[str, str, str], list[datetime]] = {}
    for it in facts.alerts:
        if it.quiet and it.opened_at >= facts.period.start:
            key = Key(environment=it.environment, workflow_id=it.workflow_id)
            group = name_of(facts, key), said_alert(facts, it), it.quiet
            groups.setdefault(group, []).append(it.opened_at)
    ranked = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple((*group, len(opened), min(opened), max(opened)) for group, opened in ranked)


def _hidden(facts: PeriodFacts, silence: Silence) -> str:
    found = [
        f"{it.workflow_id}: {said_alert(facts, it)}"
        for it in facts.hidden.get(silence.silence_id, ())
    ]
    return listed(found, MOST_NAMED)
