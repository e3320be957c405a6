"""Error budgets and how quickly they are spent.

The rules for burn rates are those of the Site Reliability Workbook (Beyer and others, 2018, chapter
5): a long window that makes it matter, and a short one that shows that it goes on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.settings.slo_rules import Burn, ServiceLevel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_workflow_monitor.model import Priority
    from pytest_workflow_monitor.settings.slo_rules import Objective

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

Span = tuple[datetime, datetime]
"""From an instant until before another one."""


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
    owner: str = ""
    tags: tuple[str, ...] = ()
    notifies: bool = True


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
        recent: The executions of the last six hours, the oldest first; may be left out where none
            went wrong.
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
        owner=subject.owner,
        tags=subject.tags,
        notifies=subject.notifies,
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
    failures: Iterable[tuple[datetime, datetime | None]],
    start: datetime,
    end: datetime,
    breaks: Sequence[Span] = (),
) -> float:
    """Add up the time for which failures held: each until the next execution, a day at most.

    Args:
        failures: When each failed execution began, and when the next one did, if one followed.
        start: Where the window begins.
        end: Where it ends.
        breaks: Times that do not count, united; nor do failures that began in one of them.
    """
    held = (
        (at, min(following or end, at + LONGEST_HOLD))
        for at, following in failures
        if not is_within(at, breaks)
    )
    down = list(united(held, start, end))
    return _length(down) - _overlap(down, breaks)


def judged_seconds(start: datetime, end: datetime, breaks: Sequence[Span] = ()) -> float:
    """Tell how much of a window counts, without its breaks, which have to be united."""
    window = [(start, max(start, end))]
    return _length(window) - _overlap(window, breaks)


def united(spans: Iterable[Span], start: datetime, end: datetime) -> Iterator[Span]:
    """Cut spans to a window and join those that overlap or touch; the earliest first."""
    clipped = sorted((max(begin, start), min(until, end)) for begin, until in spans)
    begin = until = start
    for following, its_end in clipped:
        if its_end <= following:
            continue
        if following <= until and begin < until:
            until = max(until, its_end)
            continue
        if begin < until:
            yield begin, until
        begin, until = following, its_end
    if begin < until:
        yield begin, until


def is_within(at: datetime, spans: Sequence[Span]) -> bool:
    """Tell whether an instant lies in one of some spans."""
    return any(begin <= at < until for begin, until in spans)


def _length(spans: Iterable[Span]) -> float:
    return sum((until - begin).total_seconds() for begin, until in spans)


def _overlap(spans: Sequence[Span], others: Sequence[Span]) -> float:
    """Tell how long two lists of united spans overlap."""
    found, index = 0.0, 0
    for begin, until in spans:
        while index < len(others) and others[index][1] <= begin:
            index += 1
        for its_begin, its_end in others[index:]:
            if its_begin >= until:
                break
            found += (min(until, its_end) - max(begin, its_begin)).total_seconds()
    return found


def _within(recent: Sequence[Verdict], start: datetime) -> list[Verdict]:
    return [it for it in recent if it.at > start]


def _rate(verdicts: Sequence[Verdict], budget: float) -> float:
    if not verdicts:
        return 0.0
    return sum(not it.is_good for it in verdicts) / len(verdicts) / budget
