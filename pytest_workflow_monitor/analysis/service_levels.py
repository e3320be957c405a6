"""Error budgets and how quickly they are spent.

The rules for burn rates are those of the Site Reliability Workbook (Beyer and others, 2018, chapter
5): a long window that makes it matter, and a short one that shows that it goes on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.slo_rules import Burn, ServiceLevel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.model import Priority
    from pytest_workflow_monitor.slo_rules import Objective

HOUR = 3_600.0
MINUTE = 60.0
RULES = ((14.4, HOUR, 5 * MINUTE), (6.0, 6 * HOUR, 30 * MINUTE))
"""Factor, long and short window in seconds: 2 % of a month's budget in an hour, 5 % in six."""

LOOK_BACK = timedelta(hours=6)
"""The longest window of the rules."""

LEAST_BAD = 2
"""A single failure is no burning, however few executions there are."""

LONGEST_HOLD = timedelta(days=1)
"""How long an execution says something, when none follows it."""


class Verdict(NamedTuple):
    """An execution as a service level sees it."""

    at: datetime
    is_good: bool


class Spent(NamedTuple):
    """What a window holds: executions, or seconds."""

    bad: float
    total: float


class Subject(NamedTuple):
    """The workflow that an objective is about."""

    environment: str
    workflow_id: str
    workflow_name: str
    priority: Priority


def service_level(
    objective: Objective,
    subject: Subject,
    spent: Spent,
    recent: Sequence[Verdict],
    *,
    since: datetime | None,
    now: datetime,
) -> ServiceLevel:
    """Say how a workflow does.

    Args:
        objective: What it is expected to reach.
        subject: Which workflow in which environment.
        spent: What the window holds.
        recent: The executions of the last six hours, the oldest first.
        since: When its first execution of all began; None if it never ran.
        now: The present.
    """
    start = now - timedelta(seconds=objective.window_seconds)
    budget = 1 - objective.target / 100
    share = spent.bad / spent.total if spent.total else None
    return ServiceLevel(
        objective=objective.name,
        environment=subject.environment,
        workflow_id=subject.workflow_id,
        workflow_name=subject.workflow_name,
        priority=subject.priority,
        target=objective.target,
        window_seconds=objective.window_seconds,
        by=objective.by,
        attempt=objective.attempt,
        availability=None if share is None else 1 - share,
        budget=budget,
        spent=None if share is None else share / budget,
        bad=spent.bad,
        total=spent.total,
        since=None if since is None else max(since, start),
        is_full=since is not None and since <= start,
        burns=tuple(burn(recent, budget, *rule, now=now) for rule in RULES),
    )


def burn(
    recent: Sequence[Verdict],
    budget: float,
    factor: float,
    long_seconds: float,
    short_seconds: float,
    *,
    now: datetime,
) -> Burn:
    """Say how quickly a budget is spent in a long and a short window.

    A workflow that runs less often than the short window is judged there by its latest execution.
    """
    long = _within(recent, now - timedelta(seconds=long_seconds))
    short = _within(recent, now - timedelta(seconds=short_seconds)) or long[-1:]
    long_rate, short_rate = _rate(long, budget), _rate(short, budget)
    enough = sum(not it.is_good for it in long) >= LEAST_BAD
    return Burn(
        factor=factor,
        long_seconds=long_seconds,
        short_seconds=short_seconds,
        long_rate=long_rate,
        short_rate=short_rate,
        is_burning=enough and long_rate >= factor and short_rate >= factor,
    )


def down_seconds(
    bad: Iterable[tuple[datetime, datetime | None]], start: datetime, end: datetime
) -> float:
    """Add up the time for which failures held: each until the next execution, a day at most.

    Args:
        bad: When each failed execution began, and when the next one did, if one followed.
        start: Where the window begins.
        end: Where it ends.
    """
    found = timedelta(0)
    for at, following in bad:
        until = min(following or end, at + LONGEST_HOLD, end)
        found += max(until - max(at, start), timedelta(0))
    return found.total_seconds()


def _within(recent: Sequence[Verdict], start: datetime) -> list[Verdict]:
    return [it for it in recent if it.at > start]


def _rate(verdicts: Sequence[Verdict], budget: float) -> float:
    if not verdicts:
        return 0.0
    return sum(not it.is_good for it in verdicts) / len(verdicts) / budget
