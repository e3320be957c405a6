"""The catalogue: the schedules in the markers, brought into the database.

The code is the truth about which schedules there are; the database keeps what happened to them and
what an operator said. What a broken file said last goes on.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.alerting.rules import rules_of
from pytest_workflow_monitor.cron.slots import next_slot
from pytest_workflow_monitor.errors import CollectionError, SettingsError
from pytest_workflow_monitor.keeping.alerts.others import clear_problem, report_problem
from pytest_workflow_monitor.model import Record, Workflow
from pytest_workflow_monitor.schedule import rules
from pytest_workflow_monitor.schedule.keeping import collected, read, write
from pytest_workflow_monitor.store.schedules import NewSchedule
from pytest_workflow_monitor.words.alerts import AlertKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_workflow_monitor.schedule.collector import BrokenFile
    from pytest_workflow_monitor.schedule.keeping import Kept
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.slots import Schedule

NOTE_FILE = "catalogue-synced.json"
SYNCED_FOR = timedelta(minutes=5)
"""After that the schedules are compared again, although nobody has changed anything."""

KEY = "schedule-catalogue"
"""What the alert is about that says that files cannot be collected."""

NAMED = 3
CONFTEST = "conftest.py"

logger = logging.getLogger("pytest_workflow_monitor.schedule")


class Synced(Record, frozen=True, kw_only=True):
    """What became of the catalogue.

    Attributes:
        schedules: How many the code has.
        changed: Those that are new or different.
        removed: Those that the code has no more.
        problem: Why the catalogue is not complete; empty if it is.
    """

    schedules: int = 0
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    problem: str = ""


class Plan(Record, frozen=True, kw_only=True):
    """How the schedules in the database become those in the code."""

    changed: tuple[NewSchedule, ...] = ()
    removed: tuple[str, ...] = ()


class _Note(Record, frozen=True, kw_only=True):
    """What was in the database after it was last brought up to date with a collection."""

    where: tuple[str, str, str]
    collected_at: datetime
    at: datetime
    mark: tuple[int, datetime | None]


def sync_catalogue(store: Store, settings: Settings, now: datetime) -> Synced:
    """Bring the schedules of the settings' project and environment up to date with the code.

    A problem is returned, logged, and opens an alert that is resolved when it is over.

    Raises:
        StoreError: The database cannot be used.
    """
    try:
        kept = collected(settings, now)
    except (CollectionError, SettingsError) as error:
        problem = f"{error} The schedules of before go on."
        _tell(store, settings, problem, now)
        return Synced(problem=problem)
    collection = kept.collection
    scope = settings.project, settings.environment
    found = scheduled(collection.workflows, settings.environment)
    problem = _incomplete(collection.broken)
    if _is_synced(store, settings, kept, now):
        _tell(store, settings, problem, now)
        return Synced(schedules=len(found), problem=problem)
    with store.transaction():
        store.lock_catalogue(*scope)
        known = store.schedules(*scope, with_removed=True)
        planned = plan(known, found, collection.broken, scope, now)
        store.set_schedules(planned.changed)
        removed = store.remove_schedules(*scope, planned.removed, now)
        mark = store.catalogue_mark(*scope)
    note = _Note(where=(store.location, *scope), collected_at=kept.collected_at, at=now, mark=mark)
    write(settings.state_path / NOTE_FILE, msgspec.json.encode(note))
    _tell(store, settings, problem, now)
    return Synced(
        schedules=len(found),
        changed=tuple(it.workflow_id for it in planned.changed),
        removed=tuple(sorted(removed)),
        problem=problem,
    )


def _is_synced(store: Store, settings: Settings, kept: Kept, now: datetime) -> bool:
    """Tell whether the database is as it was left a moment ago, after the same collection."""
    scope = settings.project, settings.environment
    note = read(settings.state_path / NOTE_FILE, _Note)
    return (
        note is not None
        and note.where == (store.location, *scope)
        and note.collected_at == kept.collected_at
        and timedelta() <= now - note.at < SYNCED_FOR
        and note.mark == store.catalogue_mark(*scope)
    )


def scheduled(workflows: Iterable[Workflow], environment: str) -> dict[str, list[Workflow]]:
    """Return the tests of workflows that have a schedule in an environment, by workflow."""
    found: dict[str, list[Workflow]] = defaultdict(list)
    for it in workflows:
        has_schedule = it.cron is not None or it.every_seconds is not None
        if has_schedule and (not it.environments or environment in it.environments):
            found[it.workflow_id].append(it)
    return dict(found)


def plan(
    known: Iterable[Schedule],
    found: Mapping[str, Sequence[Workflow]],
    broken: Sequence[BrokenFile],
    scope: tuple[str, str],
    now: datetime,
) -> Plan:
    """Decide how the schedules in the database become those in the code.

    A schedule that is new, or whose times are, has its first slot after now. Those in files that
    are broken stay as they are.
    """
    before = {it.workflow_id: it for it in known}
    wanted = {name: _wanted(tests, before.get(name), scope, now) for name, tests in found.items()}
    return Plan(
        changed=tuple(
            wanted[name] for name in sorted(wanted) if _differs(wanted[name], before.get(name))
        ),
        removed=tuple(
            name
            for name, it in sorted(before.items())
            if it.removed_at is None and name not in found and not _is_in(it.nodeids, broken)
        ),
    )


def _wanted(
    tests: Sequence[Workflow], known: Schedule | None, scope: tuple[str, str], now: datetime
) -> NewSchedule:
    workflow = tests[0]
    project, environment = scope
    made = NewSchedule(
        project=project,
        workflow_id=workflow.workflow_id,
        environment=environment,
        workflow_name=workflow.name,
        nodeid="\n".join(it.nodeid for it in tests),
        priority=workflow.priority,
        cron_expression=workflow.cron or "",
        every_seconds=workflow.every_seconds,
        timezone=workflow.timezone,
        queue=workflow.queue,
        overlap=workflow.overlap,
        grace_seconds=rules.grace_of(workflow),
        limit_seconds=rules.limit_of(workflow),
        enabled=workflow.enabled,
        collected_at=now,
        next_run_at=None,
    )
    return msgspec.structs.replace(made, next_run_at=_next_run_at(made, workflow, known, now))


def _next_run_at(
    made: NewSchedule, workflow: Workflow, known: Schedule | None, now: datetime
) -> datetime | None:
    """Keep when a schedule is due, unless it is not the same one or the clock went back."""
    if not made.enabled:
        return None
    try:
        first = next_slot(workflow, now)
    except OverflowError:
        return None
    if known is None or known.next_run_at is None or first is None or _times(made) != _times(known):
        return first
    return min(known.next_run_at, first)


def _times(schedule: NewSchedule | Schedule) -> tuple[object, ...]:
    return schedule.cron_expression, schedule.every_seconds, schedule.timezone


def _differs(wanted: NewSchedule, known: Schedule | None) -> bool:
    if known is None or known.removed_at is not None:
        return True
    return any(
        getattr(wanted, name) != getattr(known, name)
        for name in wanted.__struct_fields__
        if name != "collected_at"
    )


def _is_in(nodeids: Iterable[str], broken: Iterable[BrokenFile]) -> bool:
    """Tell whether a test is in a file that is broken, or below a broken ``conftest.py``."""
    files = [PurePosixPath(it.partition("::")[0]) for it in nodeids]
    for it in map(PurePosixPath, (it.file.replace(os.sep, "/") for it in broken)):
        is_above = it.name == CONFTEST and any(it.parent in file.parents for file in files)
        if is_above or it in files:
            return True
    return False


def _incomplete(broken: Sequence[BrokenFile]) -> str:
    if not broken:
        return ""
    more = f" and {len(broken) - NAMED} more" if len(broken) > NAMED else ""
    named = "; ".join(str(it) for it in broken[:NAMED])
    return f"{named}{more}. Their schedules of before go on."


def _tell(store: Store, settings: Settings, problem: str, now: datetime) -> None:
    scope = settings.project, settings.environment
    told = rules_of(settings)
    if not problem:
        clear_problem(store, told, *scope, KEY, AlertKind.RUNNER, "all files are collected", now)
        return
    is_new = report_problem(store, told, *scope, KEY, AlertKind.RUNNER, problem, now)
    level = logging.ERROR if is_new else logging.DEBUG
    logger.log(level, "the catalogue: %s", problem, extra={"action": "catalogue_problem"})
