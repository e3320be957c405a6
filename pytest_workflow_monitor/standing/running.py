"""Whether workflows run, and how they end: executions, schedules, slots, workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor import health
from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.standing.sections import (
    RECENT,
    SHOWN,
    SILENT,
    URGENT,
    Asked,
    Reason,
    Section,
    Standing,
    named,
    when,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Status


_UNRUN = {
    "missed": "let `workflow-monitor schedule run` run all the time, with workers enough; the "
    "marker's grace says how late is too late",
    "lost": "look at the logs of the workers: something kills them while it runs",
    "not_run": "look at the machine; `workflow-monitor health` says what is wrong with it",
}
"""What to do about slots that did not run, by what became of them."""


def executions(asked: Asked) -> Section:
    """Look at what ran lately, and at how each workflow ended last."""
    project = asked.settings.project
    counted = asked.store.count_executions(project, asked.now - RECENT)
    latest = asked.store.job_metrics(project=project)
    ran = [it.last_run_at for it in latest if it.last_run_at]
    facts = {"last 24 hours": _counted(counted)}
    if ran:
        facts["last began"] = when(max(ran))
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
                said=f"failed the last time: {named(names)}",
                remedy=f"`workflow-monitor show {broken[0].last_run_id}` tells why",
            )
        )
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
            f"off until {when(it.disabled_until)} ({who})"
        )
    reasons = []
    if lag.late and lag.oldest_due_at:
        reasons.append(
            Reason(
                standing=Standing.UNHEALTHY,
                said=f"nobody has begun what is due since {when(lag.oldest_due_at)}: "
                f"{named(list(lag.late))}",
                remedy=health.remedy("schedules"),
            )
        )
    reasons += [
        Reason(
            standing=Standing.DEGRADED,
            said=f"{wording.plural(it.slots, 'slot')} of {it.workflow_id} in {it.environment} "
            f"{it.status.replace('_', ' ')} in the last 24 hours, the last one of "
            f"{when(it.last_slot_at)}: {it.reason or 'no reason is known'}",
            remedy=_UNRUN[it.status],
        )
        for it in asked.store.unrun_slots(project, asked.now - RECENT)[:SHOWN]
    ]
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
            said=f"did not run in time: {named([it.schedule.workflow_id for it in group])}",
            remedy="`workflow-monitor schedule check` tells more; look at what starts them",
        )
        for standing, group in ((Standing.UNHEALTHY, urgent), (Standing.DEGRADED, others))
        if group
    ]
    facts = {asked.settings.environment: f"{in_time:,} in time, {len(troubled):,} not"}
    return Section(facts=facts if found else {}, reasons=tuple(reasons))


def workers(asked: Asked) -> Section:
    """Look at the schedulers and workers that run, and at those that fell silent."""
    found = asked.store.processes(asked.settings.project, asked.now - RECENT)
    alive = [it for it in found if it.heartbeat_at >= asked.now - SILENT]
    facts = {
        kind: named([it.scheduler_id for it in alive if it.kind == kind]) or "none"
        for kind in ("scheduler", "worker")
    }
    waiting = asked.store.waiting_slots(asked.settings.project, None)
    facts["slots"] = f"{waiting.queued:,} waiting, {waiting.running:,} running"
    reasons = [
        Reason(
            standing=Standing.DEGRADED,
            said=f"{it.kind} {it.scheduler_id} gave no sign since {when(it.heartbeat_at)}",
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


def _counted(counted: dict[Status, int]) -> str:
    total = sum(counted.values())
    if not total:
        return "no executions"
    parts = [f"{count:,} {status.value.replace('_', ' ')}" for status, count in counted.items()]
    return f"{wording.plural(total, 'execution')}: {', '.join(sorted(parts))}"
