"""Writes messages: from the rows of alerts and executions to what people are told."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec.structs import replace

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.evidence import picture_at
from pytest_workflow_monitor.analysis.history import against_normal
from pytest_workflow_monitor.analysis.summary import (
    PRIORITY_ORDER,
    failing_path,
    reason,
    telling_attempt,
)
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Execution, Priority, Record
from pytest_workflow_monitor.notify.about_report import (
    about_report,
    attaches,
    read_kept,
    report_file,
)
from pytest_workflow_monitor.notify.messages import Item, Message, Picture
from pytest_workflow_monitor.notify.texts import web_link
from pytest_workflow_monitor.notify.titles import title
from pytest_workflow_monitor.store.outbox import EARLIER_DAYS, Earlier
from pytest_workflow_monitor.words.alert_causes import HOST, common, in_words
from pytest_workflow_monitor.words.alerts import (
    Alert,
    AlertKind,
    AlertStatus,
    Notification,
    NotificationKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from pytest_workflow_monitor.model import Artifact
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

DETAILED = 10
"""So many alerts of a message are told with all that is known; the others by what they are."""

PLAIN_REASON = "failed"
"""A reason that says no more than that there is a failure is not told."""

LATE = timedelta(minutes=1)
"""A message that comes so long after it was written says how long things have lasted by now."""

HISTORY = 20
ERROR_LINES = 3
LINE_LENGTH = 300

FAILING = "failing"
ACKNOWLEDGED = "acknowledged"
RESOLVED = "resolved"
STATES = (FAILING, ACKNOWLEDGED, RESOLVED)

_KIND_ORDER = {kind: rank for rank, kind in enumerate(AlertKind)}


class News(Record, frozen=True, kw_only=True):
    """What one message has to tell.

    Attributes:
        notification: Its row in the outbox.
        together: The rows of those whose news it tells, for a digest or a burst.
        alerts: The alerts of its incidents, as they are now.
    """

    notification: Notification
    together: tuple[Notification, ...] = ()
    alerts: tuple[Alert, ...] = ()

    @property
    def told(self) -> tuple[Alert, ...]:
        """The alerts that people are to hear of, the most important first."""
        audible = [it for it in self.alerts if it.inhibited_by is None and not it.quiet]
        return tuple(sorted(audible or self.alerts, key=_importance))


class Details(Record, frozen=True, kw_only=True):
    """What is known of one alert besides its row.

    Attributes:
        execution: The latest execution that shows the problem, with its history.
        earlier: How often the problem had been there before.
        explained: Names of the workflows whose alerts this one explains.
        cause: What several alerts of the incident have in common, as a key.
        evidence_url: Where the execution can be looked at.
        picture: What the page looked like.
    """

    execution: Execution | None = None
    earlier: Earlier | None = None
    explained: tuple[str, ...] = ()
    cause: str = ""
    evidence_url: str = ""
    picture: Picture | None = None


def compose(
    store: Store, settings: Settings, news: News, at: datetime, *, with_file: bool = False
) -> Message:
    """Write a message as things are now, without secrets.

    Args:
        store: The database.
        settings: Whose messages, and where its links lead.
        news: What it has to tell.
        at: The time.
        with_file: Whether the channel can carry the file of a report.

    Raises:
        StoreError: The database cannot be used.
        ReportError: It is about a report that cannot be read.
    """
    if news.notification.report_id is not None:
        return _about_report(store, settings, news.notification, at, with_file=with_file)
    told = news.told
    desk = _Desk(store, settings, news)
    notification, kind = news.notification, news.notification.kind
    items = tuple(item(it, desk.details(it), at) for it in told)
    number = notification.incident_id or notification.notification_id
    message = Message(
        key=notification.notification_id,
        thread_key=f"{notification.project}/{notification.environment}/{number}",
        kind=kind,
        title=title(notification, told, desk.passed),
        project=notification.project,
        environment=notification.environment,
        at=at,
        is_good=is_good(told),
        priority=_highest(told, notification.priority),
        mention=notification.mention,
        items=items,
        counts=counts(told),
        summary=desk.summary(),
        report_url=desk.report_url,
        actor=notification.actor,
        note=note(news, at),
    )
    return masked(message)


def _about_report(
    store: Store, settings: Settings, notification: Notification, at: datetime, *, with_file: bool
) -> Message:
    kept = read_kept(store, settings, notification.report_id or 0)
    file = report_file(kept) if with_file and attaches(kept, settings) else None
    message = about_report(kept, settings, notification, at, with_file=file is not None)
    return replace(masked(message), attachment=file)


def masked(message: Message) -> Message:
    """Look once more for secrets: more may be known now than when the texts were stored."""
    sealed, _ = known.sealed(message)
    return replace(sealed, key=message.key, thread_key=message.thread_key)


def is_good(alerts: Sequence[Alert]) -> bool:
    """Tell whether a message is good news: nothing of what it tells is wrong any more."""
    return not any(it.is_open for it in alerts)


def counts(alerts: Iterable[Alert]) -> dict[str, int]:
    """Count alerts by their state, without zeros."""
    counted = Counter(map(state, alerts))
    return {name: counted[name] for name in STATES if counted[name]}


def state(alert: Alert) -> str:
    """Name where an alert is in its life."""
    if not alert.is_open:
        return RESOLVED
    return ACKNOWLEDGED if alert.status is AlertStatus.ACKNOWLEDGED else FAILING


def note(news: News, at: datetime) -> str:
    """Say why a message comes now."""
    notification, together = news.notification, news.together
    if notification.kind is NotificationKind.ESCALATION and at > notification.created_at + LATE:
        return _unacknowledged(news, at)
    if not together or notification.kind is not NotificationKind.DIGEST:
        return notification.note
    since = wording.instant(min(it.created_at for it in together), reference=at)
    return f"{wording.plural(len(together), 'message')} held back since {since} UTC"


def _unacknowledged(news: News, at: datetime) -> str:
    """Say how long nobody has looked after something that more people are told of late."""
    opened_at = min((it.opened_at for it in news.alerts if it.is_open), default=at)
    waited = wording.duration((at - opened_at).total_seconds() * 1000)
    since = wording.instant(opened_at, reference=at)
    return f"not acknowledged for {waited}, open since {since} UTC"


def item(alert: Alert, details: Details, at: datetime) -> Item:
    """Tell of one alert."""
    execution = details.execution
    workflow = execution.workflow if execution else None
    end = alert.resolved_at or at
    return Item(
        alert_id=alert.alert_id,
        kind=alert.kind,
        state=state(alert),
        workflow_id=alert.workflow_id,
        name=alert.workflow_name or alert.workflow_id,
        priority=alert.priority,
        since=alert.since,
        lasted=wording.duration((end - alert.since).total_seconds() * 1000),
        status_word=wording.STATUS_WORDS[alert.last_status] if alert.last_status else "",
        how_often=how_often(details.earlier, execution, at),
        duration=duration(execution) if alert.is_open else "",
        failing_step=alert.failing_step,
        failed_steps=failed_steps(execution),
        steps_total=execution.steps_total if execution else 0,
        error=error_lines(execution),
        cause=_cause(alert, details.cause),
        reason="" if alert.reason == PLAIN_REASON else alert.reason,
        owner=alert.owner,
        runbook=workflow.runbook if workflow else "",
        evidence_url=details.evidence_url,
        picture=details.picture,
        run_id=alert.last_run_id,
        explained=details.explained,
    )


def how_often(earlier: Earlier | None, execution: Execution | None, at: datetime) -> str:
    """Say how often a problem was there before, and how many of the last executions failed."""
    said = []
    if earlier is not None and earlier.last_opened_at is not None:
        times = wording.plural(earlier.times, "time")
        last = wording.instant(earlier.last_opened_at, reference=at)
        said.append(f"{times} in the {EARLIER_DAYS} days before, last {last} UTC")
    elif earlier is not None:
        said.append(f"not in the {EARLIER_DAYS} days before")
    if execution is not None and execution.history:
        recent = [it.status for it in execution.history[1 - HISTORY :]] + [execution.status]
        failed = sum(status.is_problem for status in recent)
        said.append(f"{failed} of the last {wording.plural(len(recent), 'run')} failed")
    return "; ".join(said)


def duration(execution: Execution | None) -> str:
    """Say how long an execution took, beside what is normal if that is known."""
    if execution is None or execution.duration_ms is None:
        return ""
    return against_normal(execution) or wording.duration(execution.duration_ms)


def failed_steps(execution: Execution | None) -> tuple[str, ...]:
    """Name all steps of an execution that failed."""
    attempt = telling_attempt(execution) if execution else None
    steps = attempt.steps if attempt else ()
    return tuple(dict.fromkeys(step.name for step in steps if step.status.is_problem))


def error_lines(execution: Execution | None) -> tuple[str, ...]:
    """Return the first lines of an execution's error that are not blank."""
    attempt = telling_attempt(execution) if execution else None
    if execution is None or attempt is None:
        return ()
    text = attempt.errors[0].message if attempt.errors else ""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()] or [reason(execution)]
    return tuple(wording.cut(line, LINE_LENGTH) for line in lines[:ERROR_LINES] if line)


