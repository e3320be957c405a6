"""What pages reported, in words."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_workflow_monitor.analysis import events
from pytest_workflow_monitor.model import Event, EventKind
from tests.report import sample


def event(kind: str, **fields: Any) -> Event:
    """Make an event."""
    return Event(kind=EventKind(kind), **({"at_ms": 5.0} | fields))


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (event("console"), "console error"),
        (event("console", level="warning"), "console warning"),
        (event("console", level="info"), "console message"),
        (event("console", level="odd"), "console message"),
        (event("page_error"), "page error"),
        (event("dialog", level="info"), "dialog"),
        (event("request", status_code=404, level="warning"), "failed request"),
        (event("request", failure="refused"), "failed request"),
        (event("request", status_code=200, level="warning"), "slow request"),
        (event("request", status_code=204, level="info"), "request"),
    ],
)
def test_every_event_has_a_name(found: Event, name: str) -> None:
    """And each name can be counted."""
    assert events.event_name(found) == name
    assert name in events.EVENT_NAMES


def test_events_are_counted_worst_first() -> None:
    """Repeated ones count as often as they came."""
    assert events.event_counts(sample.order_events()) == (
        "1 page error, 2 failed requests, 1 slow request, 3 console warnings, 1 dialog"
    )
    assert events.event_counts(()) == ""


def test_an_event_is_told_in_one_line() -> None:
    """The first line of a message; of a request what was asked, and what became of it."""
    lines = [events.event_line(found) for found in sample.order_events()]
    assert lines == [
        "The cookie banner is deprecated (×3)",
        "GET https://market.example/api/products?q=apples → 200 after 2.3 s",
        "POST https://market.example/api/orders → 503 after 5.9 s",
        "TypeError: Cannot read properties of undefined (reading 'number')",
        "GET https://payments.example/widget.js → net::ERR_CONNECTION_REFUSED after 4 ms",
        "alert: Your payment was not accepted.",
    ]


def test_what_led_to_a_failure_are_the_last_errors_before_it() -> None:
    """Without warnings, without what came later, without a browser's echo of a failed request."""
    found = [
        *(event("console", at_ms=n, text=f"{n}") for n in range(1, 6)),
        event("console", at_ms=6, text="Failed to load resource: 503"),
        event("console", at_ms=7, text="careful", level="warning"),
        event("page_error", at_ms=9, text="later"),
    ]
    assert [it.text for it in events.leading_to(found, 8)] == ["3", "4", "5"]


def test_what_led_to_something_slow_are_slow_requests_too() -> None:
    """A warning of another kind is none."""
    slow = event("request", at_ms=1, level="warning", status_code=200, url="/slow")
    odd = event("console", at_ms=2, level="warning", text="odd")
    assert events.leading_to([slow, odd], 8, is_slow=True) == (slow,)
    assert events.leading_to([slow, odd], 8) == ()
