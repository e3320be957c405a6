"""The life of an alert: what a workflow's latest results open, continue and resolve.

A decision looks at the newest results as they stand, not at what has just arrived. So results may
come late, twice, or in any order: an old failure cannot open an alert that newer passes
contradict, and deciding again changes nothing.
"""

from __future__ import annotations

from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import Record, Status
from pytest_workflow_monitor.settings.alert_rules import (
    CALM_BELOW,
    FLAPPING_ABOVE,
    FLAPPING_WINDOW,
    Policy,
)
from pytest_workflow_monitor.words.alerts import Alert, AlertKind, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    _Found = tuple[Sequence[Result], str]
    _Finder = Callable[[Sequence[Result]], _Found | None]

_LONG_STREAK = 200
"""How far back a streak is followed when it is its duration that counts."""


class Opening(Record, frozen=True, kw_only=True):
    """An alert that begins: its results, the first and the latest that show the problem."""

    kind: AlertKind
    first: Result
    last: Result
    failures: int
    reason: str


class Resolution(Record, frozen=True, kw_only=True):
    """An alert that is over."""

    alert: Alert
    reason: str
    result: Result


class Continuation(Record, frozen=True, kw_only=True):
    """An alert whose problem the latest result shows."""

    alert: Alert
    result: Result


class Decision(Record, frozen=True, kw_only=True):
    """What becomes of a workflow's alerts."""

    opened: tuple[Opening, ...] = ()
    resolved: tuple[Resolution, ...] = ()
    continued: tuple[Continuation, ...] = ()


def results_needed(policy: Policy) -> int:
    """Tell how many of a workflow's latest results a decision has to see."""
    return max(
        FLAPPING_WINDOW,
        policy.alert_after or 1,
        policy.resolve_after,
        policy.alert_after_degraded,
        policy.alert_after_masked,
        policy.failures_in[1] if policy.failures_in else 1,
        _LONG_STREAK if policy.failing_for_seconds else 1,
    )


def decide(
    results: Sequence[Result],
    alerts: Mapping[AlertKind, Alert],
    policy: Policy,
    *,
    dismissed: Mapping[AlertKind, datetime] | None = None,
) -> Decision:
    """Decide what the latest results of one workflow in one environment mean.

    Args:
        results: The latest executions that ended, oldest first, at least as many as
            :func:`results_needed` says, if there are so many.
        alerts: The workflow's open alerts.
        policy: Its policy.
        dismissed: When a person last resolved an alert of a kind; results before that cannot open
            another one.
    """
    telling = [it for it in results if tells(it, policy)]
    if not telling:
        return Decision()
    return _Case(telling, alerts, policy, dismissed or {}).decision()


def tells(result: Result, policy: Policy) -> bool:
    """Tell whether a result says anything about its workflow."""
    if result.status is Status.INTERRUPTED:
        return policy.interrupted
    return result.status not in {Status.SKIPPED, Status.RUNNING}


