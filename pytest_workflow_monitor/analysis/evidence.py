"""What the evidence of an attempt says: its failing step beside the last good one.

Pure functions over records; nothing here reads a file.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.events import leading_to
from pytest_workflow_monitor.analysis.history import MINIMUM_SAMPLE, SLOW_FACTOR
from pytest_workflow_monitor.analysis.summary import failing_path
from pytest_workflow_monitor.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.model import (
        Artifact,
        Attempt,
        Event,
        Execution,
        Step,
        StepNormal,
    )

StepPath = tuple[str, ...]
SCREENSHOT = "screenshot"
TRACE = "trace"


class Comparison(NamedTuple):
    """The step that went wrong and the same step of the last pass, as pictures and as durations.

    ``path`` is empty when it went wrong outside of steps; the pictures are then of the end.
    ``events`` are the last errors that pages reported before the end of that step.
    """

    path: StepPath
    now: Artifact | None
    before: Artifact | None
    now_ms: float | None
    normal: StepNormal | None
    events: tuple[Event, ...] = ()


def compare(execution: Execution, attempt: Attempt) -> Comparison | None:
    """Hold an attempt that went wrong against the last pass; None when there is nothing to show."""
    wrong = failing_path(attempt.steps)
    if not wrong and not attempt.errors:
        return None
    path, occurrence = _place(attempt.steps, wrong[-1]) if wrong else ((), 0)
    step = wrong[-1] if wrong else None
    now = picture_at(attempt, step)
    passed = execution.last_passed
    same = _find(passed.steps, path, occurrence) if passed else None
    before = picture_at(passed, same) if passed and (same or not path) else None
    normal = normal_by_step(attempt.steps, execution.normal_steps)
    usual = normal.get(step.index) if step else None
    is_slow = step is not None and step.status is Status.DEGRADED
    events = leading_to(attempt.events, _end(step) if step else inf, is_slow=is_slow)
    if now is None and before is None and usual is None and not events:
        return None
    return Comparison(path, now, before, step.duration_ms if step else None, usual, events)


def picture_at(attempt: Attempt, step: Step | None) -> Artifact | None:
    """Choose the picture that shows a step: its own last one, else the one of the end.

    Without a step it is the one of the end, which belongs to none.
    """
    pictures = [item for item in attempt.artifacts if item.kind == SCREENSHOT]
    for wanted in dict.fromkeys((step.index if step else None, None)):
        found = [item for item in pictures if item.step == wanted]
        if found:
            return next((item for item in reversed(found) if not item.problem), found[-1])
    return None


def step_paths(steps: Sequence[Step]) -> dict[int, StepPath]:
    """Name each step by the names from the outermost one to it; a damaged parent ends a path."""
    by_index = {step.index: step for step in steps}
    paths: dict[int, StepPath] = {}
    for step in steps:
        names, seen, current = [step.name], {step.index}, step
        while current.parent in by_index and current.parent not in seen:
            current = by_index[current.parent]
            seen.add(current.index)
            names.append(current.name)
        paths[step.index] = tuple(reversed(names))
    return paths


def normal_by_step(
    steps: Sequence[Step], normal_steps: Iterable[StepNormal]
) -> dict[int, StepNormal]:
    """Find what is normal for each step, by its index; only what enough passes tell."""
    known = {item.path: item for item in normal_steps if item.sample_size >= MINIMUM_SAMPLE}
    if not known:
        return {}
    paths = step_paths(steps)
    return {index: known[path] for index, path in paths.items() if path in known}


def is_late(duration_ms: float | None, normal: StepNormal) -> bool:
    """Tell whether a step took longer than nearly all passes and clearly longer than usual."""
    return (
        duration_ms is not None
        and duration_ms > normal.p95_ms
        and duration_ms >= SLOW_FACTOR * normal.median_ms
    )


def step_against_normal(comparison: Comparison) -> str:
    """Say ``normally 0.9 s, now 6.0 s`` of the step that went wrong; "" when it is not known."""
    if comparison.normal is None or comparison.now_ms is None:
        return ""
    usual = wording.duration(comparison.normal.median_ms)
    return f"normally {usual}, now {wording.duration(comparison.now_ms)}"


def _end(step: Step) -> float:
    return inf if step.duration_ms is None else step.started_ms + step.duration_ms


def _place(steps: Sequence[Step], step: Step) -> tuple[StepPath, int]:
    """Name a step, and tell how many of the same name came before it."""
    paths = step_paths(steps)
    path = paths[step.index]
    before = [other for other in steps if other.index < step.index and paths[other.index] == path]
    return path, len(before)


def _find(steps: Sequence[Step], path: StepPath, occurrence: int) -> Step | None:
    paths = step_paths(steps)
    same = [step for step in steps if paths[step.index] == path]
    return same[min(occurrence, len(same) - 1)] if same else None
