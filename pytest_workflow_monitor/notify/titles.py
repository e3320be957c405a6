"""The one line that says what a message is about: ``Log in fails: 6 workflows in production``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.words.alert_causes import common, in_words
from pytest_workflow_monitor.words.alerts import SYSTEM, AlertKind, NotificationKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_workflow_monitor.words.alerts import Alert, Notification

    _Verbs = Mapping[AlertKind | None, tuple[str, str]]

CAUSE_LENGTH = 120

_IS: _Verbs = {
    AlertKind.FAILING: ("fails", "fail"),
    AlertKind.DEGRADED: ("is degraded", "are degraded"),
    AlertKind.FLAPPING: ("is flapping", "are flapping"),
    AlertKind.MASKED: ("passes only by retry", "pass only by retry"),
    AlertKind.MISSED: ("did not run in time", "did not run in time"),
    AlertKind.RUNNER: ("has a problem", "have problems"),
    AlertKind.BURNING: ("burns its error budget", "burn their error budgets"),
    None: ("has problems", "have problems"),
}
_WAS: _Verbs = {
    AlertKind.FAILING: ("failed", "failed"),
    AlertKind.DEGRADED: ("was degraded", "were degraded"),
    AlertKind.FLAPPING: ("was flapping", "were flapping"),
    AlertKind.MASKED: ("passed only by retry", "passed only by retry"),
    AlertKind.MISSED: ("had not run in time", "had not run in time"),
    AlertKind.RUNNER: ("had a problem", "had problems"),
    AlertKind.BURNING: ("burnt its error budget", "burnt their error budgets"),
    None: ("had problems", "had problems"),
}
_IS_AGAIN: _Verbs = {
    AlertKind.FAILING: ("works again", "work again"),
    AlertKind.DEGRADED: ("runs well again", "run well again"),
    AlertKind.FLAPPING: ("is calm again", "are calm again"),
    AlertKind.MASKED: ("passes without a retry again", "pass without a retry again"),
    AlertKind.MISSED: ("runs in time again", "run in time again"),
    AlertKind.RUNNER: ("works again", "work again"),
    AlertKind.BURNING: ("burns its error budget no more", "burn their error budgets no more"),
    None: ("works again", "work again"),
}
"""What a title says of one workflow and of several; None for alerts of different kinds."""


def title(notification: Notification, alerts: Sequence[Alert], passed: Sequence[str] = ()) -> str:
    """Say a message in one line.

    Args:
        notification: What kind of message it is, about which environment.
        alerts: The alerts that it tells of.
        passed: Ids of the workflows whose passes it tells of.
    """
    where = notification.environment
    still_open = [it for it in alerts if it.is_open]
    over = [it for it in alerts if not it.is_open]
    match notification.kind:
        case NotificationKind.PASSED:
            return f"{_subject(passed)} passed in {where}"
        case NotificationKind.DIGEST:
            return _digest(still_open, over, passed, where)
        case NotificationKind.RESOLVED:
            return _resolved(still_open, over, notification)
    if still_open:
        return problem(still_open, where)
    return f"{_phrase(over, _WAS)} in {where}, and {_verb(over, _IS_AGAIN)}"


def problem(alerts: Sequence[Alert], environment: str) -> str:
    """Say what is wrong: what several workflows have in common, or else what they do."""
    ids = _ids(alerts)
    cause = common(it.causes for it in alerts) if len(ids) > 1 else ""
    if cause and all(cause in it.causes for it in alerts):
        said = wording.cut(in_words(cause), CAUSE_LENGTH)
        return f"{said}: {wording.plural(len(ids), 'workflow')} in {environment}"
    return f"{_phrase(alerts, _IS)} in {environment}"


def _ids(alerts: Iterable[Alert]) -> list[str]:
    return list(dict.fromkeys(it.workflow_id for it in alerts))


def _subject(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else wording.plural(len(ids), "workflow")


def _verb(alerts: Sequence[Alert], verbs: _Verbs) -> str:
    ids, kinds = _ids(alerts), {it.kind for it in alerts}
    kind = alerts[0].kind if len(kinds) == 1 or len(ids) == 1 else None
    return verbs[kind][len(ids) > 1]


def _phrase(alerts: Sequence[Alert], verbs: _Verbs) -> str:
    return f"{_subject(_ids(alerts))} {_verb(alerts, verbs)}"


def _digest(
    still_open: Sequence[Alert], over: Sequence[Alert], passed: Sequence[str], where: str
) -> str:
    parts = [
        _phrase(still_open, _IS) if still_open else "",
        _phrase(over, _IS_AGAIN) if over else "",
        f"{_subject(passed)} passed" if passed else "",
    ]
    return f"{', '.join(part for part in parts if part)} in {where}"


def _resolved(
    still_open: Sequence[Alert], over: Sequence[Alert], notification: Notification
) -> str:
    where, actor = notification.environment, notification.actor
    if not over:
        return problem(still_open, where)
    if still_open:
        total = wording.plural(len(_ids([*over, *still_open])), "workflow")
        return f"{len(_ids(over)):,} of {total} {_verb(over, _IS_AGAIN)} in {where}"
    ends = [it.resolved_at for it in over if it.resolved_at is not None]
    lasted = (max(ends) - min(it.since for it in over)).total_seconds() * 1000 if ends else None
    after = f" after {wording.duration(lasted)}" if lasted is not None else ""
    if actor not in {"", SYSTEM}:
        return f"{_phrase(over, _WAS)} in {where}: resolved by {actor}{after}"
    place = f" in {where}" if len(_ids(over)) > 1 else ""
    return f"{_phrase(over, _IS_AGAIN)}{place}{after}"
