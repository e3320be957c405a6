"""Works out how workflows do against their objectives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_workflow_monitor.alerting.matching import matches
from pytest_workflow_monitor.analysis.service_levels import Subject, service_level
from pytest_workflow_monitor.keeping.slos.reading import Reader
from pytest_workflow_monitor.settings.slo_rules import WINDOW_SECONDS, Objective
from pytest_workflow_monitor.store.pruning import DataClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.alerting.matching import Facts
    from pytest_workflow_monitor.analysis.period.facts import Key, Known
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.slo_rules import ServiceLevel
    from pytest_workflow_monitor.store import Store

OF_MARKER = "marker"
"""The name of the objective that a workflow's own marker sets."""


def service_levels(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    environments: Sequence[str] | None = None,
) -> tuple[ServiceLevel, ...]:
    """Work out every service level of the project; sums have to be up to date.

    Args:
        store: The database.
        settings: The objectives, and the maintenance windows that do not count.
        now: The end of every window.
        environments: Only in these; by default in all.
    """
    now = now.astimezone(UTC)
    if not settings.slos and not store.has_objectives(settings.project):
        return ()
    known = store.known_workflows(settings.project)
    expected = {
        workflow_id: found
        for workflow_id, it in known.items()
        if (found := _objectives(it, settings))
    }
    since = store.first_judged(settings.project, expected, environments)
    kept_since = _kept_since(store, settings)
    asked = [
        (objective, key)
        for key in sorted(since)
        for objective in expected[key.workflow_id]
        if not objective.environments or key.environment in objective.environments
    ]
    if not asked:
        return ()
    facts = {key: facts_of(known[key.workflow_id], settings, key) for _, key in asked}
    reader = Reader(store, settings, now, facts)

    def level(objective: Objective, key: Key) -> ServiceLevel:
        needs_executions = objective.by == "time" or bool(settings.maintenance)
        begun = max(since[key], kept_since) if needs_executions else since[key]
        return service_level(
            objective,
            _subject(known[key.workflow_id], key),
            reader.spent(objective, key, begun),
            reader.recent(objective, key),
            since=begun,
            now=now,
        )

    return tuple(level(objective, key) for objective, key in asked)


def facts_of(known: Known, settings: Settings, key: Key | None = None) -> Facts:
    """Return what a match may ask of a workflow, in an environment if that matters."""
    return {
        "project": (settings.project,),
        "environment": (key.environment,) if key else (),
        "workflow": (known.workflow_id,),
        "priority": (known.priority.value,),
        "owner": (known.owner,),
        "tag": known.tags,
    }


def _kept_since(store: Store, settings: Settings) -> datetime:
    """Tell from when on all executions are there; before, only sums may be."""
    pruned = store.prunings(settings.project).get(DataClass.EXECUTIONS)
    return pruned.before if pruned else datetime.min.replace(tzinfo=UTC)


def _objectives(known: Known, settings: Settings) -> tuple[Objective, ...]:
    """Return what is expected of a workflow, in whatever environment."""
    facts = facts_of(known, settings)
    found = tuple(it for it in settings.slos if matches(it.match, facts))
    if known.slo is None:
        return found
    window = known.slo_window_seconds or WINDOW_SECONDS
    return (Objective(name=OF_MARKER, target=known.slo, window_seconds=window), *found)


def _subject(known: Known, key: Key) -> Subject:
    return Subject(
        environment=key.environment,
        workflow_id=key.workflow_id,
        workflow_name=known.workflow_name,
        priority=known.priority,
        owner=known.owner,
        tags=known.tags,
        notifies=known.notify_on_failure,
    )
