"""How far a soak has come: kept in its folder, so that it can go on after it was interrupted.

A soak is played in parts. What lies between two of them was not played, and does not count; nor do
slots that were on their way when a part ended.
"""

from __future__ import annotations

from datetime import datetime
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


class SchedulesChangedError(WorkflowMonitorError):
    """The schedules are not those that the soak began with: begin a new one."""


class Plan(Record, frozen=True, kw_only=True):
    """What is to be played: how much time, how quickly, and how often it is told how it goes."""

    seconds: float
    speed: float
    checkpoint_seconds: float
    concurrency: int


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
    """How far a soak has come.

    Attributes:
        plan: What is to be played.
        in_database: Whether its records are in the project's own database.
        is_complete: Whether all of the time was played.
        schedules: The schedules it began with, by workflow.
        parts: What was played.
        vitals: What was measured at checkpoints.
    """

    plan: Plan
    in_database: bool = False
    is_complete: bool = False
    schedules: dict[str, str] = msgspec.field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    vitals: tuple[Vitals, ...] = ()

    @property
    def played_seconds(self) -> float:
        """How much time was played."""
        return sum(it.seconds for it in self.parts)

    def with_last(self, part: Part) -> Progress:
        """Return it with another last part."""
        return replace(self, parts=(*self.parts[:-1], part))


def save(folder: Path, progress: Progress) -> None:
    """Note how far a soak has come."""
    write_atomically(folder / FILE, msgspec.json.encode(progress))


def load(folder: Path) -> Progress | None:
    """Return how far the soak of a folder has come; None if that cannot be known."""
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
