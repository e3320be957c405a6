"""How much a finding matters: what is wrong counts first, then how important its workflow is."""

from __future__ import annotations

from pytest_workflow_monitor.model import Priority

BROKEN = 50.0
UNWATCHED = 40.0
SLOWER = 30.0
OUTLOOK = 25.0
WAVERING = 20.0
BUDGET = 15.0
SILENCE = 10.0
"""What kinds of problems weigh, from not working at all to merely worth a look."""

_PRIORITIES = {
    Priority.CRITICAL: 30.0,
    Priority.HIGH: 20.0,
    Priority.MEDIUM: 10.0,
    Priority.LOW: 0.0,
}


def weight(base: float, priority: Priority, share: float = 0.0) -> float:
    """Weigh a finding.

    Args:
        base: What its kind weighs.
        priority: Of its workflow, or of the most important one.
        share: From 0 to 1, how bad it is among its kind.
    """
    return base + _PRIORITIES[priority] + 9 * min(max(share, 0.0), 1.0)
