"""One alert on a terminal: what is wrong, what happened, who was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import summary, wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.model import Execution, Record, Status
from pytest_workflow_monitor.words.alert_causes import in_words
from pytest_workflow_monitor.words.alerts import (
    Alert,
    AlertEvent,
    AlertKind,
    AlertStatus,
    DeliveryStatus,
    Incident,
    Notification,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import Console, RenderableType
    from rich.text import Text

    from pytest_workflow_monitor.store import Store

KIND_WORDS = {
    AlertKind.FAILING: "fails",
    AlertKind.DEGRADED: "degraded",
    AlertKind.FLAPPING: "flapping",
    AlertKind.MASKED: "masked failure",
    AlertKind.MISSED: "did not run",
    AlertKind.RUNNER: "part of the monitoring",
    AlertKind.BURNING: "error budget",
}
STATUS_MARKS = {
    AlertStatus.ACTIVE: ("✗", display.STYLES[Status.FAILED]),
    AlertStatus.ACKNOWLEDGED: ("✗", display.STYLES[Status.DEGRADED]),
    AlertStatus.RESOLVED: ("✓", display.STYLES[Status.PASSED]),
}
SHOWN_SIBLINGS = 10
DELIVERY_STYLES = {
    DeliveryStatus.SUCCEEDED: display.STYLES[Status.PASSED],
    DeliveryStatus.FAILED: display.STYLES[Status.FAILED],
    DeliveryStatus.HELD: display.STYLES[Status.DEGRADED],
}


def status(alert: Alert) -> Text:
    """Show where an alert is in its life, with its mark."""
    mark, style = STATUS_MARKS[alert.status]
    return display.line("").append(f"{mark} {alert.status.value}", style)


class Story(Record, frozen=True, kw_only=True):
    """Everything about one alert.

    ``siblings`` are the other alerts of its incident, ``explains`` those that are open because of
    it, and ``explained_by`` the one that it is open because of. ``execution`` is the latest that
    shows the problem; None when there is none.
    """

    alert: Alert
    events: tuple[AlertEvent, ...]
    messages: tuple[Notification, ...]
    incident: Incident
    siblings: tuple[Alert, ...] = ()
    explains: tuple[Alert, ...] = ()
    explained_by: Alert | None = None
    execution: Execution | None = None

    @classmethod
    def read(cls, store: Store, alert: Alert) -> Story:
        """Read it from the database."""
        together = store.alerts(incident_ids=[alert.incident_id])
        above = store.alerts(alert_ids=[alert.inhibited_by]) if alert.inhibited_by else ()
        return cls(
            alert=alert,
            events=store.alert_events([alert.alert_id]),
            messages=store.incident_messages([alert.incident_id]),
            incident=store.incidents([alert.incident_id])[0],
            siblings=tuple(it for it in together if it.alert_id != alert.alert_id),
            explains=store.alerts(inhibited_by=[alert.alert_id], open_only=True),
            explained_by=above[0] if above else None,
            execution=store.execution(alert.last_run_id) if alert.last_run_id else None,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for programs; other alerts by their ids."""
        return asdict(self.alert) | {
            "incident": asdict(self.incident),
            "events": [asdict(it) for it in self.events],
            "messages": [asdict(it) for it in self.messages],
            "siblings": [it.alert_id for it in self.siblings],
            "explains": [it.alert_id for it in self.explains],
        }


