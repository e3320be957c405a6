"""What a policy would have made of executions that are stored: the same decisions once more.

One workflow's executions in one environment are played in the order in which they began; each is
decided on when it completed, by :func:`~pytest_workflow_monitor.alerting.lifecycle.decide`, which
sees no more than it did then. Nobody acknowledges in a back-test, and every alert is told alone, so
that messages of different policies can be compared.
"""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.alerting.lifecycle import decide, results_needed, tells
from pytest_workflow_monitor.model import Priority, Record, Status
from pytest_workflow_monitor.words.alerts import Alert, AlertKind, AlertStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.alerting.lifecycle import Opening
    from pytest_workflow_monitor.settings.alert_rules import Policy, Telling
    from pytest_workflow_monitor.words.alerts import Result


class Problem(Record, frozen=True, kw_only=True):
    """Executions of one workflow that failed one after the other.

    ``until`` is when the pass that ended it began; None while it goes on. ``detected_at`` is when
    an alert of it was open first; None when none ever was.
    """

    workflow_id: str
    environment: str
    since: datetime
    last_failed_at: datetime
    run_id: str
    failures: int = 1
    until: datetime | None = None
    detected_at: datetime | None = None

    @property
    def is_missed(self) -> bool:
        """Whether no alert was open while it lasted."""
        return self.detected_at is None

    @property
    def lasted_seconds(self) -> float:
        """From the start of the first failure to the pass that ended it, or the last failure."""
        return ((self.until or self.last_failed_at) - self.since).total_seconds()


class Outcome(Record, frozen=True, kw_only=True):
    """What a policy made of some executions.

    Attributes:
        executions: How many were played.
        opened: Alerts that opened, by kind.
        resolved: Alerts that were resolved.
        openings: Messages that said that an alert opened.
        reminders: Messages that said that it was still open.
        resolutions: Messages that said that it was over.
        detected_seconds: From the start of the first failure to the alert, for each that failed.
        problems: How many runs of failures there were.
        missed: Those of which no alert told.
    """

    executions: int = 0
    opened: dict[str, int] = {}
    resolved: int = 0
    openings: int = 0
    reminders: int = 0
    resolutions: int = 0
    detected_seconds: tuple[float, ...] = ()
    problems: int = 0
    missed: tuple[Problem, ...] = ()

    @property
    def alerts(self) -> int:
        """How many alerts opened."""
        return sum(self.opened.values())

    @property
    def notifications(self) -> int:
        """How many messages there were."""
        return self.openings + self.reminders + self.resolutions

    @property
    def flapping(self) -> int:
        """How many notices of flapping there were."""
        return self.opened.get(AlertKind.FLAPPING, 0)

    @property
    def median_seconds(self) -> float | None:
        """How long it usually took until an alert was there."""
        return median(self.detected_seconds) if self.detected_seconds else None

    @property
    def worst_seconds(self) -> float | None:
        """How long it took at worst."""
        return max(self.detected_seconds, default=None)


def total(outcomes: Iterable[Outcome]) -> Outcome:
    """Add up what a policy made of several workflows."""
    found = list(outcomes)
    opened: Counter[str] = Counter()
    for it in found:
        opened.update(it.opened)
    return Outcome(
        executions=sum(it.executions for it in found),
        opened={kind.value: opened[kind] for kind in AlertKind if opened[kind]},
        resolved=sum(it.resolved for it in found),
        openings=sum(it.openings for it in found),
        reminders=sum(it.reminders for it in found),
        resolutions=sum(it.resolutions for it in found),
        detected_seconds=tuple(one for it in found for one in it.detected_seconds),
        problems=sum(it.problems for it in found),
        missed=tuple(one for it in found for one in it.missed),
    )


def play(
    results: Iterable[Result],
    policies: Sequence[Policy],
    telling: Telling,
    *,
    workflow_id: str,
    environment: str,
    until: datetime,
) -> tuple[Outcome, ...]:
    """Play the executions of one workflow in one environment under several policies.

    Args:
        results: Executions that ended, the one that began first at first; read once.
        policies: The policies to compare.
        telling: How an alert is told.
        workflow_id: Whose executions they are.
        environment: Where they ran.
        until: When the time that is looked at ends; reminders end then.
    """
    players = [_Player(policy, telling, workflow_id, environment) for policy in policies]
    count = 0
    for result in results:
        count += 1
        for player in players:
            player.see(result)
    return tuple(player.outcome(count, until) for player in players)


class _Open(Record, frozen=True, kw_only=True):
    """An alert that is open, and since when people are to be told; None for not at all."""

    alert: Alert
    told_from: datetime | None


