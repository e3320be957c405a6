"""What is watched of browsers, by the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.recording.browser.events import PageEvents
from pytest_workflow_monitor.recording.browser.passwords import PasswordFields
from pytest_workflow_monitor.recording.browser.pictures import Pictures
from pytest_workflow_monitor.recording.browser.references import FOLDER, References
from pytest_workflow_monitor.recording.browser.steps import StepEvidence
from pytest_workflow_monitor.recording.browser.watch import BrowserWatch

if TYPE_CHECKING:
    from pytest_workflow_monitor.recording.measurements.attempt import Measurements
    from pytest_workflow_monitor.settings import Settings


def watch(settings: Settings, measurements: Measurements) -> BrowserWatch:
    """Return the watch over browsers, with all who look at the pages of a test."""
    resources, vitals = measurements.of_browsers()
    return BrowserWatch(
        [resources, PasswordFields(), PageEvents(settings.slow_request_seconds), vitals]
    )


def step_evidence(settings: Settings, tracing: str) -> StepEvidence:
    """Return what steps are to leave behind; ``tracing`` is that option of pytest-playwright."""
    references = References(settings.state_path / FOLDER, settings.environment)
    pictures = Pictures(
        of_passes=settings.step_screenshots == "on" or references,
        mask_selectors=settings.mask_selectors,
    )
    return StepEvidence(
        is_tracing=tracing != "off",
        pictures=None if settings.step_screenshots == "off" else pictures,
    )
