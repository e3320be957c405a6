"""Schedules of CI systems, which know one zone: UTC."""

from __future__ import annotations

from itertools import pairwise, product
from typing import TYPE_CHECKING

from pytest_workflow_monitor.schedule.export.asking import Spelled
from pytest_workflow_monitor.schedule.export.cron_text import cron_text
from pytest_workflow_monitor.schedule.export.timing import (
    RefusedError,
    Timing,
    in_zone,
    moved,
    standard_shift,
    timing_of,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.schedule.export.asking import Request

_MINUTES_A_DAY = 1440


def in_utc(workflow: Workflow, request: Request, *, least_minutes: int) -> Spelled:
    """Write a schedule in UTC; where its zone changes its clocks, by the zone's winter time.

    Args:
        workflow: One with a schedule.
        request: What is asked for.
        least_minutes: The shortest interval that the CI system keeps.

    Raises:
        RefusedError: It cannot be written so, or comes more often.
    """
    timing = timing_of(workflow, whole_minutes=True)
    exact = in_zone(timing, "UTC", request.now)
    found, note = exact or _in_winter(timing, request), ""
    if exact is None:
        note = (
            f"by the winter time of {timing.zone}: while clocks are forward there, it runs at "
            "another hour of the wall clock"
        )
    lines = tuple(cron_text(it, can_both=False) for it in found.fields)
    if _shortest(found) < least_minutes:
        raise RefusedError(f"it runs more often than every {least_minutes} minutes")
    return Spelled(lines=lines, zone="UTC", note=note)


def _in_winter(timing: Timing, request: Request) -> Timing:
    fields = moved(timing.fields, standard_shift(timing.zone, request.now))
    if fields is None:
        raise RefusedError("in UTC it begins on another day, which cron cannot say of these days")
    return Timing(fields=fields, zone="UTC")


def _shortest(timing: Timing) -> int:
    """Return the fewest minutes between two times of a day, or over midnight."""
    times = sorted(
        {
            hour * 60 + minute
            for it in timing.fields
            for hour, minute in product(it.hours, it.minutes)
        }
    )
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return min([*gaps, times[0] + _MINUTES_A_DAY - times[-1]])
