"""What is known of a period: the store reads it, analysis turns it into a report."""

from __future__ import annotations

from datetime import datetime

from pytest_workflow_monitor.analysis.condition.risk import Risk
from pytest_workflow_monitor.analysis.condition.states import Assessment
from pytest_workflow_monitor.analysis.distribution import Distribution
from pytest_workflow_monitor.model import Priority, Record, Status
from pytest_workflow_monitor.settings.slo_rules import ServiceLevel
from pytest_workflow_monitor.words.alerts import Alert, Silence
from pytest_workflow_monitor.words.periods import Period


class Sums(Record, frozen=True, kw_only=True):
    """Executions of a workflow that began in a window, by status.

    ``first_attempt`` counts those that went well at once, ``flaky`` those that did only when tried
    again. ``total_ms``, ``longest_ms`` and ``durations`` are of those that went well.
    """

    runs: int = 0
    passed: int = 0
    degraded: int = 0
    failed: int = 0
    error: int = 0
    timed_out: int = 0
    crashed: int = 0
    interrupted: int = 0
    skipped: int = 0
    first_attempt: int = 0
    flaky: int = 0
    attempts: int = 0
    total_ms: float = 0.0
    longest_ms: float = 0.0
    durations: Distribution = Distribution()

    @property
    def judged(self) -> int:
        """How many say something of the system under test: not skipped, not interrupted."""
        return self.runs - self.skipped - self.interrupted

    @property
    def good(self) -> int:
        """How many went well, slow ones included."""
        return self.passed + self.degraded

    @property
    def bad(self) -> int:
        """How many did not."""
        return self.judged - self.good

    @property
    def availability(self) -> float | None:
        """The share between 0 and 1 that went well, None if nothing was judged."""
        return self.good / self.judged if self.judged else None

    @property
    def average_ms(self) -> float | None:
        """The mean duration of what went well."""
        return self.total_ms / self.good if self.good else None

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            runs=self.runs + other.runs,
            passed=self.passed + other.passed,
            degraded=self.degraded + other.degraded,
            failed=self.failed + other.failed,
            error=self.error + other.error,
            timed_out=self.timed_out + other.timed_out,
            crashed=self.crashed + other.crashed,
            interrupted=self.interrupted + other.interrupted,
            skipped=self.skipped + other.skipped,
            first_attempt=self.first_attempt + other.first_attempt,
            flaky=self.flaky + other.flaky,
            attempts=self.attempts + other.attempts,
            total_ms=self.total_ms + other.total_ms,
            longest_ms=max(self.longest_ms, other.longest_ms),
            durations=self.durations + other.durations,
        )


NOTHING = Sums()


class Key(Record, frozen=True, kw_only=True, order=True):
    """A workflow in an environment."""

    environment: str
    workflow_id: str


class Known(Record, frozen=True, kw_only=True):
    """What is known of a workflow, from its latest definition."""

    workflow_id: str
    workflow_name: str
    priority: Priority
    owner: str = ""
    tags: tuple[str, ...] = ()
    runbook: str = ""
    degraded_after_seconds: float | None = None
    budgets: dict[str, float] = {}
    slo: float | None = None
    slo_window_seconds: float | None = None
    notify_on_failure: bool = True


class SeriesKey(Record, frozen=True, kw_only=True, order=True):
    """A step (``kind`` step, unit ms) or a metric of a workflow in an environment."""

    environment: str
    workflow_id: str
    kind: str
    name: str
    unit: str


class SeriesSums(Record, frozen=True, kw_only=True):
    """What a step took or a metric was in a window; ``problems`` failed or were beyond a budget."""

    samples: int = 0
    problems: int = 0
    total: float = 0.0
    lowest: float | None = None
    highest: float | None = None
    values: Distribution = Distribution()


class Hour(Record, frozen=True, kw_only=True):
    """How many executions were judged in an hour and how many of those went wrong."""

    starts_at: datetime
    judged: int
    bad: int


class Day(Record, frozen=True, kw_only=True):
    """A workflow's day, of UTC."""

    key: Key
    starts_at: datetime
    sums: Sums


class ErrorGroup(Record, frozen=True, kw_only=True):
    """Failures with one fingerprint.

    ``count`` is of the period, ``count_before`` of the one before it; ``first_at`` and ``last_at``
    are of all that is stored.
    """

    fingerprint: str
    message: str
    workflow_ids: tuple[str, ...]
    environments: tuple[str, ...]
    count: int
    count_before: int
    first_at: datetime
    last_at: datetime
    last_run_id: str