class AlertPage:
    """What ``alerts show`` prints.

    Args:
        story: The alert.
        now: The time.
    """

    def __init__(self, story: Story, now: datetime) -> None:
        self._story = story
        self._alert = story.alert
        self._now = now

    def print_on(self, console: Console) -> None:
        """Print it, from what is wrong to who was told."""
        for part in (*self._head(), *self._events(), *self._messages()):
            console.print(part, soft_wrap=getattr(part, "no_wrap", None))

    def _head(self) -> Iterator[RenderableType]:
        alert = self._alert
        verdict = status(alert)
        verdict.append(f"  {display.printable(alert.workflow_id)}", "bold")
        verdict.append(f"  {display.printable(alert.workflow_name)}")
        yield verdict
        yield display.line(f"{KIND_WORDS[alert.kind]} in {alert.environment}: {alert.reason}")
        yield display.line("")
        yield display.facts(self._facts())
        if self._story.execution is not None:
            yield display.line("")
            yield from _execution(self._story.execution, self._now)

    def _facts(self) -> Iterator[tuple[str, str | Text]]:
        alert, story = self._alert, self._story
        yield "Alert", f"{alert.alert_id}, priority {alert.priority}"
        yield "Since", f"{display.full_when(alert.since)}, {self._lasted()}"
        yield "Failed", f"{alert.failures:,}×" + _last(alert)
        if alert.failing_step:
            yield "Step", alert.failing_step
        if alert.owner:
            yield "Owner", alert.owner
        if alert.location:
            yield "Seen from", alert.location
        if alert.acknowledged_at is not None:
            yield (
                "Taken over",
                f"{alert.acknowledged_by}, {display.full_when(alert.acknowledged_at)}",
            )
        if alert.resolved_at is not None:
            yield "Resolved", f"{alert.resolved_by}, {display.full_when(alert.resolved_at)}"
        if alert.quiet:
            yield "Not told", alert.quiet
        if story.explained_by is not None:
            yield "Explained", f"by {_named([story.explained_by])}"
        if story.explains:
            yield "Explains", _named(story.explains)
        yield "Incident", self._incident()

    def _lasted(self) -> str:
        until = self._alert.resolved_at or self._now
        said = wording.duration((until - self._alert.since).total_seconds() * 1000)
        return f"for {said}" if self._alert.is_open else f"lasted {said}"

    def _incident(self) -> str:
        story = self._story
        number = str(story.incident.incident_id)
        if not story.siblings:
            return number
        causes = " or ".join(map(in_words, story.incident.causes[:1]))
        together = f"{number}, with {_named(story.siblings)}"
        return f"{together}: {causes}" if causes else together

    def _events(self) -> Iterator[RenderableType]:
        yield display.line("")
        yield display.listing(
            f"What happened ({display.times()})",
            ["=When", "=Event", "Who", "Why"],
            [
                [
                    display.when(it.at, self._now),
                    it.kind.value.replace("_", " "),
                    it.actor,
                    it.reason,
                ]
                for it in self._story.events
            ],
        )

    def _messages(self) -> Iterator[RenderableType]:
        yield display.line("")
        if not self._story.messages:
            yield display.line("No message was written.", "dim")
            return
        yield display.listing(
            "Messages",
            ["Channel", "=About", "=Status", ">Tries", "=When", "Why"],
            [
                [
                    it.channel,
                    it.kind.value,
                    display.line(it.status.value.lower(), DELIVERY_STYLES.get(it.status, "")),
                    str(_tries(it)),
                    display.when(it.sent_at or it.not_before, self._now),
                    it.reason or it.last_error or it.note,
                ]
                for it in self._story.messages
            ],
        )


def _tries(message: Notification) -> int:
    """Count the tries: those that failed, and the one that did not."""
    return message.retry_count + (message.status is DeliveryStatus.SUCCEEDED)


def _last(alert: Alert) -> str:
    if alert.last_status is None:
        return ""
    return f", the last time: {wording.STATUS_WORDS[alert.last_status].lower()}"


def _named(found: tuple[Alert, ...] | list[Alert]) -> str:
    """Name alerts by workflow and number: ``login (12), cart (13) and 4 more``."""
    shown = ", ".join(f"{it.workflow_id} ({it.alert_id})" for it in found[:SHOWN_SIBLINGS])
    more = len(found) - SHOWN_SIBLINGS
    return f"{shown} and {more} more" if more > 0 else shown


def _execution(execution: Execution, now: datetime) -> Iterator[RenderableType]:
    """Say how the latest execution ended, and how to see all of it."""
    verdict = display.line("Latest execution: ").append_text(
        display.status(execution.status, is_flaky=execution.is_flaky)
    )
    yield verdict.append(f" {display.when(execution.started_at, now)}")
    reason = summary.reason(execution)
    if reason:
        yield display.line(f"  {reason}")
    yield display.verbatim(f"  workflow-monitor show {execution.run_id}", "dim")