class _Case:
    """One workflow's results, its open alerts and its policy."""

    def __init__(
        self,
        results: Sequence[Result],
        alerts: Mapping[AlertKind, Alert],
        policy: Policy,
        dismissed: Mapping[AlertKind, datetime],
    ) -> None:
        self._results = results
        self._alerts = alerts
        self._policy = policy
        self._dismissed = dismissed

    def decision(self) -> Decision:
        failing = self._opening(AlertKind.FAILING, self._failing)
        fails = failing is not None or self._stays_failing()
        openings = [failing, self._opening(AlertKind.FLAPPING, self._flapping)]
        if not fails:
            openings += [
                self._opening(AlertKind.DEGRADED, self._degraded),
                self._opening(AlertKind.MASKED, self._masked),
            ]
        reasons = {
            AlertKind.FAILING: self._passes(),
            AlertKind.FLAPPING: self._calm(),
            AlertKind.DEGRADED: "it fails now" if fails else self._healthy(Status.DEGRADED),
            AlertKind.MASKED: "it fails now" if fails else self._steady(),
        }
        last = self._results[-1]
        return Decision(
            opened=tuple(it for it in openings if it is not None),
            resolved=tuple(
                Resolution(alert=alert, reason=reasons[kind], result=last)
                for kind, alert in self._alerts.items()
                if reasons[kind]
            ),
            continued=tuple(
                Continuation(alert=alert, result=last)
                for kind, alert in self._alerts.items()
                if not reasons[kind] and _shows(kind, last)
            ),
        )

    def _opening(self, kind: AlertKind, find: _Finder) -> Opening | None:
        if kind in self._alerts:
            return None
        dismissed_at = self._dismissed.get(kind)
        fresh = [it for it in self._results if not dismissed_at or it.completed_at > dismissed_at]
        found = find(fresh)
        if found is None:
            return None
        shown, reason = found
        return Opening(
            kind=kind, first=shown[0], last=shown[-1], failures=len(shown), reason=reason
        )

    def _failing(self, results: Sequence[Result]) -> _Found | None:
        policy = self._policy
        streak = _tail(results, is_problem=True)
        if not streak:
            return None
        if policy.alert_after and len(streak) >= policy.alert_after:
            return streak, _in_a_row(len(streak))
        if policy.failures_in:
            some, of = policy.failures_in
            problems = [it for it in results[-of:] if it.status.is_problem]
            if len(problems) >= some:
                return problems, f"failed {len(problems)} of the last {min(of, len(results))} times"
        lasted = (streak[-1].completed_at - streak[0].started_at).total_seconds()
        if policy.failing_for_seconds and lasted >= policy.failing_for_seconds:
            return streak, f"failing for {wording.duration(lasted * 1000)}"
        return None

    def _degraded(self, results: Sequence[Result]) -> _Found | None:
        least = self._policy.alert_after_degraded
        streak = _while(results, lambda it: it.status is Status.DEGRADED)
        if not least or len(streak) < least:
            return None
        return streak, f"degraded {_times(len(streak))} in a row"

    def _masked(self, results: Sequence[Result]) -> _Found | None:
        least = self._policy.alert_after_masked
        fingerprint = results[-1].fingerprint if results else ""
        streak = _while(results, lambda it: _is_masked(it) and it.fingerprint == fingerprint)
        if not least or not fingerprint or len(streak) < least:
            return None
        return streak, f"passed only by retry {_times(len(streak))} in a row, after the same error"

    def _flapping(self, results: Sequence[Result]) -> _Found | None:
        if not self._policy.flapping or change_ratio(results) <= FLAPPING_ABOVE:
            return None
        window = results[-FLAPPING_WINDOW:]
        changes = _changes(window)
        return window, f"changed {_times(changes)} in the last {len(window)} executions"

    def _stays_failing(self) -> bool:
        return AlertKind.FAILING in self._alerts and not self._passes()

    def _passes(self) -> str:
        passes = len(_tail(self._results, is_problem=False))
        return _if_enough(passes, self._policy.resolve_after, "passed")

    def _healthy(self, bad: Status) -> str:
        good = _while(self._results, lambda it: it.status is not bad and not it.status.is_problem)
        return _if_enough(len(good), self._policy.resolve_after, "passed fully")

    def _steady(self) -> str:
        good = _while(self._results, lambda it: not _is_masked(it) and not it.status.is_problem)
        return _if_enough(len(good), self._policy.resolve_after, "passed at the first attempt")

    def _calm(self) -> str:
        if not self._policy.flapping:
            return "flapping is not watched any more"
        return "it is calm" if change_ratio(self._results) < CALM_BELOW else ""


def change_ratio(results: Sequence[Result]) -> float:
    """Return the share of changes between failing and passing over the last 20 executions.

    Executions that are not there count as no change, so two of three do not make a flapping one.
    """
    return _changes(results[-FLAPPING_WINDOW:]) / (FLAPPING_WINDOW - 1)


def _changes(results: Sequence[Result]) -> int:
    return sum(a.status.is_problem != b.status.is_problem for a, b in pairwise(results))


def _shows(kind: AlertKind, result: Result) -> bool:
    if kind is AlertKind.DEGRADED:
        return result.status is Status.DEGRADED
    return _is_masked(result) if kind is AlertKind.MASKED else result.status.is_problem


def _is_masked(result: Result) -> bool:
    return result.is_flaky and not result.status.is_problem


def _tail(results: Sequence[Result], *, is_problem: bool) -> list[Result]:
    return _while(results, lambda it: it.status.is_problem is is_problem)


def _while(results: Sequence[Result], holds: Callable[[Result], bool]) -> list[Result]:
    """Return the latest results for which something holds without a break, oldest first."""
    return list(takewhile(holds, reversed(results)))[::-1]


def _in_a_row(count: int) -> str:
    return "failed" if count == 1 else f"failed {_times(count)} in a row"


def _if_enough(count: int, needed: int, said: str) -> str:
    if count < needed:
        return ""
    return said if needed == 1 else f"{said} {_times(count)} in a row"


def _times(count: int) -> str:
    return wording.plural(count, "time")
