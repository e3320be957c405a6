"""Sample messages of each kind, to try channels with and to see what they will look like."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.analysis.wording import MONTHS
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.notify.messages import (
    Attachment,
    Figure,
    Item,
    Message,
    Picture,
    Point,
)
from pytest_workflow_monitor.words.alerts import AlertKind, NotificationKind
from pytest_workflow_monitor.words.period_report import Tone

if TYPE_CHECKING:
    from collections.abc import Callable

_AREAS = ("Checkout", "Search", "Account", "Catalogue", "Returns", "Newsletter", "Gift cards")
_COUNTRIES = ("Germany", "France", "Italy", "Spain", "Poland", "Austria", "Belgium", "Sweden")
MANY = 56


def samples(
    project: str, environment: str, at: datetime, *, key: str, picture: Picture | None = None
) -> dict[str, Message]:
    """Return a message of each kind by its name, in the order of an incident's life.

    Args:
        project: Whose messages they are.
        environment: The environment they tell of.
        at: When they are composed.
        key: What makes their keys their own, such as a UUID.
        picture: A screenshot for the failure.
    """
    frame = Message(
        key=key,
        thread_key=f"{project}/{environment}/sample-{key}",
        kind=NotificationKind.OPENED,
        title="",
        project=project,
        environment=environment,
        at=at,
        report_url="https://reports.example.com/shop/2031",
        is_test=True,
    )
    made = {}
    for name, make in SAMPLES.items():
        item = _pay(at, picture)
        made[name] = msgspec.structs.replace(make(frame, item), key=f"{key}-{name}")
    return made


def _pay(at: datetime, picture: Picture | None) -> Item:
    return Item(
        alert_id=4711,
        kind=AlertKind.FAILING,
        state="failing",
        workflow_id="order-placement",
        name="Order placement",
        priority=Priority.CRITICAL,
        since=at - timedelta(minutes=12),
        lasted="12 min",
        status_word="Failed",
        how_often="2 times in the 30 days before, last 3 Nov 09:10 UTC; "
        "3 of the last 20 runs failed",
        duration="9.8 s, normally 4.2 s",
        failing_step="Pay › Submit the card",
        failed_steps=("Pay", "Submit the card"),
        steps_total=7,
        error=(
            'AssertionError: Locator expected to have text "Thank you"',
            "Actual value: Service <unavailable> & try again",
            '    expect(page.get_by_role("heading")).to_have_text("Thank you")',
        ),
        cause="payments.example.com does not answer",
        reason="3 failures in a row",
        owner="shop-team",
        runbook="https://wiki.example.com/runbooks/payments",
        evidence_url="https://reports.example.com/shop/2031#order-placement",
        picture=picture,
        run_id="01939a5e-7c1f-7d55-9a3b-2f6c1e0d8b47",
    )


def _failure(frame: Message, item: Item) -> Message:
    return msgspec.structs.replace(
        frame,
        title=f"Order placement fails in {frame.environment}",
        priority=Priority.CRITICAL,
        mention=True,
        items=(item,),
        counts={"failing": 1},
    )


def _incident(frame: Message, item: Item) -> Message:
    names = ("Order placement", "Guest checkout", "Gift card", "Refund", "Invoice", "Subscription")
    items = tuple(
        msgspec.structs.replace(
            item,
            alert_id=item.alert_id + number,
            workflow_id=name.lower().replace(" ", "-"),
            name=name,
            priority=Priority.CRITICAL if number == 0 else Priority.HIGH,
            picture=item.picture if number == 0 else None,
        )
        for number, name in enumerate(names)
    )
    return msgspec.structs.replace(
        frame,
        thread_key=f"{frame.thread_key}-2",
        title=f"payments.example.com does not answer: 6 workflows in {frame.environment}",
        priority=Priority.CRITICAL,
        mention=True,
        items=items,
        counts={"failing": 6},
    )


def _reminder(frame: Message, item: Item) -> Message:
    later = msgspec.structs.replace(item, lasted="42 min", how_often="9 of the last 20 runs failed")
    return msgspec.structs.replace(
        _failure(frame, later), kind=NotificationKind.REMINDER, note="nobody has acknowledged"
    )


def _escalation(frame: Message, item: Item) -> Message:
    return msgspec.structs.replace(
        _failure(frame, item),
        kind=NotificationKind.ESCALATION,
        note="not acknowledged for 15 min",
    )


def _acknowledged(frame: Message, item: Item) -> Message:
    seen = msgspec.structs.replace(item, state="acknowledged")
    return msgspec.structs.replace(
        _failure(frame, seen),
        kind=NotificationKind.ACKNOWLEDGED,
        mention=False,
        actor="maria",
        note="the payment provider is working on it",
        counts={"acknowledged": 1},
    )


def _resolved(frame: Message, item: Item) -> Message:
    over = msgspec.structs.replace(item, state="resolved", lasted="58 min", status_word="Passed")
    return msgspec.structs.replace(
        _failure(frame, over),
        kind=NotificationKind.RESOLVED,
        title="Order placement works again after 58 min",
        mention=False,
        is_good=True,
        counts={"resolved": 1},
    )


def _flapping(frame: Message, item: Item) -> Message:
    unsteady = msgspec.structs.replace(
        item,
        kind=AlertKind.FLAPPING,
        priority=Priority.MEDIUM,
        how_often="7 changes in the last 20 runs",
        reason="35 % of the last 20 runs changed its state; quiet until it is below 5 %",
        picture=None,
    )
    return msgspec.structs.replace(
        _failure(frame, unsteady),
        thread_key=f"{frame.thread_key}-3",
        title=f"Order placement is flapping in {frame.environment}",
        priority=Priority.MEDIUM,
        mention=False,
    )


def _digest(frame: Message, item: Item) -> Message:
    items = tuple(
        msgspec.structs.replace(
            item,
            alert_id=item.alert_id + number,
            name=f"{_AREAS[number % len(_AREAS)]} in {_COUNTRIES[number // len(_AREAS)]}",
            state="resolved" if number % 4 == 3 else "failing",  # noqa: PLR2004 - every fourth
            priority=Priority.LOW,
            picture=None,
        )
        for number in range(MANY)
    )
    resolved = sum(it.state == "resolved" for it in items)
    return msgspec.structs.replace(
        frame,
        kind=NotificationKind.DIGEST,
        thread_key=f"{frame.thread_key}-4",
        title=f"{MANY} alerts in {frame.environment} since 13:20",
        priority=Priority.LOW,
        note="the channel's limit of 10 messages an hour is reached",
        items=items,
        counts={"failing": MANY - resolved, "resolved": resolved},
    )


def _summary(frame: Message, item: Item) -> Message:
    day = frame.at - timedelta(days=1)
    return msgspec.structs.replace(
        frame,
        kind=NotificationKind.SUMMARY,
        thread_key=f"{frame.thread_key}-5",
        title="98.6 % of 1,152 executions passed; 1 incident, still open",
        word="Daily report",
        tone=Tone.BAD,
        note=f"{day:%A} {day.day} {MONTHS[day.month - 1]} {day.year} (UTC)",
        figures=(
            Figure(label="Success rate", value="98.6 % (−0.9 points)"),
            Figure(label="Executions", value="1,152"),
            Figure(label="Incidents", value="1 (+1)"),
            Figure(label="Mean time to detect", value="3 min 10 s"),
            Figure(label="Median duration", value="1.2 s (+57 ms)"),
            Figure(label="Errors", value="1 new error"),
        ),
        points=(
            Point(
                text="product-search p95 rose from 1.5 s to 2.1 s since 12 Nov 14:20",
                detail="The step Search explains 0.6 s of it: 0.4 s before, 1.0 s since.",
                tone=Tone.DOUBTFUL,
                command="workflow-monitor history product-search",
            ),
            Point(text=f"{item.name} fails since 09:12: {item.cause}", tone=Tone.BAD),
        ),
        attachment=Attachment(
            name="daily-sample.html",
            content_type="text/html",
            data=b"<!doctype html><html lang=en><title>A sample</title><p>A report comes as a "
            b"page like this one.</p></html>",
        ),
    )


SAMPLES: dict[str, Callable[[Message, Item], Message]] = {
    "failure": _failure,
    "reminder": _reminder,
    "escalation": _escalation,
    "acknowledged": _acknowledged,
    "resolved": _resolved,
    "incident": _incident,
    "flapping": _flapping,
    "digest": _digest,
    "summary": _summary,
}
