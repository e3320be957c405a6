"""What pages and HTTP clients reported, in the words of the reports."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.model import Event

FIRST_ERROR_STATUS = 400
CONSOLE_ECHO = "Failed to load resource"
MAX_LEADING = 3
EVENT_NAMES = (
    "page error",
    "failed request",
    "console error",
    "slow request",
    "console warning",
    "dialog",
    "request",
    "console message",
)
"""What an event can be, worst first."""


def event_name(event: Event) -> str:
    """Name what an event is, such as ``page error`` or ``failed request``."""
    if event.kind is EventKind.REQUEST:
        if event.failure or (event.status_code or 0) >= FIRST_ERROR_STATUS:
            return "failed request"
        return "slow request" if event.level == "warning" else "request"
    if event.kind is EventKind.CONSOLE:
        word = event.level if event.level in {"error", "warning"} else "message"
        return f"console {word}"
    return {EventKind.PAGE_ERROR: "page error", EventKind.DIALOG: "dialog"}[event.kind]


def event_counts(events: Sequence[Event]) -> str:
    """Count events by name, worst first: ``1 page error, 2 failed requests``."""
    if not events:
        return ""
    counts: Counter[str] = Counter()
    for event in events:
        counts[event_name(event)] += 1 + event.repeated
    known = [name for name in EVENT_NAMES if counts[name]]
    return ", ".join(wording.plural(counts[name], name) for name in known)


def event_line(event: Event) -> str:
    """Say what happened in one line: the message, or method and address with the outcome."""
    if event.kind is not EventKind.REQUEST:
        line = wording.first_line(event.text)
    else:
        code = "" if event.status_code is None else str(event.status_code)
        outcome = event.failure or code
        took = "" if event.duration_ms is None else f"after {wording.duration(event.duration_ms)}"
        words = (event.method, event.url, "→" if outcome else "", outcome, took)
        line = " ".join(filter(None, words))
    return f"{line} (×{event.repeated + 1})" if event.repeated else line


def leading_to(
    events: Sequence[Event], end_ms: float, *, is_slow: bool = False
) -> tuple[Event, ...]:
    """Choose the last errors reported before a moment: what most likely tells the cause.

    Of something slow, slow requests tell it, too. A browser says on its console again what a
    failed request says already; that is left out.
    """
    errors = [
        event
        for event in events
        if (event.level == "error" or (is_slow and event_name(event) == "slow request"))
        and event.at_ms <= end_ms
        and not (event.kind is EventKind.CONSOLE and event.text.startswith(CONSOLE_ECHO))
    ]
    return tuple(errors[-MAX_LEADING:])
