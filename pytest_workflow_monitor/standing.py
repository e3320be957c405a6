"""How things stand: a verdict for each part of the monitoring, with reasons and what to do.

A section is one function in :data:`SECTIONS`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor import health
from pytest_workflow_monitor.alerts import Alert, AlertKind
from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.health_rules import HealthStatus
from pytest_workflow_monitor.model import Priority, Record, Status

if TYPE_CHECKING:
    from collections.abc import Callable

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


def executions(asked: Asked) -> Section:
    """Look at what ran lately, and at how each workflow ended last."""
    project = asked.settings.project
    counted = asked.store.count_executions(project, asked.now - RECENT)
    latest = asked.store.job_metrics(project=project)
    ran = [it.last_run_at for it in latest if it.last_run_at]
    facts = {"last 24 hours": _counted(counted)}
    if ran:
        facts["last began"] = _when(max(ran))
    reasons = []
    if latest and not counted:
        reasons.append(
            Reason(
                standing=Standing.DEGRADED,
                said="nothing ran in the last 24 hours",
                remedy="look at what starts it: crontab, CI or the scheduler",
            )
        )
    broken = [it for it in latest if it.last_status is not None and it.last_status.is_problem]
    if broken:
        names = [f"{it.workflow_id} in {it.environment}" for it in broken]
        reasons.append(
            Reason(
                standing=Standing.DEGRADED,
                said=f"failed the last time: {_named(names)}",
                remedy=f"`workflow-monitor show {broken[0].last_run_id}` tells why",
            )
        )
    return Section(facts=facts, reasons=tuple(reasons))


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
            said=f"{wording.plural(len(group), what)}: {_named([_alert(it) for it in group])}",
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
            said=f"messages to {it.channel} wait since {_when(it.overdue_since)}",
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


def health_checks(asked: Asked) -> Section:
    """Look at what the last health checks found on each machine."""
    found = asked.store.latest_health_checks(asked.settings.project, asked.now - CHECKED)
    if not found:
        return Section(facts={"last hour": "none were made"})
    hosts = sorted({it.host for it in found})
    facts = {
        "checked": _when(max(it.checked_at for it in found)),
        "by": _named(hosts),
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


def schedules(asked: Asked) -> Section:
    """Look at the schedules: which are late, which slots did not run, which are stopped."""
    project = asked.settings.project
    lag = asked.store.schedule_lag(project, None, asked.now)
    stopped = asked.store.overridden_schedules(project, asked.now)
    facts = {"scheduled": wording.plural(lag.schedules, "workflow") if lag.schedules else "none"}
    for it in stopped:
        who = f"{it.disabled_by}: {it.disabled_reason}"
        facts[f"{it.workflow_id} in {it.environment}"] = (
            f"off until {_when(it.disabled_until)} ({who})"
        )
    reasons = []
    if lag.late and lag.oldest_due_at:
        reasons.append(
            Reason(
                standing=Standing.UNHEALTHY,
                said=f"nobody has begun what is due since {_when(lag.oldest_due_at)}: "
                f"{_named(list(lag.late))}",
                remedy=health.remedy("schedules"),
            )
        )
    reasons += [
        Reason(
            standing=Standing.DEGRADED,
            said=f"{wording.plural(it.slots, 'slot')} of {it.workflow_id} in {it.environment} "
            f"{it.status.replace('_', ' ')} in the last 24 hours, the last one of "
            f"{_when(it.last_slot_at)}: {it.reason or 'no reason is known'}",
            remedy=_UNRUN[it.status],
        )
        for it in asked.store.unrun_slots(project, asked.now - RECENT)[:SHOWN]
    ]
    return Section(facts=facts, reasons=tuple(reasons))


def workers(asked: Asked) -> Section:
    """Look at the schedulers and workers that run, and at those that fell silent."""
    found = asked.store.processes(asked.settings.project, asked.now - RECENT)
    alive = [it for it in found if it.heartbeat_at >= asked.now - SILENT]
    facts = {
        kind: _named([it.scheduler_id for it in alive if it.kind == kind]) or "none"
        for kind in ("scheduler", "worker")
    }
    waiting = asked.store.waiting_slots(asked.settings.project, None)
    facts["slots"] = f"{waiting.queued:,} waiting, {waiting.running:,} running"
    reasons = [
        Reason(
            standing=Standing.DEGRADED,
            said=f"{it.kind} {it.scheduler_id} gave no sign since {_when(it.heartbeat_at)}",
            remedy="look at its log and start it again; what it had begun is taken over",
        )
        for it in found
        if it not in alive
    ]
    reasons += [
        Reason(
            standing=Standing.DEGRADED,
            said=f"{it.scheduler_id} cannot read all tests: {it.catalogue_problem}",
            remedy="repair the file; until then the schedules go on as they last were",
        )
        for it in alive
        if it.catalogue_problem
    ]
    if waiting.queued and not alive:
        slots = wording.plural(waiting.queued, "slot")
        reasons.append(
            Reason(
                standing=Standing.UNHEALTHY,
                said=f"no worker runs, and {slots} would be its work",
                remedy="start `workflow-monitor schedule run` or `workflow-monitor worker`",
            )
        )
    return Section(facts=facts, reasons=tuple(reasons))


def punctuality(asked: Asked) -> Section:
    """Compare the latest slots of schedules with what ran, whoever started it."""
    from pytest_workflow_monitor.schedule import checking

    found = checking.check(asked.store, asked.settings, asked.now)
    troubled = [it for it in found if it.trouble]
    in_time = sum(it.latest_at is not None for it in found) - len(troubled)
    urgent = [it for it in troubled if it.schedule.priority in URGENT]
    others = [it for it in troubled if it not in urgent]
    reasons = [
        Reason(
            standing=standing,
            said=f"did not run in time: {_named([it.schedule.workflow_id for it in group])}",
            remedy="`workflow-monitor schedule check` tells more; look at what starts them",
        )
        for standing, group in ((Standing.UNHEALTHY, urgent), (Standing.DEGRADED, others))
        if group
    ]
    facts = {asked.settings.environment: f"{in_time:,} in time, {len(troubled):,} not"}
    return Section(facts=facts if found else {}, reasons=tuple(reasons))


def service_levels(asked: Asked) -> Section:
    """Look at the error budgets: which are spent, and which burn too quickly."""
    from pytest_workflow_monitor.slo_keeping import said_burn, service_levels

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
                said=f"more went wrong than may: {_named(names)}",
                remedy="`workflow-monitor slo` tells how much; put reliability first for a while",
            )
        )
    facts = {
        "objectives": f"{len(found):,}",
        "kept": f"{len(full) - len(broken):,} of {len(full):,} with a full window",
    }
    return Section(facts=facts, reasons=tuple(reasons))


SECTIONS: dict[str, Callable[[Asked], Section]] = {
    "database": database,
    "executions": executions,
    "health checks": health_checks,
    "schedules": schedules,
    "punctuality": punctuality,
    "workers": workers,
    "service levels": service_levels,
    "alerts": alerts,
    "channels": channels,
}
"""Every section by its name, in the order in which they are shown."""

_UNRUN = {
    "missed": "let `workflow-monitor schedule run` run all the time, with workers enough; the "
    "marker's grace says how late is too late",
    "lost": "look at the logs of the workers: something kills them while it runs",
    "not_run": "look at the machine; `workflow-monitor health` says what is wrong with it",
}
"""What to do about slots that did not run, by what became of them."""

_NOTHING = Reason(
    standing=Standing.DEGRADED,
    said="nothing was recorded yet",
    remedy="`workflow-monitor run` or `pytest --workflow-monitor` records some",
)


def _counted(counted: dict[Status, int]) -> str:
    total = sum(counted.values())
    if not total:
        return "no executions"
    parts = [f"{count:,} {status.value.replace('_', ' ')}" for status, count in counted.items()]
    return f"{wording.plural(total, 'execution')}: {', '.join(sorted(parts))}"


def _counts(**counts: int) -> str:
    said = [f"{count:,} {name}" for name, count in counts.items() if count]
    return ", ".join(said) or "nothing lately"


def _alert(alert: Alert) -> str:
    return f"{alert.workflow_id} in {alert.environment}"


def _named(names: list[str]) -> str:
    more = len(names) - SHOWN
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _when(moment: datetime) -> str:
    return wording.full_instant(moment.astimezone(UTC))
