"""Counts what became of a session's workflows while it runs, cheaply and in little memory."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

import msgspec

from pytest_workflow_monitor.analysis import summary, wording
from pytest_workflow_monitor.analysis.outcome import execution_of
from pytest_workflow_monitor.model import Attempt, Execution, SessionStarted, Status

MAX_DETAILED = 200
"""Of how many executions that are no plain passes the attempts are kept for the summary."""

MAX_SHOWN = 3
MARKS = {
    Status.PASSED: "✓",
    Status.DEGRADED: "!",
    Status.SKIPPED: "–",
    Status.RUNNING: "…",
}

_CALM = frozenset({Status.PASSED, Status.SKIPPED})
_GOOD = frozenset({Status.PASSED, Status.DEGRADED})


class HasOutcome(Protocol):
    """What is needed for counting."""

    @property
    def run_id(self) -> str:
        """The execution that the attempt belongs to."""
        ...

    @property
    def status(self) -> Status:
        """What became of the attempt."""
        ...

    @property
    def will_retry(self) -> bool:
        """Whether another attempt follows."""
        ...


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """These few fields of an encoded attempt; the others are skipped over."""

    run_id: str
    status: Status
    will_retry: bool = False


_attempts = msgspec.json.Decoder(Attempt)


class Tally:
    """The executions of one session so far."""

    def __init__(self) -> None:
        self._statuses: dict[str, Status] = {}
        self._flaky: set[str] = set()
        self._detailed: dict[str, list[Attempt]] = {}

    def count(self, outcome: HasOutcome, encoded: bytes) -> None:
        """Take one more attempt into account."""
        run_id = outcome.run_id
        final = Status.INTERRUPTED if outcome.will_retry else outcome.status
        is_again = run_id in self._statuses
        self._statuses[run_id] = final
        if final is Status.PASSED and not is_again:
            return  # as nearly always
        if is_again and final in _GOOD:
            self._flaky.add(run_id)
        is_wanted = final not in _CALM and len(self._detailed) < MAX_DETAILED
        if run_id in self._detailed or is_wanted:
            self._detailed.setdefault(run_id, []).append(_attempts.decode(encoded))

    def __len__(self) -> int:
        return len(self._statuses)

    def lines(self, session: SessionStarted, shown: int = MAX_SHOWN) -> list[str]:
        """Say in a few lines how it went: the verdict, then what needs attention, worst first.

        Args:
            session: Whose executions they are.
            shown: How many executions get a line.
        """
        attention = summary.attention(
            execution_of(session, attempts, session_is_over=True)
            for attempts in self._detailed.values()
        )
        needy = self._needy()
        rows = [self._verdict(needy), *map(_row, attention[:shown])]
        if needy > shown > 0:
            rows.append(f"  and {needy - shown:,} more")
        return rows

    def _needy(self) -> int:
        flaky = sum(self._statuses[run_id] is Status.PASSED for run_id in self._flaky)
        return sum(status not in _CALM for status in self._statuses.values()) + flaky

    def _verdict(self, needy: int) -> str:
        count = len(self)
        if not count:
            return "No workflows ran."
        totals = Counter(self._statuses.values())
        parts = [f"{totals[status]:,} {_word(status)}" for status in Status if totals[status]]
        if self._flaky:
            parts.append(f"{len(self._flaky):,} flaky")
        verb = "needs" if needy == 1 else "need"
        workflows = wording.plural(count, "workflow")
        verdict = f"{needy:,} of {workflows} {verb} attention" if needy else workflows
        return f"{verdict}: {', '.join(parts)}"


def _word(status: Status) -> str:
    return status.value.replace("_", " ")


def _row(execution: Execution) -> str:
    mark = MARKS.get(execution.status, "✗")
    if execution.is_flaky and execution.status is Status.PASSED:
        mark = "!"
    step = summary.failing_step(execution)
    why = summary.reason(execution)
    where = f"{step}: " if step else ""
    workflow = execution.workflow
    return wording.cut(f"  {mark} {workflow.workflow_id} ({workflow.priority}) {where}{why}", 160)
