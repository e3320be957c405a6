"""Says service levels in words, for tables and sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.wording import duration

if TYPE_CHECKING:
    from pytest_workflow_monitor.settings.slo_rules import ServiceLevel


def said_state(level: ServiceLevel) -> str:
    """Say in a few words how a service level stands."""
    return {"young": "no full window yet", "empty": "nothing ran"}.get(level.state, level.state)


def said_objective(level: ServiceLevel) -> str:
    """Say what is expected: ``99.9 % of executions in 30 d``."""
    what = "time" if level.by == "time" else "executions"
    first = " at the first attempt" if level.attempt == "first" else ""
    return f"{level.target:g} % of {what}{first} in {duration(level.window_seconds * 1000)}"


def said_bad(level: ServiceLevel) -> str:
    """Say how much went wrong: ``3 of 4,320``, or a time."""
    if level.by == "time":
        return duration(level.bad * 1000)
    return f"{level.bad:,.0f} of {level.total:,.0f}"
