"""The words of this project as records: one declaration for memory, wire, journal and API.

All records are frozen. Instants are aware datetimes in UTC and end in ``_at``; durations end in
``_ms`` (milliseconds, float) or ``_seconds``. Fields that hold their default are left out of the
encoded JSON, and a decoder fills them in again, so that adding a field keeps old journals readable.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

JOURNAL_VERSION = 1


class Status(StrEnum):
    """What became of an execution, an attempt or a step."""

    PASSED = "passed"
    DEGRADED = "degraded"
    FAILED = "failed"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"
    RUNNING = "running"

    @property
    def is_problem(self) -> bool:
        """Whether this is a verdict against the workflow (not passed, degraded or skipped)."""
        return self in PROBLEMS


PROBLEMS = frozenset(
    {Status.FAILED, Status.ERROR, Status.TIMED_OUT, Status.CRASHED, Status.INTERRUPTED}
)
"""Statuses that need attention, the worst of them first in reports."""


class Priority(StrEnum):
    """How much a workflow matters to the business, most first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Overlap(StrEnum):
    """What happens when a slot comes while the run before it has not ended."""

    SKIP = "skip"
    QUEUE = "queue"
    CANCEL_PREVIOUS = "cancel-previous"


class Trigger(StrEnum):
    """What started a session."""

    MANUAL = "manual"
    CI = "ci"
    CRON = "cron"
    SCHEDULE = "schedule"


class Phase(StrEnum):
    """The part of a test that a step, an error or an output belongs to."""

    SETUP = "setup"
    CALL = "call"
    TEARDOWN = "teardown"


class Record(Struct, frozen=True, omit_defaults=True, gc=False):
    """The base of all records: frozen, and defaults are left out of the JSON.

    A record never refers back to what holds it, so the garbage collector need not look at it.
    """


class Workflow(Record, frozen=True, kw_only=True):
    """One workflow as its marker describes it, all parameters resolved.

    ``cron`` is a cron expression in ``timezone`` (an IANA name), ``every_seconds`` an interval in
    its place; at most one of them is given. ``degraded_after_seconds`` is the
    duration of the deciding attempt beyond which a pass counts as degraded. ``budgets`` are the
    largest good values of metrics by their name. ``suspicious_passes`` tells whether a pass that
    skipped usual steps, or was far too quick, counts as degraded. Of scheduled runs, ``queue``
    names the workers, ``overlap`` says what happens when the run before has not ended,
    ``grace_seconds`` how late one may begin and ``limit_seconds`` how long it may take; None for
    what follows from the rest. ``slo`` is the availability in per cent that is expected over
    ``slo_window_seconds``.
    """

    workflow_id: str
    name: str
    nodeid: str
    file: str
    line: int = 0
    description: str = ""
    type: str = ""
    priority: Priority = Priority.MEDIUM
    cron: str | None = None
    every_seconds: int | None = None
    timezone: str = "UTC"
    timeout_seconds: float | None = None
    retries: int = 0
    retry_delay_seconds: float = 0.0
    retry_backoff: float = 1.0
    tags: tuple[str, ...] = ()
    owner: str = ""
    runbook: str = ""
    labels: dict[str, str] = {}
    environments: tuple[str, ...] = ()
    enabled: bool = True
    degraded_after_seconds: float | None = None
    notify_on_failure: bool = True
    notify_on_success: bool = False
    budgets: dict[str, float] = {}
    suspicious_passes: bool = True
    queue: str = "default"
    overlap: Overlap = Overlap.SKIP
    grace_seconds: float | None = None
    limit_seconds: float | None = None
    slo: float | None = None
    slo_window_seconds: float | None = None


class Step(Record, frozen=True, kw_only=True):
    """A named span inside an attempt.

    ``index`` numbers the steps of an attempt from 0 in order of their start; ``parent`` is the
    index of the enclosing step. ``started_ms`` counts from the start of the attempt.
    ``duration_ms`` is None when the process died before the step ended (status interrupted).
    A step that failed although ``optional``, or took longer than ``slower_than_seconds``, is
    degraded; one still open when its attempt ended is running.
    """

    index: int
    name: str
    parent: int | None = None
    phase: Phase = Phase.CALL
    status: Status = Status.PASSED
    started_ms: float = 0.0
    duration_ms: float | None = None
    error_message: str = ""
    optional: bool = False
    slower_than_seconds: float | None = None