class _Player:
    """One policy at work on one workflow's executions."""

    def __init__(
        self, policy: Policy, telling: Telling, workflow_id: str, environment: str
    ) -> None:
        self._policy = policy
        self._telling = telling
        self._subject = workflow_id, environment
        self._results: deque[Result] = deque(maxlen=results_needed(policy))
        self._open: dict[AlertKind, _Open] = {}
        self._problem: Problem | None = None
        self._problems = 0
        self._missed: list[Problem] = []
        self._opened: Counter[str] = Counter()
        self._messages: Counter[str] = Counter()
        self._resolved = 0
        self._detected: list[float] = []

    def see(self, result: Result) -> None:
        """Take the next execution, and decide as ingest does: a plain pass changes nothing."""
        self._results.append(result)
        is_problem = result.status.is_problem
        if tells(result, self._policy):
            self._follow(result)
        if is_problem or result.is_flaky or result.status is Status.DEGRADED or self._open:
            self._decide(result.completed_at)

    def outcome(self, executions: int, until: datetime) -> Outcome:
        """Return what has become of all that was seen."""
        for it in self._open.values():
            self._tell(it, until, is_over=False)
        self._end_problem(None)
        return Outcome(
            executions=executions,
            opened=dict(self._opened),
            resolved=self._resolved,
            openings=self._messages["openings"],
            reminders=self._messages["reminders"],
            resolutions=self._messages["resolutions"],
            detected_seconds=tuple(self._detected),
            problems=self._problems,
            missed=tuple(self._missed),
        )

    def _follow(self, result: Result) -> None:
        """Keep track of the run of failures, if this is one."""
        known, open_now = self._problem, self._open.get(AlertKind.FAILING)
        if not result.status.is_problem:
            self._end_problem(result.started_at)
        elif known is None:
            self._problem = Problem(
                workflow_id=self._subject[0],
                environment=self._subject[1],
                since=result.started_at,
                last_failed_at=result.completed_at,
                run_id=result.run_id,
                detected_at=result.completed_at if open_now else None,
            )
        else:
            self._problem = replace(
                known, failures=known.failures + 1, last_failed_at=result.completed_at
            )

    def _end_problem(self, until: datetime | None) -> None:
        if self._problem is not None:
            self._problems += 1
            if self._problem.is_missed:
                self._missed.append(replace(self._problem, until=until))
        self._problem = None

    def _decide(self, now: datetime) -> None:
        alerts = {kind: it.alert for kind, it in self._open.items()}
        decision = decide(self._results, alerts, self._policy)
        for resolution in decision.resolved:
            self._resolved += 1
            self._tell(self._open.pop(resolution.alert.kind), now, is_over=True)
        for opening in decision.opened:
            self._begin(opening, now)
        self._hear(now)

    def _begin(self, opening: Opening, now: datetime) -> None:
        self._opened[opening.kind] += 1
        self._open[opening.kind] = _Open(alert=self._alert(opening, now), told_from=None)
        if opening.kind is AlertKind.FAILING:
            self._detected.append((now - opening.first.started_at).total_seconds())
            if self._problem is not None:
                self._problem = replace(self._problem, detected_at=now)

    def _hear(self, now: datetime) -> None:
        """Let people hear of what is open; while it flaps, not of single failures."""
        for kind, it in self._open.items():
            covered = kind is AlertKind.FAILING and AlertKind.FLAPPING in self._open
            if it.told_from is None and not covered:
                self._open[kind] = _Open(alert=it.alert, told_from=now)

    def _tell(self, it: _Open, until: datetime, *, is_over: bool) -> None:
        """Count the messages about an alert, now that it is known how long it was open."""
        wait = timedelta(seconds=self._telling.group_wait_seconds)
        if it.told_from is None or it.told_from + wait > until:
            return
        self._messages["openings"] += 1
        self._messages["reminders"] += reminders(
            (until - it.told_from - wait).total_seconds(), self._telling
        )
        if is_over:
            self._messages["resolutions"] += 1

    def _alert(self, opening: Opening, now: datetime) -> Alert:
        number = self._opened.total()
        return Alert(
            alert_id=number,
            project="",
            workflow_id=self._subject[0],
            environment=self._subject[1],
            kind=opening.kind,
            status=AlertStatus.ACTIVE,
            priority=Priority.MEDIUM,
            since=opening.first.started_at,
            opened_at=now,
            incident_id=number,
            last_run_id=opening.last.run_id,
        )


def reminders(open_seconds: float, telling: Telling) -> int:
    """Count the reminders of an alert that nobody acknowledged for so long."""
    pause, left, count = telling.remind_after_seconds, open_seconds, 0
    longest = telling.remind_at_most_seconds
    while 0 < pause <= left:
        count, left = count + 1, left - pause
        if pause == longest:
            return count + int(left // longest)
        pause = min(pause * 2, longest)
    return count
