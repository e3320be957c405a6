"""The words of standing: a verdict for each part of the monitoring, its reasons, what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import Priority, Record
from pytest_workflow_monitor.words.alerts import AlertKind

if TYPE_CHECKING:
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

RECENT = timedelta(days=1)
OVERDUE = timedelta(minutes=10)
"""How long a message that could be sent may wait before somebody should know."""

CHECKED = timedelta(hours=1)
"""How long what a health check found says something about now."""

SILENT = timedelta(minutes=2)
"""How long a scheduler or worker may give no sign before it is taken for dead."""

SHOWN = 5
URGENT = frozenset({Priority.CRITICAL, Priority.HIGH})
SEVERE = frozenset({AlertKind.FAILING, AlertKind.MISSED, AlertKind.RUNNER})
"""Kinds of alerts that are urgent where their workflow is."""


class Standing(IntEnum):
    """How well something does; its number is the exit code of ``workflow-monitor status``."""

    HEALTHY = 0
    DEGRADED = 1
    UNHEALTHY = 2


class Reason(Record, frozen=True, kw_only=True):
    """Why something is not healthy, and what to do about it."""

    standing: Standing
    said: str
    remedy: str = ""


class Section(Record, frozen=True, kw_only=True):
    """One part of the monitoring: what is known of it, and what is wrong."""

    facts: dict[str, str]
    reasons: tuple[Reason, ...] = ()

    @property
    def standing(self) -> Standing:
        """The worst of its reasons."""
        return max((it.standing for it in self.reasons), default=Standing.HEALTHY)


class Asked(NamedTuple):
    """What a section is about."""

    store: Store
    settings: Settings
    now: datetime


def named(names: list[str]) -> str:
    """Name some things, and how many more there are."""
    more = len(names) - SHOWN
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def when(moment: datetime) -> str:
    """Say an instant completely, in UTC."""
    return wording.full_instant(moment.astimezone(UTC))