class Metric(Record, frozen=True, kw_only=True):
    """A named number, measured ``recorded_ms`` after the start of the attempt.

    ``page`` is the path of the page it was measured on, without its query; empty for a number of
    the whole attempt. With a ``threshold_value``, ``is_within_threshold`` says whether the value is
    at most it.
    """

    name: str
    value: float
    unit: str = ""
    threshold_value: float | None = None
    is_within_threshold: bool | None = None
    step: int | None = None
    recorded_ms: float = 0.0
    page: str = ""


class EventKind(StrEnum):
    """What a browser or an HTTP client reported while a test ran."""

    CONSOLE = "console"
    PAGE_ERROR = "page_error"
    REQUEST = "request"
    DIALOG = "dialog"


class Event(Record, frozen=True, kw_only=True):
    """Something that a page did, or a request that failed or was slow, in order of ``at_ms``.

    ``at_ms`` counts from the start of the attempt; a request's is when it began. ``level`` is
    ``error``, ``warning`` or ``info``. ``page`` is the index of the page among the attempt's
    ``pages``; None for a client without a browser. ``place`` is ``url:line`` of a script's message.
    ``failure`` says why a request got no response. ``repeated`` counts equal ones after this one.
    """

    kind: EventKind
    at_ms: float
    level: str = "error"
    text: str = ""
    url: str = ""
    method: str = ""
    status_code: int | None = None
    duration_ms: float | None = None
    size_bytes: int | None = None
    failure: str = ""
    place: str = ""
    step: int | None = None
    page: int | None = None
    repeated: int = 0


class Page(Record, frozen=True, kw_only=True):
    """A page as the attempt left it: its last address and title."""

    url: str
    title: str = ""


class Artifact(Record, frozen=True, kw_only=True):
    """A file kept as evidence.

    ``kind`` is ``screenshot``, ``trace``, ``video``, ``log`` or ``attachment``.
    ``path`` is relative to the state directory. ``size_bytes`` is its length and ``sha256`` the
    hexadecimal hash of its content, after which it is named on disk. ``problem`` says why there
    is no content, such as a file that did not exist.
    """

    name: str
    kind: str = "attachment"
    content_type: str = "application/octet-stream"
    size_bytes: int = 0
    sha256: str = ""
    path: str = ""
    problem: str = ""
    step: int | None = None
    recorded_ms: float = 0.0


class Error(Record, frozen=True, kw_only=True):
    """An exception that ended a phase.

    ``fingerprint`` is equal for errors that differ only in numbers, ids, addresses and times.
    ``source_line`` is the text of the failing line ``line`` (from 1) of ``file``.
    """

    phase: Phase
    type: str = ""
    message: str = ""
    file: str = ""
    line: int = 0
    source_line: str = ""
    traceback: str = ""
    fingerprint: str = ""


class Output(Record, frozen=True, kw_only=True):
    """What one phase wrote: ``name`` as pytest titles it, such as "Captured stdout call".

    ``dropped_chars`` counts characters cut from the front to stay within the limit.
    """

    name: str
    text: str
    dropped_chars: int = 0


class AttemptStarted(Record, frozen=True, kw_only=True, tag_field="record", tag="attempt_started"):
    """The head of a flight recorder: the attempt that a test process is in the middle of."""

    run_id: str
    number: int
    workflow: Workflow
    started_at: datetime
    worker: str = ""
    dimensions: dict[str, str] = {}


