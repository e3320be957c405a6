"""Whether people hear of it: alerts and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.standing.sections import (
    OVERDUE,
    SEVERE,
    URGENT,
    Asked,
    Reason,
    Section,
    Standing,
    named,
    when,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.words.alerts import Alert


def alerts(asked: Asked) -> Section:
    """Look at the open alerts; those that another one explains count with that."""
    found = asked.store.alerts(project=asked.settings.project, open_only=True)
    shown = [it for it in found if it.inhibited_by is None]
    taken = sum(it.acknowledged_at is not None for it in found)
    facts = {"open": f"{len(found):,}", "acknowledged": f"{taken:,}"}
    urgent = [it for it in shown if it.kind in SEVERE and it.priority in URGENT]
    others = [it for it in shown if it not in urgent]
    reasons = [
        Reason(
            standing=standing,
            said=f"{wording.plural(len(group), what)}: {named([_alert(it) for it in group])}",
            remedy=f"`workflow-monitor alerts show {group[0].alert_id}`",
        )
        for standing, what, group in (
            (Standing.UNHEALTHY, "urgent alert", urgent),
            (Standing.DEGRADED, "other alert", others),
        )
        if group
    ]
    return Section(facts=facts, reasons=tuple(reasons))


def channels(asked: Asked) -> Section:
    """Look at the channels: what they refused, and what waits."""
    names = [it.name for it in asked.settings.channels]
    found = asked.store.channel_states(asked.settings.project, asked.now)
    letters = asked.store.count_letters(asked.settings.project)
    facts = {"configured": ", ".join(names) or "none"}
    for state in found:
        facts[state.channel] = _counts(
            sent=state.sent, waiting=state.waiting, held=state.held, failed=state.failed
        )
    refusing = [it for it in found if it.refuses and it.channel in names]
    worst = Standing.UNHEALTHY if len(refusing) == len(names) else Standing.DEGRADED
    reasons = [
        Reason(
            standing=worst,
            said=f"{it.channel} did not take its last message: {it.last_error}",
            remedy=f"`workflow-monitor notify test {it.channel}` when it is repaired",
        )
        for it in refusing
    ]
    reasons += [
        Reason(
            standing=Standing.DEGRADED,
            said=f"messages to {it.channel} wait since {when(it.overdue_since)}",
            remedy="let `workflow-monitor notify send` run every minute"
            if it.channel in names
            else f"the settings here have no channel {it.channel!r}; those elsewhere may",
        )
        for it in found
        if it.overdue_since is not None and it.overdue_since < asked.now - OVERDUE
    ]
    if letters.messages:
        reasons.append(
            Reason(
                standing=Standing.DEGRADED,
                said=f"{wording.plural(letters.messages, 'message')} given up",
                remedy="`workflow-monitor dead-letters list`, then retry or drop",
            )
        )
    return Section(facts=facts, reasons=tuple(reasons))


def _counts(**counts: int) -> str:
    said = [f"{count:,} {name}" for name, count in counts.items() if count]
    return ", ".join(said) or "nothing lately"


def _alert(alert: Alert) -> str:
    return f"{alert.workflow_id} in {alert.environment}"