def passed_line(execution: Execution) -> str:
    """Tell of a pass."""
    took = wording.duration(execution.duration_ms)
    usual = against_normal(execution)
    return f"{execution.workflow.workflow_id} passed in {took}" + (f" ({usual})" if usual else "")


class _Desk:
    """Looks up what a message needs to know."""

    def __init__(self, store: Store, settings: Settings, news: News) -> None:
        self._store = store
        self._settings = settings
        self._alerts = news.told[:DETAILED]
        runs = [it.run_id for it in (news.notification, *news.together) if it.incident_id is None]
        self._passes = [run_id for run_id in runs if run_id]
        self._executions = self._with_history()
        self._ci_urls: dict[str, str] = {}
        self._earlier = store.earlier_alerts(it.alert_id for it in self._alerts)
        self._explained = self._explanations()
        self._causes = _common_causes(news.told)

    @property
    def passed(self) -> tuple[str, ...]:
        """The workflows whose passes are told."""
        return tuple(it.workflow.workflow_id for it in self._passed())

    @property
    def report_url(self) -> str:
        """Where the report is, or else the job that ran the tests."""
        found = map(self._ci_url, self._executions.values())
        return self._settings.report_url or next(filter(None, found), "")

    def summary(self) -> tuple[str, ...]:
        """Return what is to be said of no alert."""
        return tuple(passed_line(execution) for execution in self._passed())

    def details(self, alert: Alert) -> Details:
        """Return what is known of an alert; little of those far down in a long message."""
        cause = self._causes.get(alert.incident_id, "")
        if alert not in self._alerts:
            return Details(cause=cause)
        execution = self._executions.get(alert.last_run_id)
        return Details(
            execution=execution,
            earlier=self._earlier.get(alert.alert_id),
            explained=self._explained.get(alert.alert_id, ()),
            cause=cause,
            evidence_url=self._evidence_url(execution) if execution else "",
            picture=self._picture(execution) if execution and alert.is_open else None,
        )

    def _passed(self) -> list[Execution]:
        return [self._executions[it] for it in self._passes if it in self._executions]

    def _with_history(self) -> dict[str, Execution]:
        shown = {it.last_run_id for it in self._alerts if it.last_run_id}
        wanted = shown | set(self._passes)
        found = self._store.executions(sorted(wanted)) if wanted else ()
        return {it.run_id: it for it in self._store.attach_history(found, HISTORY)}

    def _explanations(self) -> dict[int, tuple[str, ...]]:
        names: dict[int, list[str]] = defaultdict(list)
        ids = [it.alert_id for it in self._alerts]
        for alert in reversed(self._store.alerts(inhibited_by=ids) if ids else ()):
            if alert.inhibited_by is not None:
                names[alert.inhibited_by].append(alert.workflow_name or alert.workflow_id)
        return {alert_id: tuple(dict.fromkeys(found)) for alert_id, found in names.items()}

    def _evidence_url(self, execution: Execution) -> str:
        if self._settings.report_url:
            return f"{self._settings.report_url}#{execution.run_id}"
        return self._ci_url(execution)

    def _ci_url(self, execution: Execution) -> str:
        session_id = execution.session_id
        if session_id not in self._ci_urls:
            session = self._store.session(session_id)
            self._ci_urls[session_id] = web_link(session.ci_url) if session else ""
        return self._ci_urls[session_id]

    def _picture(self, execution: Execution) -> Picture | None:
        attempt = telling_attempt(execution)
        if attempt is None:
            return None
        path = failing_path(attempt.steps)
        found = picture_at(attempt, path[-1] if path else None)
        if found is None or found.problem or not found.path:
            return None
        return picture_of(found, self._settings.state_path, self._settings.artifacts_http_url)


