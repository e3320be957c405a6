"""What executions do to alerts, inside the transaction that stores them.

Everything here happens under the project's lock (see
:func:`~pytest_workflow_monitor.ingest.ingest`), so that processes decide one after the other; the
unique index of open alerts has the last word. Messages are only put into the outbox: sending them
is another matter.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from pytest_workflow_monitor.alerting import causes as causing
from pytest_workflow_monitor.alerting.lifecycle import (
    Continuation,
    Decision,
    Opening,
    Resolution,
    decide,
)
from pytest_workflow_monitor.analysis.summary import PRIORITY_ORDER, failing_step
from pytest_workflow_monitor.keeping.alerts.incidents import Incidents
from pytest_workflow_monitor.keeping.alerts.outbox import Outbox
from pytest_workflow_monitor.model import Record, Status
from pytest_workflow_monitor.store.alerts import NewAlert, NewEvent, Shown
from pytest_workflow_monitor.words.alerts import (
    OF_EXECUTIONS,
    SYSTEM,
    Alert,
    AlertEventKind,
    AlertKind,
    AlertStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.alerting.rules import Rules
    from pytest_workflow_monitor.model import Execution, SessionStarted
    from pytest_workflow_monitor.store import Store

NOT_ASKED = "the session was not asked to notify"
SWITCHED_OFF = "the workflow has notify_on_failure=False"
FLAPPING = "it is flapping"


class Judged(Record, frozen=True, kw_only=True):
    """What became of alerts: ids of those that opened and that were resolved."""

    opened: tuple[int, ...] = ()
    resolved: tuple[int, ...] = ()


def judge(
    store: Store,
    rules: Rules,
    session: SessionStarted,
    executions: Sequence[Execution],
    now: datetime,
) -> Judged:
    """Decide what executions that just ended mean for the alerts of their workflows.

    Has to be called inside the transaction that stored them, under the project's lock.
    """
    open_alerts = store.open_alerts(session.project, session.environment)
    alerts = [it for it in open_alerts if it.kind in OF_EXECUTIONS]
    concerned = _concerned(executions, alerts)
    judged = Judged()
    if concerned:
        judged = _Judgement(store, rules, session, concerned, alerts, now).carry_out()
    if session.notifies:
        Outbox(store, rules, now).tell_passes(_passes(executions))
    return judged


def _concerned(executions: Iterable[Execution], alerts: Iterable[Alert]) -> dict[str, Execution]:
    """Return the latest execution of each workflow whose alerts may change.

    A plain pass concerns only workflows with an open alert, so that a green run costs one query.
    """
    alerting = {alert.workflow_id for alert in alerts}
    found: dict[str, Execution] = {}
    for execution in executions:
        workflow_id = execution.workflow.workflow_id
        if execution.status in {Status.RUNNING, Status.SKIPPED}:
            continue
        if execution.needs_attention or workflow_id in alerting or workflow_id in found:
            known = found.get(workflow_id)
            if known is None or execution.started_at >= known.started_at:
                found[workflow_id] = execution
    return found


class _Judgement:
    """The alerts of some workflows of one environment, at one moment."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        session: SessionStarted,
        executions: Mapping[str, Execution],
        alerts: Sequence[Alert],
        now: datetime,
    ) -> None:
        self._store = store
        self._rules = rules
        self._session = session
        self._executions = executions
        self._alerts = alerts
        self._now = now
        self._scope = session.project, session.environment
        self._events: list[NewEvent] = []
        self._outbox = Outbox(store, rules, now)
        self._flapping: frozenset[str] = frozenset()
        self._over: frozenset[int] = frozenset()
        self._inhibited: set[int] = set()

    def carry_out(self) -> Judged:
        decisions = self._decisions()
        openings = [it for decision in decisions for it in decision.opened]
        resolved = self._resolve([it for decision in decisions for it in decision.resolved])
        continued = self._continue([it for decision in decisions for it in decision.continued])
        self._over = frozenset(it.alert_id for it in resolved)
        self._flapping = self._still_flapping(decisions)
        opened = self._open(openings)
        found = [
            *(it for it in opened if not it.quiet),
            *(it for it in continued if it.quiet and not self._quiet(it)),
            *self._released(resolved),
            *self._calmed(resolved),
        ]
        audible = {
            it.alert_id: it
            for it in found
            if it.inhibited_by is None and it.alert_id not in self._inhibited
        }
        self._outbox.tell_opened(list(audible.values()))
        self._outbox.tell_resolved({alert.incident_id for alert in resolved}, SYSTEM)
        self._store.add_alert_events([*self._events, *self._outbox.events])
        return Judged(
            opened=tuple(alert.alert_id for alert in opened),
            resolved=tuple(alert.alert_id for alert in resolved),
        )

    def _decisions(self) -> list[Decision]:
        ids = list(self._executions)
        results = self._store.recent_results(*self._scope, ids, self._rules.results_needed)
        dismissed = self._store.dismissals(*self._scope, ids)
        by_workflow: dict[str, dict[AlertKind, Alert]] = defaultdict(dict)
        for alert in self._alerts:
            by_workflow[alert.workflow_id][alert.kind] = alert
        project, environment = self._scope
        return [
            decide(
                results.get(workflow_id, ()),
                by_workflow[workflow_id],
                self._rules.policy_for(
                    execution.workflow, project=project, environment=environment
                ),
                dismissed=dismissed.get(workflow_id),
            )
            for workflow_id, execution in self._executions.items()
        ]

    def _resolve(self, resolutions: Sequence[Resolution]) -> list[Alert]:
        changed = self._store.resolve_alerts((it.alert.alert_id for it in resolutions), self._now)
        done = [it for it in resolutions if it.alert.alert_id in changed]
        self._events += [
            self._event(it.alert, AlertEventKind.RESOLVED, it.reason, it.result.run_id)
            for it in done
        ]
        return [replace(it.alert, status=AlertStatus.RESOLVED) for it in done]

    def _continue(self, continuations: Sequence[Continuation]) -> list[Alert]:
        runs = self._runs(it.result.run_id for it in continuations)
        shown = [_shown(it, runs[it.result.run_id]) for it in continuations]
        self._store.continue_alerts(shown)
        return [
            replace(
                it.alert,
                last_run_id=new.last_run_id,
                last_status=new.last_status,
                failing_step=new.failing_step,
                causes=new.causes,
            )
            for it, new in zip(continuations, shown, strict=True)
        ]

    def _open(self, openings: Sequence[Opening]) -> list[Alert]:
        """Open alerts, that of the health check first: it may explain the others."""
        runs = self._runs(it.last.run_id for it in openings)
        pairs = sorted(
            ((it, runs[it.last.run_id]) for it in openings),
            key=lambda pair: PRIORITY_ORDER[pair[1].workflow.priority],
        )
        checks = [pair for pair in pairs if self._is_check(pair[0], pair[1])]
        others = [pair for pair in pairs if not self._is_check(pair[0], pair[1])]
        opened = self._add(checks, None)
        for alert in opened:
            self._inhibit_by(alert)
        inhibitor = next((it for it in (*opened, *self._alerts) if self._explains(it)), None)
        return opened + self._add(others, inhibitor)

    def _add(
        self, openings: Sequence[tuple[Opening, Execution]], inhibitor: Alert | None
    ) -> list[Alert]:
        if not openings:
            return []
        incidents = Incidents(self._store, self._scope, self._rules.telling, self._now)
        new = []
        for opening, execution in openings:
            found = causing.causes(execution) if opening.kind is AlertKind.FAILING else ()
            inhibited = inhibitor if opening.kind is AlertKind.FAILING else None
            new.append(
                _new_alert(
                    opening,
                    execution,
                    location=self._session.location,
                    causes=found,
                    incident_id=incidents.for_causes(found).incident_id,
                    inhibited_by=inhibited.alert_id if inhibited else None,
                    quiet=self._silent(execution.workflow.workflow_id, opening.kind),
                    now=self._now,
                )
            )
        ids = self._store.add_alerts(new)
        added = [
            _as_alert(it, ids[it.workflow_id, it.kind])
            for it in new
            if (it.workflow_id, it.kind) in ids
        ]
        for alert in added:
            self._events.append(
                self._event(alert, AlertEventKind.OPENED, alert.reason, alert.last_run_id)
            )
            if inhibitor is not None and alert.inhibited_by:
                self._events.append(self._inhibition(alert, inhibitor))
            elif alert.quiet:
                self._events.append(self._event(alert, AlertEventKind.NOT_NOTIFIED, alert.quiet))
        return added

    def _is_check(self, opening: Opening, execution: Execution) -> bool:
        check = self._rules.telling.health_check
        return opening.kind is AlertKind.FAILING and execution.workflow.workflow_id == check

    def _explains(self, alert: Alert) -> bool:
        return (
            self._is_left(alert, AlertKind.FAILING)
            and alert.workflow_id == self._rules.telling.health_check
        )

    def _inhibit_by(self, check: Alert) -> None:
        """Let a health check explain what began a moment before it, and was not told yet."""
        dependants = {
            it.alert_id: it
            for it in self._alerts
            if it.kind is AlertKind.FAILING and it.workflow_id != check.workflow_id
        }
        inhibited = self._store.inhibit_alerts(dependants, check.alert_id)
        self._inhibited |= inhibited
        self._events += [self._inhibition(dependants[it], check) for it in sorted(inhibited)]

    def _released(self, resolved: Sequence[Alert]) -> list[Alert]:
        """Return what nobody was told of because of alerts that are over now."""
        checks = [it.alert_id for it in resolved if it.kind is AlertKind.FAILING]
        released = self._store.release_alerts(checks)
        found = self._store.alerts(alert_ids=released) if released else ()
        self._events += [
            self._event(it, AlertEventKind.RELEASED, "what explained it is over") for it in found
        ]
        loud = self._outbox.not_told(it for it in found if not it.quiet)
        for alert in loud:
            self._outbox.tell_nobody([alert], self._quiet(alert))
        return [it for it in loud if not self._quiet(it)]

    def _calmed(self, resolved: Sequence[Alert]) -> list[Alert]:
        """Return what nobody was told of because its workflow was flapping, until now."""
        calm = {it.workflow_id for it in resolved if it.kind is AlertKind.FLAPPING}
        return [
            it
            for it in self._alerts
            if it.workflow_id in calm
            and self._is_left(it, AlertKind.FAILING)
            and it.quiet == FLAPPING
            and not self._quiet(it)
        ]

    def _still_flapping(self, decisions: Sequence[Decision]) -> frozenset[str]:
        """Return the workflows that are flapping once all is decided."""
        known = (it.workflow_id for it in self._alerts if self._is_left(it, AlertKind.FLAPPING))
        return frozenset(known).union(
            workflow_id
            for workflow_id, decision in zip(self._executions, decisions, strict=True)
            if any(it.kind is AlertKind.FLAPPING for it in decision.opened)
        )

    def _is_left(self, alert: Alert, kind: AlertKind) -> bool:
        """Tell whether an alert of a kind was open before and still is."""
        return alert.kind is kind and alert.alert_id not in self._over

    def _quiet(self, alert: Alert) -> str:
        """Tell why nobody is to hear of an alert now; "" if somebody is."""
        return self._silent(alert.workflow_id, alert.kind)

    def _silent(self, workflow_id: str, kind: AlertKind) -> str:
        """Tell why nobody is to hear of a workflow's problem now; "" if somebody is."""
        execution = self._executions.get(workflow_id)
        if not self._session.notifies:
            return NOT_ASKED
        if execution is not None and not execution.workflow.notify_on_failure:
            return SWITCHED_OFF
        return FLAPPING if kind is AlertKind.FAILING and workflow_id in self._flapping else ""

    def _runs(self, run_ids: Iterable[str]) -> dict[str, Execution]:
        """Return executions: those that just came, and others from the store."""
        known = {it.run_id: it for it in self._executions.values()}
        missing = [run_id for run_id in set(run_ids) if run_id not in known]
        if missing:
            known |= {it.run_id: it for it in self._store.executions(missing)}
        return known

    def _inhibition(self, alert: Alert, by: Alert) -> NewEvent:
        reason = f"explained by {by.workflow_name or by.workflow_id}"
        return self._event(alert, AlertEventKind.INHIBITED, reason)

    def _event(
        self, alert: Alert, kind: AlertEventKind, reason: str = "", run_id: str = ""
    ) -> NewEvent:
        return NewEvent(
            alert_id=alert.alert_id,
            at=self._now,
            event_type=kind,
            reason=reason,
            run_id=run_id or None,
        )


