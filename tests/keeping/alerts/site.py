"""A store with sessions that report at the times one names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.alerting.rules import Rules
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Error, Phase, Status, Step
from pytest_workflow_monitor.settings.alert_rules import ChannelRule, Route
from tests.samples import ENVIRONMENT, PROJECT, a_session, a_workflow, an_attempt, an_end, at

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.model import Attempt
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.alerts import Alert

TEAM = ChannelRule(name="team", type="webhook")
RULES = Rules(channels=("team",), routes=(Route(),))


class Site:
    """What sessions report, minute by minute.

    Args:
        store: Where it is stored.
        rules: What alerts are decided by.
    """

    def __init__(self, store: Store, rules: Rules = RULES) -> None:
        self.store = store
        self.rules = rules

    def report(
        self,
        minute: float,
        *attempts: Attempt,
        notifies: bool = True,
        now: datetime | None = None,
        **session: Any,
    ) -> None:
        """Let a session report attempts as of a minute."""
        ingest(
            self.store,
            a_session(started_at=at(minute * 60), notifies=notifies, **session),
            Batch(attempts=attempts, ended=an_end(minute * 60 + 30)),
            self.rules,
            now=now or at(minute * 60 + 30),
        )

    def alerts(self, *, open_only: bool = True) -> list[Alert]:
        """Return the alerts, oldest first."""
        return list(self.store.alerts(project=PROJECT, open_only=open_only))[::-1]

    def states(self) -> list[tuple[str, str, str]]:
        """Return workflow, kind and status of every alert, oldest first."""
        return [
            (it.workflow_id, it.kind.value, it.status.value) for it in self.alerts(open_only=False)
        ]

    def story(self, alert_id: int) -> list[str]:
        """Return what happened to an alert."""
        return [it.kind.value for it in self.store.alert_events([alert_id])]

    def outbox(self) -> list[tuple[str, str, str]]:
        """Return channel, kind and status of every message, oldest first."""
        rows = self.store.connection.execute(
            "SELECT channel, notification_type, delivery_status"
            " FROM workflow_monitor.notification_logs ORDER BY created_at, notification_id"
        ).fetchall()
        return [(it["channel"], it["notification_type"], it["delivery_status"]) for it in rows]


def passed(minute: float, workflow_id: str = "login", **fields: Any) -> Attempt:
    """Return an attempt that passed."""
    return an_attempt(a_workflow(workflow_id), started_at=at(minute * 60), **fields)


def failed(
    minute: float,
    workflow_id: str = "login",
    *,
    step: str = "Log in",
    error: str = "it broke",
    **workflow: Any,
) -> Attempt:
    """Return an attempt that failed in a step with an error of its own fingerprint."""
    return an_attempt(
        a_workflow(workflow_id, **workflow),
        started_at=at(minute * 60),
        status=Status.FAILED,
        steps=(Step(index=0, name=step, status=Status.FAILED, duration_ms=1.0),),
        errors=(Error(phase=Phase.CALL, type="E", message=error, fingerprint=error),),
    )


def minutes(count: float) -> timedelta:
    """Return so many minutes."""
    return timedelta(minutes=count)


SCOPE = PROJECT, ENVIRONMENT
