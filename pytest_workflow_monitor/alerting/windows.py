"""Maintenance windows: which of them are open.

What reads cron expressions is imported only where there are windows: every shipper comes by here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.alerting.sending import Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pytest_workflow_monitor.settings.alert_rules import Maintenance

_RESOLUTION = timedelta(microseconds=1)


def open_windows(maintenance: Sequence[Maintenance], now: datetime) -> tuple[Window, ...]:
    """Return the windows that are open, each until it closes.

    A window opens at each time of its cron expression in its zone and stays open for its duration
    in real time, whatever the clocks do meanwhile. One that opens again while it is open closes
    after the last of these times.

    Args:
        maintenance: All windows.
        now: The instant; a window is open from the instant at which it opens, and closed at the
            one at which it closes.
    """
    if not maintenance:
        return ()
    from pytest_workflow_monitor import cron

    found = []
    for it in maintenance:
        opened_at = cron.previous_time(it.cron, it.timezone, now + _RESOLUTION, it.name)
        until = opened_at + timedelta(seconds=it.duration_seconds)
        if now < until:
            found.append(Window(name=it.name, match=it.match, until=until))
    return tuple(found)
