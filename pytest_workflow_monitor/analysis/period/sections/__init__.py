"""The sections of period reports, one file each, in the order in which they are read.

A section is a function from what is known to what is said, or None when there is nothing to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.sections import (
    anomalies,
    budgets,
    errors,
    flaky,
    hours,
    incidents,
    movers,
    overview,
    recommendations,
    service_levels,
    silenced,
    slots,
    steps,
    workflows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts
    from pytest_workflow_monitor.words.period_report import Section

SECTIONS: dict[str, Callable[[PeriodFacts], Section | None]] = {
    "overview": overview.section,
    "recommendations": recommendations.section,
    "service_levels": service_levels.section,
    "incidents": incidents.section,
    "workflows": workflows.section,
    "hours": hours.section,
    "movers": movers.section,
    "steps": steps.section,
    "anomalies": anomalies.section,
    "flaky": flaky.section,
    "errors": errors.section,
    "budgets": budgets.section,
    "slots": slots.section,
    "silenced": silenced.section,
}
"""Every section by its name, as settings name it."""
