"""The gate's verdict in a few lines, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.gate.records import Ending, Unjudged, Verdict

MAX_WIDTH = 160


def lines(verdict: Verdict, limit: int) -> list[str]:
    """Say the verdict and its reasons in at most ``limit`` lines, at least one."""
    told = [f"  ✗ {it}" for it in (*beside(verdict.ending), *(r.said for r in verdict.reasons))]
    if len(told) >= limit > 1:
        left = len(told) - limit + 2
        told = [*told[: limit - 2], f"  ✗ and {wording.plural(left, 'more reason')}"]
    return [wording.cut(line, MAX_WIDTH) for line in (head(verdict), *told[: limit - 1])]


def head(verdict: Verdict) -> str:
    """Say in one line whether the session passes, what was excused and what was not judged."""
    ending = verdict.ending
    if not verdict.is_judged:
        return f"gate: not judged, pytest ended with exit code {ending.exit_status}"
    parts = [f"gate: {'passed' if verdict.passed else 'failed'}, exit code {verdict.exit_status}"]
    if verdict.exit_status != ending.exit_status:
        parts[0] += f" instead of {ending.exit_status}"
    if verdict.excused:
        names = sorted({it.workflow_id for it in verdict.excused})
        parts.append(f"excused, fails in {verdict.excuse_environment} too: {', '.join(names)}")
    parts += [f"not judged: {unjudged_rules(it)}" for it in verdict.unjudged]
    return "; ".join(parts)


def unjudged_rules(unjudged: Unjudged) -> str:
    """Name the rules that could not be judged, and why."""
    return f"{', '.join(unjudged.rules)} ({unjudged.why})"


def beside(ending: Ending) -> list[str]:
    """Say what else than workflows keeps the session from passing."""
    told = []
    if ending.others_failed:
        count = wording.plural(ending.others_failed, "failure")
        named = f": {', '.join(ending.others)}" if ending.others else ""
        told.append(f"{count} outside of workflows{named}")
    if ending.was_stopped:
        told.append("pytest stopped before everything had run")
    return told
