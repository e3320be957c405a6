"""Which alerts a policy, a route, a silence or a window is about."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.settings.alert_rules import Match
    from pytest_workflow_monitor.words.alerts import Alert

Facts = dict[str, tuple[str, ...]]
"""What is known of an alert, by the fields of a match; a field may have several values."""


def workflow_facts(workflow: Workflow, *, project: str, environment: str) -> Facts:
    """Return what a policy may match: everything but the alert itself."""
    return {
        "project": (project,),
        "environment": (environment,),
        "workflow": (workflow.workflow_id,),
        "priority": (workflow.priority.value,),
        "owner": (workflow.owner,),
        "tag": workflow.tags,
    }


def alert_facts(alert: Alert) -> Facts:
    """Return what a route, a silence or a window may match."""
    return {
        "project": (alert.project,),
        "environment": (alert.environment,),
        "workflow": (alert.workflow_id,),
        "priority": (alert.priority.value,),
        "owner": (alert.owner,),
        "tag": alert.tags,
        "kind": (alert.kind.value,),
        "status": (alert.last_status.value,) if alert.last_status else (),
        "location": (alert.location,),
    }


def matches(match: Mapping[str, tuple[str, ...]] | Match, facts: Facts) -> bool:
    """Tell whether every field of a match has a pattern that fits one of the facts.

    Patterns are those of the shell (``*``, ``?``, ``[abc]``); capitals count, and brackets in an
    id such as ``checkout[eur]`` also match as they are written.
    """
    return all(
        any(_fits(pattern, value) for pattern in patterns for value in facts.get(field, ()))
        for field, patterns in match.items()
    )


def _fits(pattern: str, value: str) -> bool:
    return pattern == value or fnmatchcase(value, pattern)
