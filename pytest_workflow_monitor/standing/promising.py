"""Whether what was promised is kept: error budgets."""

from __future__ import annotations

from pytest_workflow_monitor.standing.sections import (
    SHOWN,
    URGENT,
    Asked,
    Reason,
    Section,
    Standing,
    named,
)


def service_levels(asked: Asked) -> Section:
    """Look at the error budgets: which are spent, and which burn too quickly."""
    from pytest_workflow_monitor.keeping.slos import said_burn, service_levels

    asked.store.sum_up(asked.settings.project)
    found = service_levels(asked.store, asked.settings, asked.now)
    full = [it for it in found if it.state not in {"young", "empty"}]
    if not found:
        return Section(facts={"objectives": "none"})
    broken = [it for it in full if it.is_broken]
    burning = [(it, burn) for it in full if (burn := it.burning)]
    reasons = [
        Reason(
            standing=Standing.UNHEALTHY if it.priority in URGENT else Standing.DEGRADED,
            said=f"{it.workflow_id} in {it.environment}: {said_burn(it, burn)}",
            remedy="`workflow-monitor slo` tells more; stop what makes it fail",
        )
        for it, burn in burning[:SHOWN]
    ]
    if broken:
        names = [f"{it.workflow_id} in {it.environment}" for it in broken]
        reasons.append(
            Reason(
                standing=Standing.DEGRADED,
                said=f"more went wrong than may: {named(names)}",
                remedy="`workflow-monitor slo` tells how much; put reliability first for a while",
            )
        )
    facts = {
        "objectives": f"{len(found):,}",
        "kept": f"{len(full) - len(broken):,} of {len(full):,} with a full window",
    }
    return Section(facts=facts, reasons=tuple(reasons))
