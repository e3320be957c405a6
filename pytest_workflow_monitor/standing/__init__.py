"""How things stand: a verdict for each part of the monitoring, with reasons and what to do.

A section is one function in :data:`SECTIONS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.standing import promising, running, storing, telling
from pytest_workflow_monitor.standing.sections import Asked, Reason, Section, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings

__all__ = ["SECTIONS", "Asked", "Reason", "Section", "Standing", "look", "overall"]

SECTIONS: dict[str, Callable[[Asked], Section]] = {
    "database": storing.database,
    "executions": running.executions,
    "health checks": storing.health_checks,
    "schedules": running.schedules,
    "punctuality": running.punctuality,
    "workers": running.workers,
    "service levels": promising.service_levels,
    "alerts": telling.alerts,
    "channels": telling.channels,
}
"""Every section by its name, in the order in which they are shown."""

_NOTHING = Reason(
    standing=Standing.DEGRADED,
    said="nothing was recorded yet",
    remedy="`workflow-monitor run` or `pytest --workflow-monitor` records some",
)


def look(settings: Settings) -> dict[str, Section]:
    """Ask every section; when the database cannot be used, that is all there is to say."""
    from pytest_workflow_monitor.store import migrate, open_store, places

    if not settings.database_url and not places.data_path(settings.state_path).exists():
        return {"database": Section(facts={}, reasons=(_NOTHING,))}
    try:
        with open_store(settings, migrated=False) as store:
            if not any(state.applied_at for state in migrate.status(store)):
                return {"database": Section(facts={}, reasons=(_NOTHING,))}
            migrate.migrate(store)
            asked = Asked(store, settings, store.clock())
            return {name: section(asked) for name, section in SECTIONS.items()}
    except StoreError as error:
        reason = Reason(
            standing=Standing.UNHEALTHY,
            said=str(error),
            remedy="what sessions record is kept meanwhile; `workflow-monitor replay` stores it",
        )
        return {"database": Section(facts={}, reasons=(reason,))}


def overall(sections: dict[str, Section]) -> Standing:
    """Return the worst of some sections."""
    return max((it.standing for it in sections.values()), default=Standing.HEALTHY)