class Attempt(Record, frozen=True, kw_only=True, tag_field="record", tag="attempt"):
    """One try of a workflow, as the test process saw it. One line of the journal.

    ``run_id`` is shared by all attempts of an execution; ``number`` counts from 1.
    ``will_retry`` says that another attempt follows, so that this one does not decide.
    ``degraded`` holds the reasons why a pass is not a full one. ``dimensions`` are parameters
    that do not split history, such as the browser.
    """

    run_id: str
    number: int
    workflow: Workflow
    status: Status
    started_at: datetime
    duration_ms: float
    setup_ms: float = 0.0
    call_ms: float = 0.0
    teardown_ms: float = 0.0
    will_retry: bool = False
    worker: str = ""
    errors: tuple[Error, ...] = ()
    skip_reason: str = ""
    degraded: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    dimensions: dict[str, str] = {}
    steps: tuple[Step, ...] = ()
    steps_dropped: int = 0
    metrics: tuple[Metric, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    outputs: tuple[Output, ...] = ()
    events: tuple[Event, ...] = ()
    events_dropped: int = 0
    pages: tuple[Page, ...] = ()


class SessionStarted(Record, frozen=True, kw_only=True, tag_field="record", tag="session_started"):
    """One pytest invocation begins. The first line of every journal.

    ``notifies`` tells whether people are to hear of what it finds; else it is only recorded. Of a
    session that a worker of the schedules began, ``slot_at`` is the time it was meant for, and
    ``lateness_seconds`` how much later it began.
    """

    session_id: str
    project: str
    environment: str
    started_at: datetime
    journal_version: int = JOURNAL_VERSION
    location: str = ""
    trigger: Trigger = Trigger.MANUAL
    host: str = ""
    pid: int = 0
    rootdir: str = ""
    arguments: tuple[str, ...] = ()
    git_commit: str = ""
    git_branch: str = ""
    ci_name: str = ""
    ci_url: str = ""
    notifies: bool = False
    slot_at: datetime | None = None
    lateness_seconds: float | None = None
    versions: dict[str, str] = {}


class SessionEnded(Record, frozen=True, kw_only=True, tag_field="record", tag="session_ended"):
    """The pytest invocation is over.

    ``exit_status`` is pytest's, or None when the process died without one. ``tests_collected``
    counts every test that pytest collected, workflows or not.
    """

    ended_at: datetime
    exit_status: int | None = None
    tests_collected: int = 0
    interrupted: bool = False


JournalRecord = SessionStarted | Attempt | SessionEnded
"""What a line of a journal holds."""


class HistoryPoint(Record, frozen=True, kw_only=True):
    """One earlier execution of a workflow, as a sparkline needs it."""

    run_id: str
    status: Status
    started_at: datetime
    duration_ms: float | None = None
    is_flaky: bool = False


class StepNormal(Record, frozen=True, kw_only=True):
    """How long a step of a workflow took in its recent passed executions, in milliseconds.

    ``path`` holds the names from the outermost step to this one.
    """

    path: tuple[str, ...]
    median_ms: float
    p95_ms: float
    sample_size: int


class Execution(Record, frozen=True, kw_only=True):
    """One workflow in one session, all its attempts together.

    ``duration_ms`` is that of the deciding (last) attempt; ``started_at`` to ``completed_at``
    spans all attempts and the pauses between them. ``attempts`` are in order of their number.
    ``history`` holds earlier executions of the same project, workflow and environment, oldest
    first, without this one; empty when no database could be asked. For an execution that needs
    attention, ``last_passed`` is the deciding attempt of the last one that passed before it, with
    its steps and artifacts, and ``normal_steps`` what its steps usually take.
    """

    run_id: str
    session_id: str
    project: str
    environment: str
    workflow: Workflow
    status: Status
    started_at: datetime
    completed_at: datetime | None = None
    duration_ms: float | None = None
    is_flaky: bool = False
    labels: dict[str, str] = {}
    dimensions: dict[str, str] = {}
    steps_total: int = 0
    steps_passed: int = 0
    steps_failed: int = 0
    attempts: tuple[Attempt, ...] = ()
    history: tuple[HistoryPoint, ...] = ()
    last_passed: Attempt | None = None
    normal_steps: tuple[StepNormal, ...] = ()

    @property
    def deciding(self) -> Attempt | None:
        """The last attempt, whose outcome is the execution's; None before the first has ended."""
        return self.attempts[-1] if self.attempts else None

    @property
    def error(self) -> Error | None:
        """The first error of the deciding attempt."""
        return self.deciding.errors[0] if self.deciding and self.deciding.errors else None

    @property
    def needs_attention(self) -> bool:
        """Whether this is a problem, degraded or flaky."""
        return self.status.is_problem or self.status is Status.DEGRADED or self.is_flaky


class SessionDocument(Record, frozen=True, kw_only=True):
    """Everything about one session: what a report is made from and what ``--json`` prints.

    ``has_history`` tells an empty history from one that could not be asked for. ``notices`` are
    sentences about what the reader should know of the data, such as that the database was away.
    """

    format: str = "pytest-workflow-monitor/session"
    version: int = 1
    session: SessionStarted
    ended: SessionEnded | None = None
    executions: tuple[Execution, ...] = ()
    has_history: bool = False
    notices: tuple[str, ...] = ()
