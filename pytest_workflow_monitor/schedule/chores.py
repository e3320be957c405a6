"""What a scheduler does now and then beside dispatching; a new chore is a function and one line."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.alerting.rules import rules_of
from pytest_workflow_monitor.health.checking import run_checks
from pytest_workflow_monitor.keeping import pruning
from pytest_workflow_monitor.keeping.artifacts import prune_daily, upload_waiting
from pytest_workflow_monitor.keeping.learning import learn
from pytest_workflow_monitor.keeping.slos import watch
from pytest_workflow_monitor.reporting import make_due
from pytest_workflow_monitor.schedule import checking
from pytest_workflow_monitor.schedule.catalogue import sync_catalogue
from pytest_workflow_monitor.shipping.shipment import replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

JOB_DAYS = 7.0
FORGET_SECONDS = 86_400.0
UPLOAD_SECONDS = 60.0
PRUNE_SECONDS = 30.0
LEARN_SECONDS = 60.0

logger = logging.getLogger("pytest_workflow_monitor.schedule")


class Chore(NamedTuple):
    """Something to do every so many seconds; it returns what is wrong, or an empty text."""

    seconds: float
    do: Callable[[Store, Settings], str]


def catalogue(store: Store, settings: Settings) -> str:
    """Bring the schedules up to date with the code, if a file has changed."""
    synced = sync_catalogue(store, settings, store.clock())
    if synced.changed or synced.removed:
        logger.info(
            "the catalogue: %d schedules, %d new or different, %d removed",
            synced.schedules,
            len(synced.changed),
            len(synced.removed),
            extra={
                "action": "catalogue_synced",
                "schedules": synced.schedules,
                "changed": synced.changed,
                "removed": synced.removed,
            },
        )
    return synced.problem


def reconcile(store: Store, settings: Settings) -> str:
    """Compare what was to run with what ran, whoever started it; both have to be in real time."""
    if not store.pace.is_real:
        return ""
    now = store.clock()
    checking.alert(store, settings, checking.check(store, settings, now), now)
    return ""


def health(store: Store, settings: Settings) -> str:
    """Look after what the monitoring itself needs."""
    run_checks(store, settings, store.clock())
    return ""


def journals(store: Store, settings: Settings) -> str:
    """Store what sessions could not."""
    replayed = replay(settings.state_path, store, rules_of(settings))
    if replayed.sessions:
        logger.info(
            "stored %d sessions that had waited in their journals",
            replayed.sessions,
            extra={"action": "replayed", "sessions": replayed.sessions},
        )
    for notice in replayed.notices:
        logger.warning("%s", notice, extra={"action": "replay_notice"})
    return ""


def analysis(store: Store, settings: Settings) -> str:
    """Sum up what was stored, look after error budgets, and learn what sessions did not."""
    store.sum_up(settings.project)
    watch(store, settings, store.clock())
    learn(store, settings, seconds=LEARN_SECONDS)
    return ""


def reports(store: Store, settings: Settings) -> str:
    """Make the reports that are due; the messages about them go out as all others do."""
    if not store.pace.is_real:
        return ""
    for kept in make_due(store, settings, store.clock()):
        logger.info(
            "made the report %s of the time to %s",
            kept.report_name,
            f"{kept.period_end:%Y-%m-%d %H:%M} UTC",
            extra={
                "action": "report_made",
                "report_id": kept.report_id,
                "report": kept.report_name,
                "verdict": kept.verdict,
            },
        )
    return ""


def artifacts(store: Store, settings: Settings) -> str:
    """Copy the files that still wait, and once a day let old ones expire."""
    uploaded = upload_waiting(store, settings, deadline=monotonic() + UPLOAD_SECONDS)
    pruned = prune_daily(store, settings)
    problems = (uploaded.problem, *(pruned.problems if pruned else ()))
    for problem in filter(None, problems):
        logger.warning("artifacts: %s", problem, extra={"action": "artifacts_problem"})
    return ""


def retention(store: Store, settings: Settings) -> str:
    """Once a day let go of what is older than it is kept, a while at a time."""
    done = pruning.prune_daily(store, settings, now=store.clock(), seconds=PRUNE_SECONDS)
    if done is not None and done.rows:
        logger.info(
            "deleted %d old rows",
            done.rows.total(),
            extra={"action": "retention", "rows": dict(done.rows), "finished": done.is_finished},
        )
    return ""


def prune(store: Store, settings: Settings) -> str:
    """Delete old jobs and slots."""
    jobs, slots = store.prune_queue(
        job_days=JOB_DAYS, slot_days=settings.slot_days, project=settings.project
    )
    store.forget_workers(FORGET_SECONDS)
    if jobs or slots:
        logger.info(
            "deleted %d old jobs and %d old slots",
            jobs,
            slots,
            extra={"action": "pruned", "jobs": jobs, "slots": slots},
        )
    return ""


CATALOGUE = "catalogue"
CHORES = {
    CATALOGUE: Chore(60.0, catalogue),
    "reconcile": Chore(120.0, reconcile),
    "health": Chore(300.0, health),
    "journals": Chore(300.0, journals),
    "analysis": Chore(300.0, analysis),
    "reports": Chore(60.0, reports),
    "artifacts": Chore(600.0, artifacts),
    "retention": Chore(600.0, retention),
    "prune": Chore(3600.0, prune),
}
"""What a scheduler does, by name, the first first."""
