"""Gathers the measurements of an attempt when it has ended, and holds them against budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Metric
from pytest_workflow_monitor.recording.measurements import budgets, requests, resources
from pytest_workflow_monitor.words.metric_names import ATTEMPT_UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.recording.browser.watch import Observer
    from pytest_workflow_monitor.recording.measurements.resources import BrowserResources
    from pytest_workflow_monitor.recording.measurements.vitals import Vitals
    from pytest_workflow_monitor.recording.recorder import Recorder


class Measurements:
    """What is measured of each attempt that has a browser or makes API requests.

    Other attempts cost a call at their beginning and end, and get no metrics.

    Args:
        budgets: The limits that the settings give for all workflows, by the metrics' names.
    """

    def __init__(self, budgets: Mapping[str, float]) -> None:
        self._budgets = budgets
        self._vitals: Vitals | None = None
        self._browsers: BrowserResources | None = None

    def of_browsers(self) -> tuple[Observer, Observer]:
        """Measure browsers, too, by two observers.

        The first works beside all others. The second waits for the browser, so that it comes last.
        """
        from pytest_workflow_monitor.recording.measurements.resources import BrowserResources
        from pytest_workflow_monitor.recording.measurements.vitals import Vitals

        self._browsers, self._vitals = BrowserResources(), Vitals()
        return self._browsers, self._vitals

    def complete(self, recorder: Recorder, *, is_pass: bool) -> None:
        """Add the metrics of an attempt that is over to it; what is beyond a budget degrades it.

        Args:
            recorder: The attempt.
            is_pass: Whether nothing failed and nothing was skipped, so that all should be measured.
        """
        has_browser = self._browsers is not None and self._browsers.is_of(recorder)
        details = recorder.details
        if has_browser or details.requests:
            self._measure(recorder, has_browser=has_browser)
        limits = recorder.workflow.budgets
        if self._budgets:
            limits = {**self._budgets, **limits}
        if limits:
            details.metrics, reasons = budgets.judge(details.metrics, limits)
            if is_pass:
                reasons += budgets.unmeasured(details.metrics, recorder.workflow.budgets)
            for reason in reasons:
                recorder.degrade(reason)

    def _measure(self, recorder: Recorder, *, has_browser: bool) -> None:
        details = recorder.details
        found = requests.response_times(details.requests) | requests.failures(recorder)
        if has_browser and self._vitals is not None and self._browsers is not None:
            details.metrics += self._vitals.metrics(recorder)
            found["network_bytes"] = float(self._vitals.network_bytes(recorder))
            found |= self._browsers.taken(recorder)
        else:
            del found["console_errors"]  # there was nothing that could have reported any
        found |= resources.of_process(recorder.cpu_since)
        now = recorder.elapsed_ms()
        details.metrics += [
            Metric(name=name, value=round(found[name], 4), unit=unit, recorded_ms=now)
            for name, unit in ATTEMPT_UNITS.items()
            if name in found
        ]
