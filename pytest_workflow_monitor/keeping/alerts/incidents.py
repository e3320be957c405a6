"""Which incident an alert belongs to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.settings.alert_rules import Telling
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.alerts import Incident


class Incidents:
    """The incidents that began a moment ago, and those that begin now."""

    def __init__(
        self, store: Store, scope: tuple[str, str], telling: Telling, now: datetime
    ) -> None:
        self._store = store
        self._scope = scope
        self._now = now
        since = now - timedelta(seconds=telling.group_wait_seconds)
        self._recent = list(store.recent_incidents(*scope, since))

    def for_causes(self, found: Sequence[str]) -> Incident:
        """Return the incident of an alert: one of the same cause, else a new one."""
        for position, incident in enumerate(self._recent):
            shared = tuple(it for it in incident.causes if it in found)
            if shared:
                if shared != incident.causes:
                    self._recent[position] = replace(incident, causes=shared)
                    self._store.set_incident_causes(self._recent[position])
                return incident
        made = self._store.add_incident(*self._scope, found, self._now)
        self._recent.append(made)
        return made
