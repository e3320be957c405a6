"""What is handed to the gate and what comes out of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pytest_workflow_monitor.model import Priority, Record, Status


class Ending(Record, frozen=True, kw_only=True, tag_field="record", tag="ending"):
    """How pytest itself ended.

    ``others_failed`` counts failures of what is no workflow, of which ``others`` names a few;
    ``was_stopped`` tells that not everything ran that was to run.
    """

    exit_status: int
    others_failed: int = 0
    others: tuple[str, ...] = ()
    was_stopped: bool = False


class OnBase(Record, frozen=True, kw_only=True):
    """What the base branch's latest executions of a workflow say.

    ``executions`` and ``failures`` count those with a verdict; ``kinds`` are the kinds of all
    faults seen, also of those that a retry masked; ``p95_ms`` is of the ``passes``.
    """

    workflow_id: str
    executions: int
    failures: int = 0
    last_status: Status | None = None
    last_at: datetime | None = None
    kinds: tuple[str, ...] = ()
    passes: int = 0
    p95_ms: float | None = None


class OnTarget(Record, frozen=True, kw_only=True):
    """The latest execution of a workflow in the environment whose failures excuse others."""

    workflow_id: str
    status: Status
    started_at: datetime
    kinds: tuple[str, ...] = ()


class Past(Record, frozen=True, kw_only=True):
    """What is known from before the session, of the workflows that were asked about.

    ``base_executions`` counts all executions of the base branch that were looked at.
    """

    base_executions: int = 0
    on_base: tuple[OnBase, ...] = ()
    on_target: tuple[OnTarget, ...] = ()


class Rule(StrEnum):
    """The rules of the gate, by the key of their setting."""

    FAILURES = "allowed_failures"
    SUCCESS_RATE = "min_success_rate"
    NEW_ERRORS = "allow_new_errors"
    P95 = "max_p95_ratio"
    BUDGETS = "allow_broken_budgets"
    FLAKY = "allowed_flaky"


class Reason(Record, frozen=True, kw_only=True):
    """Why the gate is closed, in a clause that names what is meant and what is allowed."""

    rule: Rule
    said: str


class Unjudged(Record, frozen=True, kw_only=True):
    """Rules, by the keys of their settings, that could not be judged, and why."""

    rules: tuple[str, ...]
    why: str


class Novelty(StrEnum):
    """How an error stands to the base branch."""

    NEW = "new"
    KNOWN = "known"
    UNKNOWN = "unknown"


class Finding(Record, frozen=True, kw_only=True):
    """An execution that failed, or passed only by a retry, and how that stands to before.

    ``excused_at`` is when the same error was last seen where it excuses; None when it counts.
    """

    workflow_id: str
    name: str
    priority: Priority
    status: Status
    is_flaky: bool = False
    message: str = ""
    novelty: Novelty = Novelty.UNKNOWN
    base: OnBase | None = None
    excused_at: datetime | None = None

    @property
    def is_excused(self) -> bool:
        """Whether it fails in the same way where that excuses."""
        return self.excused_at is not None


class Verdict(Record, frozen=True, kw_only=True, tag_field="record", tag="verdict"):
    """What the gate says.

    ``exit_status`` is pytest's exit code by the gate. ``is_judged`` is false where pytest ended in
    a way that is not the gate's to judge.
    """

    exit_status: int
    passed: bool
    is_judged: bool = True
    base_branch: str = ""
    excuse_environment: str = ""
    reasons: tuple[Reason, ...] = ()
    findings: tuple[Finding, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    ending: Ending = Ending(exit_status=0)

    @property
    def excused(self) -> tuple[Finding, ...]:
        """The failures that do not count."""
        return tuple(it for it in self.findings if it.is_excused)