def picture_of(artifact: Artifact, state_path: Path, http_url: str) -> Picture | None:
    """Say where a screenshot is to be had, if anywhere."""
    root = state_path.resolve()
    path = (root / artifact.path).resolve()
    is_here = path.is_relative_to(root) and path.is_file()
    url = f"{http_url.rstrip('/')}/{quote(artifact.path)}" if http_url else ""
    if not is_here and not url:
        return None
    return Picture(
        name=artifact.name,
        path=str(path) if is_here else "",
        url=url,
        content_type=artifact.content_type,
    )


def _importance(alert: Alert) -> tuple[bool, int, int, str]:
    return (
        not alert.is_open,
        _KIND_ORDER[alert.kind],
        PRIORITY_ORDER[alert.priority],
        alert.workflow_id,
    )


def _highest(alerts: Sequence[Alert], fallback: Priority) -> Priority:
    return min((it.priority for it in alerts), key=PRIORITY_ORDER.__getitem__, default=fallback)


def _common_causes(alerts: Sequence[Alert]) -> dict[int, str]:
    """Return what the alerts of each incident share."""
    grouped: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    for alert in alerts:
        grouped[alert.incident_id].append(alert.causes)
    return {incident_id: common(found) for incident_id, found in grouped.items()}


def _cause(alert: Alert, shared: str) -> str:
    """Say the likely cause: what others share, or a host that does not answer."""
    if shared in alert.causes:
        return in_words(shared)
    return next((in_words(it) for it in alert.causes if it.startswith(f"{HOST}|")), "")
