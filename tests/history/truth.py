"""What is planted in a history, as data that tests can ask."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.model import Error, Phase, Status
from pytest_workflow_monitor.recording.errors import fingerprint

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How a workflow fails: in which step, with which error, and how long that takes.

    ``url`` is a request that got no answer (status 503), which ties workflows together.
    """

    workflow_id: str
    step: str
    type: str
    message: str
    status: Status = Status.FAILED
    takes_ms: float = 5_000.0
    url: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """What its error group is known by."""
        return fingerprint(self.type, self.message, self.file)

    @property
    def file(self) -> str:
        """Where it is raised."""
        return f"workflows/test_{self.workflow_id.replace('-', '_')}.py"

    @cached_property
    def error(self) -> Error:
        """The error as pytest would have seen it."""
        return Error(
            phase=Phase.SETUP if self.status is Status.ERROR else Phase.CALL,
            type=self.type,
            message=self.message,
            file=self.file,
            line=42,
            source_line=f"with step({self.step!r}):",
            traceback=f"{self.file}:42: in test\n{self.type}: {self.message}",
            fingerprint=self.fingerprint,
        )


@dataclass(frozen=True, kw_only=True)
class Span:
    """Something that lasts: from ``start_at`` up to, but not including, ``end_at``."""

    environment: str
    start_at: datetime
    end_at: datetime

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment is in it."""
        return self.start_at <= moment < self.end_at


@dataclass(frozen=True, kw_only=True)
class Incident(Span):
    """A time in which workflows fail each time they run."""

    name: str
    failures: tuple[Failure, ...]


@dataclass(frozen=True, kw_only=True)
class Flaky(Span):
    """A workflow that passes and fails on the same commit, by chance."""

    failure: Failure
    share: float


@dataclass(frozen=True, kw_only=True)
class Masked(Span):
    """A workflow whose first attempt always fails, and whose second passes."""

    failure: Failure


@dataclass(frozen=True, kw_only=True)
class Broken(Span):
    """A workflow that always fails."""

    failure: Failure


@dataclass(frozen=True, kw_only=True)
class Silenced(Span):
    """A time in which a workflow fails and nobody is told, because a silence says so."""

    failure: Failure
    author: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class MissedSlots(Span):
    """A time in which nothing of an environment ran, because nobody started it."""


@dataclass(frozen=True, kw_only=True)
class Breach(Span):
    """A time in which a metric is beyond its threshold in every run."""

    workflow_id: str
    metric: str
    step: str
    median: float


@dataclass(frozen=True, kw_only=True)
class Drift(Span):
    """A metric that grows evenly from one value to another, towards its threshold."""

    workflow_id: str
    metric: str
    start_value: float
    end_value: float
    limit: float

    def value_at(self, moment: datetime) -> float:
        """Return the median at a moment."""
        share = (moment - self.start_at) / (self.end_at - self.start_at)
        return self.start_value + (self.end_value - self.start_value) * min(max(share, 0.0), 1.0)

    @property
    def breaks_at(self) -> datetime:
        """When the median reaches the limit, if it goes on like that."""
        left = (self.limit - self.end_value) / (self.end_value - self.start_value)
        return self.end_at + left * (self.end_at - self.start_at)


@dataclass(frozen=True, kw_only=True)
class Season:
    """A workflow that is slower at some hours of the day or days of the week.

    ``daily`` is how much slower it is at ``peak_hour`` UTC (and quicker twelve hours later), as a
    share; ``weekend`` what its durations are multiplied by on Saturdays and Sundays.
    """

    environment: str
    workflow_id: str
    daily: float = 0.0
    peak_hour: float = 14.0
    weekend: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Change:
    """A workflow that is slower, or quicker, from one moment on because of one step.

    ``part`` is the innermost step that changed, by the factor; ``step`` the outermost that holds
    it. The 95th percentiles are those of the whole workflow, to within a few per cent; so is
    ``step_change_ms``, the difference of the step's medians.
    """

    environment: str
    at: datetime
    workflow_id: str
    step: str
    part: str
    factor: float
    before_p95_ms: float
    after_p95_ms: float
    step_change_ms: float
    commit: str

    @property
    def is_regression(self) -> bool:
        """Whether it became slower."""
        return self.factor > 1


@dataclass(frozen=True, kw_only=True)
class Blip:
    """A single run that passed only at its second attempt, as happens now and then."""

    environment: str
    at: datetime
    failure: Failure


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A version of the shop that was brought somewhere."""

    environment: str
    at: datetime
    name: str
    commit: str


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Everything that is planted between two moments; nothing else happens.

    All times are in UTC. Outside of what is listed, every run passes at its first attempt.
    """

    seed: int
    start_at: datetime
    end_at: datetime
    incidents: tuple[Incident, ...] = ()
    flaky: tuple[Flaky, ...] = ()
    masked: tuple[Masked, ...] = ()
    broken: tuple[Broken, ...] = ()
    silenced: tuple[Silenced, ...] = ()
    missed: tuple[MissedSlots, ...] = ()
    breaches: tuple[Breach, ...] = ()
    drifts: tuple[Drift, ...] = ()
    seasons: tuple[Season, ...] = ()
    changes: tuple[Change, ...] = ()
    blips: tuple[Blip, ...] = ()
    deployments: tuple[Deployed, ...] = ()

    @property
    def regressions(self) -> tuple[Change, ...]:
        """What became slower."""
        return tuple(it for it in self.changes if it.is_regression)

    @property
    def improvements(self) -> tuple[Change, ...]:
        """What became quicker."""
        return tuple(it for it in self.changes if not it.is_regression)

    def within(self, start_at: datetime, end_at: datetime, environment: str = "") -> Truth:
        """Return what of it shows between two moments, in one environment if that is named.

        Spans that reach into that time are kept whole.
        """
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                found[field.name] = tuple(
                    it
                    for it in value
                    if _shows(it, start_at, end_at)
                    and (not environment or it.environment == environment)
                )
        return replace(self, start_at=start_at, end_at=end_at, **found)

    def failing(self, environment: str, workflow_id: str, moment: datetime) -> Failure | None:
        """Return how a workflow fails for certain at a moment, with all its attempts."""
        spans: list[tuple[Span, Failure]] = [
            *((it, failure) for it in self.incidents for failure in it.failures),
            *((it, it.failure) for it in self.broken),
            *((it, it.failure) for it in self.silenced),
        ]
        for span, failure in spans:
            if (
                failure.workflow_id == workflow_id
                and span.environment == environment
                and span.holds(moment)
            ):
                return failure
        return None

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every way in which something fails, each fingerprint once."""
        found = [failure for it in self.incidents for failure in it.failures]
        spans: tuple[Flaky | Masked | Broken | Silenced | Blip, ...] = (
            *self.flaky,
            *self.masked,
            *self.broken,
            *self.silenced,
            *self.blips,
        )
        found += [it.failure for it in spans]
        return tuple({it.fingerprint: it for it in found}.values())


def _shows(planted: object, start_at: datetime, end_at: datetime) -> bool:
    if isinstance(planted, Span):
        return planted.start_at < end_at and planted.end_at > start_at
    if isinstance(planted, Change | Blip | Deployed):
        return start_at <= planted.at < end_at
    return True
