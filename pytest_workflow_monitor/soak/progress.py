"""How far the stretches of a soak have come: kept in a folder each, so that they can go on.

A soak is one stretch of time, or cut into several that are played at once. A stretch is played in
parts: one, and one more for each time it was interrupted. What lies between two of them was not
played, and does not count; nor do slots that were on their way when a part ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pytest_workflow_monitor.errors import WorkflowMonitorError
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.report.files import write_atomically
from pytest_workflow_monitor.schedule.rules import grace_of
from pytest_workflow_monitor.soak.account import SlotKey
from pytest_workflow_monitor.soak.expectation import Expected, expect
from pytest_workflow_monitor.soak.vitals import Vitals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pytest_workflow_monitor.model import Workflow

FILE = "progress.json"
APART_SECONDS = 13.0
"""Stretches do not begin at once: else slots of them all would be due at the same moments."""


class SchedulesChangedError(WorkflowMonitorError):
    """The schedules are not those that the soak began with: begin a new one."""


class Plan(Record, frozen=True, kw_only=True):
    """What is to be played: how much time, how quickly, and how often it is told how it goes.

    The time is cut into as many ``stretches`` of the same length, which are played at once.
    """

    seconds: float
    speed: float
    checkpoint_seconds: float
    concurrency: int
    stretches: int = 1

    @property
    def stretch_seconds(self) -> float:
        """How much time a stretch has."""
        return self.seconds / self.stretches

    @property
    def apart_seconds(self) -> float:
        """How many real seconds after the one before it a stretch begins."""
        return min(APART_SECONDS, self.stretch_seconds / self.speed / self.stretches)


class Part(Record, frozen=True, kw_only=True):
    """What was played at a stretch.

    Attributes:
        began_at: From when on slots were expected, as played.
        ended_at: Until when.
        really_began_at: The same as ``began_at`` in real time.
        real_seconds: How long it took.
        cut_off: The slots that were on their way when it ended.
        problem: What ended it, other than somebody who wanted so, or a kill.
    """

    began_at: datetime
    ended_at: datetime
    really_began_at: datetime
    real_seconds: float = 0.0
    cut_off: tuple[SlotKey, ...] = ()
    problem: str = ""

    @property
    def seconds(self) -> float:
        """How much time was played."""
        return (self.ended_at - self.began_at).total_seconds()


class Progress(Record, frozen=True, kw_only=True):
    """How far a stretch of a soak has come.

    Attributes:
        plan: What is to be played.
        stretch: Which of the plan's stretches this is, from 0.
        in_database: Whether its records are in the project's own database.
        is_complete: Whether all of its time was played.
        schedules: The schedules it began with, by workflow.
        parts: What was played.
        vitals: What was measured at checkpoints.
    """

    plan: Plan
    stretch: int = 0
    in_database: bool = False
    is_complete: bool = False
    schedules: dict[str, str] = msgspec.field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    vitals: tuple[Vitals, ...] = ()

    @property
    def played_seconds(self) -> float:
        """How much time was played."""
        return sum(it.seconds for it in self.parts)

    @property
    def real_seconds(self) -> float:
        """How long that took."""
        return sum(it.real_seconds for it in self.parts)

    @property
    def left_seconds(self) -> float:
        """How much time is still to be played."""
        return self.plan.stretch_seconds - self.played_seconds

    def with_another(self, really_begins_at: datetime, begins_at: datetime) -> Progress:
        """Return it with another part, in which all that is left is to be played."""
        part = Part(
            began_at=begins_at,
            ended_at=begins_at + timedelta(seconds=self.left_seconds),
            really_began_at=really_begins_at,
        )
        return replace(self, parts=(*self.parts, part))

    def with_last(self, part: Part) -> Progress:
        """Return it with another last part."""
        return replace(self, parts=(*self.parts[:-1], part))


def save(folder: Path, progress: Progress) -> None:
    """Note in its folder how far a stretch has come."""
    write_atomically(folder / FILE, msgspec.json.encode(progress))


def load(folder: Path) -> Progress | None:
    """Return how far the stretch of a folder has come; None if that cannot be known."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Progress)
    except (OSError, msgspec.MsgspecError):
        return None


def schedules_of(workflows: Iterable[Workflow]) -> dict[str, str]:
    """Return what tells whether the schedules of workflows are still the same."""
    return {
        it.workflow_id: f"{it.cron or it.every_seconds} {it.timezone} {grace_of(it):g}"
        for it in workflows
    }


def expect_in(workflows: Sequence[Workflow], parts: Sequence[Part]) -> Mapping[str, Expected]:
    """Work out the slots of workflows in the parts of a soak; those between do not count."""
    cut_off = {key for part in parts for key in part.cut_off}
    found = expect(workflows, parts[0].began_at, parts[-1].ended_at)
    return {
        workflow_id: replace(
            it,
            left_out=frozenset(
                slot_at
                for slot_at in it.slots
                if (workflow_id, slot_at) in cut_off or not _is_played(slot_at, parts)
            ),
        )
        for workflow_id, it in found.items()
    }


def _is_played(slot_at: datetime, parts: Sequence[Part]) -> bool:
    return any(part.began_at < slot_at <= part.ended_at for part in parts)
