"""What an attempt has to tell beside how it ended, while it is being made."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.model import Artifact, Error, Event, Metric, Page, Status
from pytest_workflow_monitor.recording.context import enclosing_step

if TYPE_CHECKING:
    from pytest_workflow_monitor.recording.recorder import Recorder


class OpenStep:
    """A step between its start and its end."""

    __slots__ = (
        "ended_ns",
        "error_message",
        "groups",
        "index",
        "name",
        "optional",
        "outer",
        "parent",
        "phase",
        "pictured",
        "recorder",
        "shadowed",
        "slower_than",
        "started_ns",
        "status",
    )

    def __init__(
        self, recorder: Recorder, name: str, *, optional: bool, slower_than: float | None
    ) -> None:
        self.recorder = recorder
        self.name = name
        self.optional = optional
        self.slower_than = slower_than
        self.index = -1
        self.outer = enclosing_step(recorder)
        self.parent = kept_index(self.outer)
        self.phase = recorder.phase
        self.status = Status.RUNNING
        self.error_message = ""
        self.groups: list[Any] = []
        self.pictured: BaseException | None = None
        self.shadowed: OpenStep | None = None
        self.ended_ns = 0
        self.started_ns = 0


class Details:
    """What an attempt has to tell beside how it ended; many of a large suite have nothing.

    Attributes:
        requests: Of each API request how long it took, in milliseconds, and whether it failed.
    """

    __slots__ = (
        "artifacts",
        "degraded",
        "errors",
        "events",
        "events_dropped",
        "indexes",
        "labels",
        "metrics",
        "pages",
        "requests",
        "steps",
    )

    def __init__(self) -> None:
        self.artifacts: list[Artifact] = []
        self.degraded: list[str] = []
        self.errors: list[Error] = []
        self.events: list[Event] = []
        self.events_dropped = 0
        self.indexes = count()
        self.labels: dict[str, str] = {}
        self.metrics: list[Metric] = []
        self.pages: list[Page] = []
        self.requests: list[tuple[float, bool]] = []
        self.steps: list[OpenStep] = []


def kept_index(step: OpenStep | None) -> int | None:
    """The index of a step; None for none, and for one beyond the number that is kept."""
    return step.index if step is not None and step.index >= 0 else None
