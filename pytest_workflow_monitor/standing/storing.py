"""Whether the database and the machines are well."""

from __future__ import annotations

from time import perf_counter

from pytest_workflow_monitor import health
from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.settings.health_rules import HealthStatus
from pytest_workflow_monitor.standing.sections import (
    CHECKED,
    Asked,
    Reason,
    Section,
    Standing,
    named,
    when,
)


def database(asked: Asked) -> Section:
    """Look at the database: where it is, how quickly it answers, what it refused."""
    began = perf_counter()
    asked.store.clock()
    answered = (perf_counter() - began) * 1000
    letters = asked.store.count_letters(asked.settings.project)
    facts = {"location": asked.store.location, "answers in": wording.duration(answered)}
    if not letters.records:
        return Section(facts=facts)
    reason = Reason(
        standing=Standing.DEGRADED,
        said=f"{wording.plural(letters.records, 'record')} refused by the database",
        remedy="`workflow-monitor dead-letters list` tells why",
    )
    return Section(facts=facts, reasons=(reason,))


def health_checks(asked: Asked) -> Section:
    """Look at what the last health checks found on each machine."""
    found = asked.store.latest_health_checks(asked.settings.project, asked.now - CHECKED)
    if not found:
        return Section(facts={"last hour": "none were made"})
    hosts = sorted({it.host for it in found})
    facts = {
        "checked": when(max(it.checked_at for it in found)),
        "by": named(hosts),
        "healthy": f"{sum(it.status is HealthStatus.HEALTHY for it in found)} of {len(found)}",
    }
    reasons = [
        Reason(
            standing=Standing(it.status.severity),
            said=f"{it.check_name} in {it.environment}, seen from {it.host}: {it.detail}",
            remedy=health.remedy(it.check_name),
        )
        for it in found
        if it.status is not HealthStatus.HEALTHY
    ]
    return Section(facts=facts, reasons=tuple(reasons))
