"""When maintenance was, for each workflow."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

from pytest_workflow_monitor.alerting.matching import matches
from pytest_workflow_monitor.analysis.service_levels import united

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.alerting.matching import Facts
    from pytest_workflow_monitor.analysis.service_levels import Span
    from pytest_workflow_monitor.settings.alert_rules import Maintenance


class Breaks:
    """The times at which maintenance windows were open, until an instant.

    As with alerts, a window opens at each time of its expression in its zone, and stays open for
    its duration in real time, whatever the clocks do meanwhile. What reads cron expressions is
    imported only where there are windows.
    """

    def __init__(self, maintenance: Sequence[Maintenance], end: datetime) -> None:
        self._maintenance = maintenance
        self._end = end
        self._openings: dict[tuple[str, datetime], list[Span]] = {}
        self._united: dict[tuple[tuple[str, ...], datetime], tuple[Span, ...]] = {}

    def of(self, facts: Facts, start: datetime) -> tuple[Span, ...]:
        """Return the times of maintenance of a workflow since an instant, none of them twice."""
        windows = [it for it in self._maintenance if matches(it.match, facts)]
        if not windows:
            return ()
        known = tuple(it.name for it in windows), start
        if known not in self._united:
            spans = [span for it in windows for span in self._open(it, start)]
            self._united[known] = tuple(united(spans, start, self._end))
        return self._united[known]

    def _open(self, window: Maintenance, start: datetime) -> list[Span]:
        known = window.name, start
        if known not in self._openings:
            self._openings[known] = list(_openings(window, start, self._end))
        return self._openings[known]


def _openings(window: Maintenance, start: datetime, end: datetime) -> list[Span]:
    from pytest_workflow_monitor import cron

    lasting = timedelta(seconds=window.duration_seconds)
    times = cron.times(window.cron, window.timezone, start - lasting, window.name)
    return [(opened, opened + lasting) for opened in takewhile(lambda at: at < end, times)]
