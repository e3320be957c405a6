"""Whether a session may pass: pure decisions from what it found and what is known from before."""

from pytest_workflow_monitor.analysis.gate.facts import Fault, Result, result_of
from pytest_workflow_monitor.analysis.gate.judging import asked_about, judge
from pytest_workflow_monitor.analysis.gate.records import (
    Ending,
    Finding,
    Novelty,
    OnBase,
    OnTarget,
    Past,
    Reason,
    Rule,
    Unjudged,
    Verdict,
)
from pytest_workflow_monitor.analysis.gate.saying import lines, unjudged_rules

__all__ = [
    "Ending",
    "Fault",
    "Finding",
    "Novelty",
    "OnBase",
    "OnTarget",
    "Past",
    "Reason",
    "Result",
    "Rule",
    "Unjudged",
    "Verdict",
    "asked_about",
    "judge",
    "lines",
    "result_of",
    "unjudged_rules",
]