def _passes(executions: Iterable[Execution]) -> list[Execution]:
    """Choose the passes that somebody wants to hear of."""
    good = {Status.PASSED, Status.DEGRADED}
    return [it for it in executions if it.workflow.notify_on_success and it.status in good]


def _shown(continuation: Continuation, execution: Execution) -> Shown:
    return Shown(
        alert_id=continuation.alert.alert_id,
        last_run_id=execution.run_id,
        last_status=execution.status,
        failing_step=failing_step(execution),
        causes=causing.causes(execution),
    )


def _new_alert(
    opening: Opening,
    execution: Execution,
    *,
    location: str,
    causes: tuple[str, ...],
    incident_id: int,
    inhibited_by: int | None,
    quiet: str,
    now: datetime,
) -> NewAlert:
    workflow = execution.workflow
    return NewAlert(
        incident_id=incident_id,
        project=execution.project,
        workflow_id=workflow.workflow_id,
        environment=execution.environment,
        kind=opening.kind,
        workflow_name=workflow.name,
        priority=workflow.priority,
        owner=workflow.owner,
        tags=workflow.tags,
        location=location,
        since=opening.first.started_at,
        opened_at=now,
        reason=opening.reason,
        failures=opening.failures,
        first_run_id=opening.first.run_id,
        last_run_id=opening.last.run_id,
        last_status=execution.status,
        fingerprint=opening.last.fingerprint,
        failing_step=failing_step(execution),
        causes=causes,
        quiet=quiet,
        inhibited_by=inhibited_by,
    )


def _as_alert(new: NewAlert, alert_id: int) -> Alert:
    return Alert(alert_id=alert_id, status=AlertStatus.ACTIVE, **asdict(new))
