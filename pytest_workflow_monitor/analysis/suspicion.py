"""Passes that do not look like those before them: steps are missing, or it was far too quick.

A test that returns early, or whose loop finds nothing to do, passes. Its own history tells.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.model import Phase, Record, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLE_SIZE = 30
"""How many earlier passes of the same workflow, in the same environment, are looked at."""

LEAST_SAMPLE = 10
"""Fewer earlier passes do not tell what is usual."""

USUAL_SHARE = 0.9
"""A step is usual that at least this share of the earlier passes ran."""

TIMES_QUICKER = 3
LEAST_SAVED_MS = 500
"""A pass is too quick that took less than a third of the quickest earlier one, and so much less."""

MAX_NAMED = 3


class Pass(Record, frozen=True, kw_only=True):
    """The deciding attempt of an execution that passed, as far as it is compared."""

    duration_ms: float
    call_ms: float
    steps: tuple[Step, ...] = ()


def suspicions(this: Pass, earlier: Sequence[Pass]) -> tuple[str, ...]:
    """Return the reasons why a pass should not be believed; mostly there are none.

    Only the test itself counts, not its set-up and tear-down, which other tests share; and no
    optional steps, with what is in them.

    Args:
        this: The pass.
        earlier: The last passes before it, fully or degraded, of the same workflow in the same
            environment.
    """
    if len(earlier) < LEAST_SAMPLE:
        return ()
    return tuple(filter(None, (_missing_steps(this, earlier), _too_quick(this, earlier))))


def counted_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Select the steps that each execution should have."""
    optional: set[int] = set()
    counted = []
    for step in steps:
        if step.optional or step.parent in optional:
            optional.add(step.index)
        elif step.phase is Phase.CALL:
            counted.append(step)
    return tuple(counted)


def _missing_steps(this: Pass, earlier: Sequence[Pass]) -> str:
    seen = Counter(name for one in earlier for name in _names(one))
    usual = [name for name, count in seen.items() if count >= USUAL_SHARE * len(earlier)]
    ran = _names(this)
    missing = [name for name in usual if name not in ran]
    if not missing:
        return ""
    shown = ", ".join(repr(name) for name in missing[:MAX_NAMED])
    more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
    steps = wording.plural(len(usual), "usual step")
    return f"{len(usual) - len(missing)} of {steps} ran; without {shown}{more}"


def _too_quick(this: Pass, earlier: Sequence[Pass]) -> str:
    whole = min(one.duration_ms for one in earlier)
    called = min(map(_own_ms, earlier))
    if not (_is_far_less(this.duration_ms, whole) and _is_far_less(_own_ms(this), called)):
        return ""
    return (
        f"took {_seconds(_own_ms(this))}; the quickest of the last {len(earlier)} passes took "
        f"{_seconds(called)}"
    )


def _is_far_less(ms: float, than_ms: float) -> bool:
    return ms * TIMES_QUICKER < than_ms and than_ms - ms >= LEAST_SAVED_MS


def _names(one: Pass) -> dict[str, None]:
    """The names of the counted steps, each once, in the order of their start."""
    return {step.name: None for step in counted_steps(one.steps)}


def _own_ms(one: Pass) -> float:
    """The time of the test itself, without its outermost optional steps."""
    optional = {step.index for step in one.steps if step.optional}
    spent = sum(
        step.duration_ms or 0.0
        for step in one.steps
        if step.optional and step.phase is Phase.CALL and step.parent not in optional
    )
    return max(one.call_ms - spent, 0.0)


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.1f} s"
