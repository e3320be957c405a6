"""What a test's entry in JUnit XML says of the workflow it is: properties of its last report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import PROBLEMS

if TYPE_CHECKING:
    import pytest

    from pytest_workflow_monitor.recording.recorder import Recorder

MAX_REASON = 1_000


def add_properties(report: pytest.TestReport, recorder: Recorder) -> None:
    """Add properties to the report of a tear-down, which pytest writes into JUnit XML.

    They are added to this report alone: those of the item would stay for its next attempt.
    """
    workflow, steps = recorder.workflow, recorder.details.steps
    failed = [step for step in steps if step.status in PROBLEMS]
    properties = {
        "workflow_id": workflow.workflow_id,
        "workflow_name": workflow.name,
        "workflow_run_id": recorder.run_id,
        "workflow_priority": workflow.priority.value,
        "workflow_owner": workflow.owner,
        "workflow_tags": ", ".join(workflow.tags),
        "workflow_status": recorder.status.value,
        "workflow_attempt": str(recorder.number),
        "workflow_will_retry": "true" if recorder.will_retry else "",
        "workflow_steps": str(len(steps)),
        "workflow_steps_failed": str(len(failed)) if failed else "",
        "workflow_failed_step": failed[-1].name if failed else "",
        "workflow_degraded": "; ".join(recorder.details.degraded)[:MAX_REASON],
    }
    report.user_properties += [
        (name, known.text(value)) for name, value in properties.items() if value
    ]
