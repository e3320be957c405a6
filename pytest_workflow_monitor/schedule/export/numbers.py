"""Finds in ascending numbers what can be written shorter than a list."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RUN = 3
"""From so many numbers on, a range or a step is shorter than a list."""


def ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return the runs of neighbours among ascending numbers."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def step_of(numbers: Sequence[int], high: int) -> int:
    """Return the step in which numbers go on to the end; 0 for none, 1 is a step, too."""
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    if len(steps) == 1 and numbers[-1] + min(steps) > high:
        return steps.pop()
    return 0
