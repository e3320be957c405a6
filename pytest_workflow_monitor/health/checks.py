"""The checks: a function each, in :data:`CHECKS`. None means that there is nothing to check."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from time import perf_counter
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.artifact_files import ArtifactFiles
from pytest_workflow_monitor.browser import BrowserNotFoundError, browser_launch_options
from pytest_workflow_monitor.errors import ArtifactsError, WorkflowMonitorError
from pytest_workflow_monitor.health import web
from pytest_workflow_monitor.health.findings import Asked, Finding, graded
from pytest_workflow_monitor.health.network import SECONDS, network_problem
from pytest_workflow_monitor.health.remedies import HTTP
from pytest_workflow_monitor.settings.health_rules import HealthStatus, HttpCheck, is_web_address
from pytest_workflow_monitor.store import migrate

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings

Check = Callable[[Asked], Finding | None]

SLOW_ANSWER_MS = 1000.0
FEW_CONNECTIONS = 5
LITTLE_SPACE, TOO_LITTLE_SPACE = 1_000_000_000, 100_000_000
"""Bytes: a trace of a failure may well have ten million."""

LATE_SECONDS = 60.0
"""How long after its time a slot may be claimed before it is worth a word."""

LONG_WAIT_SECONDS, TOO_LONG_WAIT_SECONDS = 300.0, 1800.0
SKEW_SECONDS, TOO_MUCH_SKEW_SECONDS = 2.0, 60.0
BROWSER_SECONDS = 30.0
BROWSER_USE = timedelta(days=7)


class PlaywrightError(WorkflowMonitorError):
    """Playwright does not start on this machine."""


_WHERE = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as playwright:\n"
    "    print(playwright.chromium.executable_path)\n"
)


def database(asked: Asked) -> Finding:
    """Look whether the database answers, quickly, with our tables and room for more of us."""
    expected = f"answers within {wording.duration(SLOW_ANSWER_MS)}"
    if asked.store is None:
        detail = asked.problem or "nothing was recorded yet"
        status = HealthStatus.UNHEALTHY if asked.problem else HealthStatus.HEALTHY
        return Finding(status=status, expected=expected, actual="none", detail=detail)
    began = perf_counter()
    state = asked.store.server_state()
    took = (perf_counter() - began) * 1000
    *_, newest = (it.migration_id for it in migrate.status(asked.store) if it.applied_at)
    problems = []
    if took > SLOW_ANSWER_MS:
        problems.append(f"it takes {wording.duration(took)} to answer")
    if state.free_connections < FEW_CONNECTIONS:
        problems.append(f"only {state.free_connections} of {state.max_connections} are free")
    return Finding(
        status=HealthStatus.DEGRADED if problems else HealthStatus.HEALTHY,
        expected=expected,
        actual=f"schema {newest}, {state.free_connections} connections free",
        detail="; ".join(problems),
        response_time_ms=took,
    )


def schedules(asked: Asked) -> Finding | None:
    """Look whether slots are claimed when they are due."""
    if asked.store is None:
        return None
    settings = asked.settings
    lag = asked.store.schedule_lag(settings.project, settings.environment, asked.now)
    if not lag.schedules:
        return None
    late = (asked.now - lag.oldest_due_at).total_seconds() if lag.oldest_due_at else 0.0
    status = graded(late, LATE_SECONDS, LATE_SECONDS if lag.late else None)
    behind = wording.duration(late * 1000)
    return Finding(
        status=status,
        expected=f"slots claimed within {wording.duration(LATE_SECONDS * 1000)}",
        actual=f"{behind} behind" if late else "on time",
        detail=_late(behind, lag.late) if status is not HealthStatus.HEALTHY else "",
    )


def queue(asked: Asked) -> Finding | None:
    """Look whether slots that were claimed find a worker."""
    if asked.store is None:
        return None
    settings = asked.settings
    found = asked.store.waiting_slots(settings.project, settings.environment)
    since = found.oldest_queued_at
    waited = (asked.now - since).total_seconds() if since else 0.0
    status = graded(waited, LONG_WAIT_SECONDS, TOO_LONG_WAIT_SECONDS)
    return Finding(
        status=status,
        expected=f"begun within {wording.duration(LONG_WAIT_SECONDS * 1000)}",
        actual=f"{found.queued} waiting, {found.running} running",
        detail=""
        if status is HealthStatus.HEALTHY
        else f"the oldest slot waits for a worker for {wording.duration(waited * 1000)}",
    )


def disk(asked: Asked) -> Finding:
    """Look whether there is room for journals, evidence and the embedded database."""
    state = _existing(asked.settings.state_path)
    if not (state.is_dir() and os.access(state, os.W_OK)):
        return Finding(
            status=HealthStatus.UNHEALTHY,
            expected="a state directory that can be written",
            actual=f"{state} cannot be written",
            detail=f"{state} is no folder that this user may write to: nothing can be recorded",
        )
    folders = [asked.settings.state_path]
    if asked.store is not None and asked.store.server is not None:
        folders.append(asked.store.server.data)
    free, folder = min((shutil.disk_usage(_existing(it)).free, it) for it in folders)
    status = graded(-free, -LITTLE_SPACE, -TOO_LITTLE_SPACE)
    return Finding(
        status=status,
        expected=f"{wording.size(LITTLE_SPACE)} free",
        actual=f"{wording.size(free)} free",
        detail="" if status is HealthStatus.HEALTHY else f"{folder} has {wording.size(free)} left",
    )


def clock(asked: Asked) -> Finding | None:
    """Compare this machine's clock with the database's and with that of a web server."""
    skews = {}
    if asked.store is not None:
        before = datetime.now(UTC)
        theirs = asked.store.server_state().now
        skews["the database"] = _between(before, datetime.now(UTC)) - theirs
    for reference in filter(is_web_address, asked.settings.network_reference):
        try:
            answer = web.get(reference, {}, seconds=SECONDS)
            date = parsedate_to_datetime(answer.headers["date"])
        except (web.NoAnswerError, KeyError, ValueError):
            continue
        half_a_second = timedelta(milliseconds=500)  # the header knows whole seconds only
        skews[reference] = datetime.now(UTC) - date.astimezone(UTC) - half_a_second
        break
    if not skews:
        return None
    whose, skew = max(skews.items(), key=lambda it: abs(it[1]))
    seconds = abs(skew).total_seconds()
    status = graded(seconds, SKEW_SECONDS, TOO_MUCH_SKEW_SECONDS)
    way = "fast" if skew > timedelta(0) else "slow"
    said = f"{wording.duration(seconds * 1000)} {way}"
    return Finding(
        status=status,
        expected=f"within {wording.duration(SKEW_SECONDS * 1000)}",
        actual=said,
        detail="" if status is HealthStatus.HEALTHY else f"it is {said}, compared with {whose}",
    )


def browser(asked: Asked) -> Finding | None:
    """Look for a browser; to have none is a problem where workflows have used one lately."""
    try:
        own = playwright_browser()
        options = browser_launch_options(own)
    except (BrowserNotFoundError, PlaywrightError) as error:
        is_used = asked.store is not None and asked.store.used_a_browser(
            asked.settings.project, asked.settings.environment, asked.now - BROWSER_USE
        )
        if not is_used:
            return Finding(actual="none, and no workflow used one lately")
        status = HealthStatus.UNHEALTHY
        return Finding(status=status, expected="a browser", actual="none", detail=str(error))
    return Finding(expected="a browser", actual=str(options.get("executable_path", own)))


def network(asked: Asked) -> Finding | None:
    """Look whether this machine has a network, if there is an address that tells."""
    references = asked.settings.network_reference
    if not references:
        return None
    problem = network_problem(asked.settings)
    return Finding(
        status=HealthStatus.UNHEALTHY if problem else HealthStatus.HEALTHY,
        expected=f"{' or '.join(references)} answers",
        actual="no answer" if problem else "an answer",
        detail=problem,
    )


def artifacts(asked: Asked) -> Finding | None:
    """Look whether evidence can be copied to where the settings say."""
    url = asked.settings.artifacts_url
    if not url:
        return None
    began = perf_counter()
    try:
        ArtifactFiles(asked.settings.state_path, url).look()
    except ArtifactsError as error:
        status = HealthStatus.DEGRADED
        return Finding(status=status, expected=url, actual="out of reach", detail=str(error))
    took = (perf_counter() - began) * 1000
    return Finding(expected=url, actual="within reach", response_time_ms=took)


def http(rule: HttpCheck, asked: Asked) -> Finding:  # noqa: ARG001 - the signature of a check
    """Ask a web address, and compare the answer with what is expected."""
    expected = " or ".join(rule.expected_status)
    missing = [it for it in rule.headers_env.values() if not os.environ.get(it)]
    if missing:
        detail = f"the environment variable {missing[0]} is not set"
        return Finding(
            status=HealthStatus.UNHEALTHY, expected=expected, actual="not asked", detail=detail
        )
    secret = {name: os.environ[variable] for name, variable in rule.headers_env.items()}
    try:
        answer = web.get(rule.url, {**rule.headers, **secret}, seconds=rule.timeout_seconds)
    except web.NoAnswerError as error:
        status = HealthStatus.UNHEALTHY
        return Finding(
            status=status,
            expected=expected,
            actual="no answer",
            detail=f"{_shown(rule.url)}: {error}",
        )
    detail = _unexpected(rule, answer)
    return Finding(
        status=HealthStatus.UNHEALTHY if detail else HealthStatus.HEALTHY,
        expected=expected,
        actual=str(answer.status),
        detail=detail,
        response_time_ms=answer.took_ms,
    )


CHECKS: dict[str, Check] = {
    "database": database,
    "schedules": schedules,
    "queue": queue,
    "disk": disk,
    "clock": clock,
    "browser": browser,
    "network": network,
    "artifacts": artifacts,
}
"""Every check by its name, in the order in which they are shown."""

APART = frozenset({"network", "artifacts"})
"""Those that wait for others than the database, so that they can wait at the same time."""


def checks_of(settings: Settings) -> dict[str, Check]:
    """Return the checks by name, with those that settings add."""
    added = {f"{HTTP}{rule.name}": partial(http, rule) for rule in settings.health_checks}
    return {**CHECKS, **added}


@lru_cache(maxsize=1)
def playwright_browser() -> str:
    """Return where Playwright's own browser is, or would be; asked in a process of its own.

    Raises:
        PlaywrightError: It does not start, so that there is no use in any browser.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", _WHERE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=BROWSER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlaywrightError(f"Playwright does not start: {error}.") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it does not say why"]
        # what its driver said comes before the traceback
        reason = said[-1] if said[0].startswith("Traceback") else said[0]
        raise PlaywrightError(f"Playwright does not start: {reason.rstrip('.')}.")
    return os.fsdecode(done.stdout).strip()


def _late(behind: str, workflows: tuple[str, ...]) -> str:
    if not workflows:
        return f"slots are claimed {behind} late"
    more = f" and {len(workflows) - 1} more" if len(workflows) > 1 else ""
    return f"the slot of {workflows[0]}{more} is {behind} late, beyond its grace"


def _existing(folder: Path) -> Path:
    return next(it for it in (folder, *folder.parents) if it.exists())


def _between(before: datetime, after: datetime) -> datetime:
    return before + (after - before) / 2


def _unexpected(rule: HttpCheck, answer: web.Answer) -> str:
    if not rule.expects(answer.status):
        target = answer.headers.get("location", "")
        to = f" and sends us to {_shown(target)}" if target else ""
        return f"{_shown(rule.url)} answers {answer.status}{to}"
    body = answer.body.decode("utf-8", "replace")
    if rule.body_pattern and not re.search(rule.body_pattern, body):
        return f"the body of {_shown(rule.url)} does not match {rule.body_pattern!r}"
    return ""


def _shown(url: str) -> str:
    """Leave out what may be a token."""
    return url.partition("?")[0]
