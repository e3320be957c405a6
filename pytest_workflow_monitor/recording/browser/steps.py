"""What the steps of a test leave in the browsers it has open: groups in traces, and screenshots."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING

from pytest_workflow_monitor.recording.browser.groups import (
    close_groups,
    close_groups_async,
    open_groups,
    open_groups_async,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.recording.browser.pictures import Pictures
    from pytest_workflow_monitor.recording.details import OpenStep


class StepEvidence:
    """What is wanted of the steps of this process.

    Args:
        is_tracing: Whether contexts are being traced, so that steps show as groups.
        pictures: Takes the screenshots; None for never.
    """

    def __init__(self, *, is_tracing: bool = False, pictures: Pictures | None = None) -> None:
        self.is_tracing = is_tracing
        self.pictures = pictures


def enter(step: OpenStep) -> None:
    """A step began while a browser context is open."""
    if step.recorder.equipment.step_evidence.is_tracing:
        open_groups(step)


def leave(step: OpenStep, error: BaseException | None) -> None:
    """A step ends, by an exception or without; what is done here does not count as its time."""
    step.ended_ns = perf_counter_ns()
    pictures = step.recorder.equipment.step_evidence.pictures
    if pictures is not None and pictures.are_wanted(step, error):
        pictures.take(step)
    close_groups(step)


async def enter_async(step: OpenStep) -> None:
    """Do as :func:`enter` for either API."""
    if step.recorder.equipment.step_evidence.is_tracing:
        await open_groups_async(step)


async def leave_async(step: OpenStep, error: BaseException | None) -> None:
    """Do as :func:`leave` for either API."""
    step.ended_ns = perf_counter_ns()
    pictures = step.recorder.equipment.step_evidence.pictures
    if pictures is not None and pictures.are_wanted(step, error):
        await pictures.take_async(step)
    await close_groups_async(step)
