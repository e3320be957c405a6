"""Executions that are made, with a known state: each life follows from its seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import Run, State
from pytest_workflow_monitor.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 1, 5, tzinfo=UTC)
RUNS_A_COMMIT = 30
USUAL_MS = 3_000.0
NOISE = 0.12

Chance = tuple[float, float, float]
"""How likely an execution fails, how likely a pass needs a retry, and by what it is slower."""


def _slower_from(number: int, total: int, first: int) -> float:
    return 1.8 if number >= total - first else 1.0


_CHANCES: dict[State, Callable[[int, int], Chance]] = {
    State.HEALTHY: lambda _, __: (0.0, 0.002, 1.0),
    State.FLAKY: lambda _, __: (0.2, 0.1, 1.0),
    State.MASKED: lambda _, __: (0.0, 0.25, 1.0),
    State.BROKEN: lambda number, total: (float(number >= total - 5), 0.0, 1.0),
    State.SLOW: lambda number, total: (0.0, 0.0, _slower_from(number, total, 10)),
    State.CHANGED: lambda number, _: (0.0, 0.0, 1.5 if number >= RUNS_A_COMMIT else 1.0),
}
LIVES = tuple(_CHANCES)


def life(state: State, seed: int, total: int = 60) -> list[Run]:
    """Return the executions of a workflow in a state, one an hour; a commit for each thirty."""
    random = Random(f"{state} {seed}")
    runs = []
    for number in range(total):
        fails, retries, slower = _CHANCES[state](number, total)
        has_failed = random.random() < fails
        runs.append(
            Run(
                at=START + timedelta(hours=number),
                status=Status.FAILED if has_failed else Status.PASSED,
                commit=f"commit-{number // RUNS_A_COMMIT}",
                attempts=2 if has_failed or random.random() < retries else 1,
                duration_ms=USUAL_MS * slower * random.lognormvariate(0, NOISE),
            )
        )
    return runs
