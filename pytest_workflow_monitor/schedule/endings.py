"""How runs end, in words: pytest's exit codes, signals, and limits."""

from __future__ import annotations

import re
import signal
from enum import StrEnum

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.words.slots import SlotStatus


class How(StrEnum):
    """What brought a run to its end.

    ``ended`` by itself, at its ``limit``, ``stopped`` because that was asked for, ``orphaned``
    when its worker died, ``broken`` when it could not be started.
    """

    ENDED = "ended"
    LIMIT = "limit"
    STOPPED = "stopped"
    ORPHANED = "orphaned"
    BROKEN = "broken"


class Ending(Record, frozen=True, kw_only=True):
    """How a run ended. ``exit_code`` is pytest's, or minus a signal's number."""

    how: How
    exit_code: int | None = None
    output: str = ""
    seconds: float = 0.0

    @property
    def ran(self) -> bool:
        """Whether pytest got as far as running tests, whatever became of them."""
        return self.how is How.ENDED and self.exit_code in {0, 1}


class Verdict(Record, frozen=True, kw_only=True):
    """What an ending means for a slot.

    Attributes:
        status: What becomes of the slot.
        reason: Why, in words; empty when there is nothing to say.
        is_problem: Whether somebody has to look, because the monitoring itself did not work.
    """

    status: SlotStatus
    reason: str = ""
    is_problem: bool = False


_MEANINGS = {
    2: (SlotStatus.NOT_RUN, "pytest could not collect the tests (exit code 2)"),
    3: (SlotStatus.DONE, "pytest itself failed (exit code 3, internal error)"),
    4: (SlotStatus.NOT_RUN, "pytest refused its arguments (exit code 4)"),
    5: (SlotStatus.NOT_RUN, "pytest found no such test (exit code 5)"),
}


def verdict(ending: Ending, limit_seconds: float) -> Verdict:
    """Say what an ending means."""
    if ending.how is How.LIMIT:
        said = wording.duration(limit_seconds * 1000)
        return _problem(SlotStatus.DONE, f"stopped at its limit of {said}")
    if ending.how is How.BROKEN or ending.exit_code is None:
        return _problem(SlotStatus.NOT_RUN, f"pytest could not be started: {_last(ending.output)}")
    if ending.exit_code < 0:
        return _problem(SlotStatus.DONE, f"killed by {_signal_name(-ending.exit_code)}")
    return _of_exit_code(ending.exit_code, ending.output)


def _of_exit_code(exit_code: int, output: str) -> Verdict:
    if exit_code in {0, 1}:
        return Verdict(status=SlotStatus.DONE)
    if exit_code == 2 and _was_interrupted(output):  # noqa: PLR2004 - pytest's code
        return _problem(SlotStatus.DONE, "interrupted (exit code 2)")
    unknown = (SlotStatus.DONE, f"ended with exit code {exit_code}, which is not one of pytest's")
    status, said = _MEANINGS.get(exit_code, unknown)
    if exit_code == 4 and "ERROR collecting" in output:  # noqa: PLR2004 - a broken file is asked for
        said = "pytest could not collect the tests (exit code 4)"
    cause = _cause(output)
    return _problem(status, f"{said}: {cause}" if cause else said)


def _problem(status: SlotStatus, reason: str) -> Verdict:
    return Verdict(status=status, reason=reason, is_problem=True)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _was_interrupted(output: str) -> bool:
    return "KeyboardInterrupt" in output


_CAUSES = (
    re.compile(r"^E\s+(.+)", re.MULTILINE),
    re.compile(r"^(?:[\w. -]+: error|ERROR|INTERNALERROR>\s+\w*Error): (.+)", re.MULTILINE),
    re.compile(r"^INTERNALERROR>\s+(\S.*)", re.MULTILINE),
)


def _cause(output: str) -> str:
    """Find the sentence that says why, the last of the first kind that there is."""
    found = (pattern.findall(output) for pattern in _CAUSES)
    causes = next((it for it in found if it), [""])
    return wording.cut(causes[-1].strip(), 300)


def _last(output: str) -> str:
    lines = output.strip().splitlines()
    return wording.cut(lines[-1], 300) if lines else "no reason was given"