class Retried(Record, frozen=True, kw_only=True):
    """The error that most executions had which passed only when tried again, and how many did."""

    message: str
    count: int


class SlotCount(Record, frozen=True, kw_only=True):
    """Slots that did not run as planned, by what became of them and why."""

    key: Key
    status: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime


class Suppressed(Record, frozen=True, kw_only=True):
    """Messages that were not sent, by the reason."""

    reason: str
    count: int


class Anomaly(Record, frozen=True, kw_only=True):
    """A value that was not normal when it came; see ``execution_anomalies``."""

    key: Key
    kind: str
    name: str
    unit: str
    run_id: str
    value: float
    expected_low: float | None
    expected_high: float | None
    score: float
    direction: str
    observed_at: datetime


class Deployment(Record, frozen=True, kw_only=True):
    """Something that was deployed to an environment."""

    environment: str
    deployed_at: datetime
    name: str
    git_commit: str = ""
    url: str = ""


class CommitSeen(Record, frozen=True, kw_only=True):
    """When a commit of the tests was first run in an environment."""

    environment: str
    git_commit: str
    first_at: datetime


class Moment(Record, frozen=True, kw_only=True):
    """A value of a series, with the commit it was measured on."""

    at: datetime
    value: float
    run_id: str = ""
    git_commit: str = ""


class StepShare(Record, frozen=True, kw_only=True):
    """How much a step's median changed with its workflow's, in milliseconds."""

    name: str
    before_ms: float
    after_ms: float


class LevelChange(Record, frozen=True, kw_only=True):
    """From when on a workflow took longer or shorter, as medians and 95th percentiles.

    ``steps`` are those that changed along, the largest change first. ``git_commit`` and
    ``deployment`` are the first seen at or right after it; empty if there were none near.
    """

    key: Key
    at: datetime
    before_ms: float
    after_ms: float
    p95_before_ms: float
    p95_after_ms: float
    confidence: float
    steps: tuple[StepShare, ...] = ()
    git_commit: str = ""
    deployment: str = ""

    @property
    def ratio(self) -> float:
        """How many times as long it takes."""
        return self.after_ms / self.before_ms if self.before_ms else 1.0


class Outlook(Record, frozen=True, kw_only=True):
    """When a limit will be passed if it goes on like that, at the earliest and the latest.

    ``kind`` and ``name`` say what of the workflow: itself (``workflow`` and nothing), or a metric.
    """

    key: Key
    kind: str
    name: str
    unit: str
    limit: float
    value: float
    per_day: float
    at: datetime
    earliest: datetime
    latest: datetime | None = None


class Last(Record, frozen=True, kw_only=True):
    """How a workflow stands at the end of the period."""

    key: Key
    status: Status
    at: datetime
    run_id: str
    consecutive_failures: int = 0


class PeriodFacts(Record, frozen=True, kw_only=True):
    """All that a report is made of.

    ``workflows``, ``before`` and ``week_before`` hold the sums of the period, of the one before it
    and of the same day a week earlier. ``hours`` are those of the last seven days up to the end of
    the period, or of the period if that is longer; ``days`` the last 35 days. ``hidden`` are the
    alerts that opened while a silence about them held, by its number.
    """

    project: str
    environment: str
    period: Period
    generated_at: datetime
    known: dict[str, Known] = {}
    workflows: dict[Key, Sums] = {}
    before: dict[Key, Sums] = {}
    week_before: dict[Key, Sums] = {}
    series: dict[SeriesKey, SeriesSums] = {}
    series_before: dict[SeriesKey, SeriesSums] = {}
    hours: tuple[Hour, ...] = ()
    days: tuple[Day, ...] = ()
    last: dict[Key, Last] = {}
    alerts: tuple[Alert, ...] = ()
    alerts_before: tuple[Alert, ...] = ()
    errors: tuple[ErrorGroup, ...] = ()
    assessments: dict[Key, Assessment] = {}
    risks: dict[Key, Risk] = {}
    retried: dict[Key, Retried] = {}
    slots: tuple[SlotCount, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    silences: tuple[Silence, ...] = ()
    hidden: dict[int, tuple[Alert, ...]] = {}
    anomalies: tuple[Anomaly, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    commits_seen: tuple[CommitSeen, ...] = ()
    changes: tuple[LevelChange, ...] = ()
    outlooks: tuple[Outlook, ...] = ()
    service_levels: tuple[ServiceLevel, ...] = ()
