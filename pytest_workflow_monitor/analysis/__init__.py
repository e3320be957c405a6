"""Pure functions over executions: outcomes, summaries, what is normal, what changed, what comes.

The methods for series of values are a library of their own: feed instants and values, get scores
and verdicts. Each name below is imported when it is first asked for, so that processes which only
count outcomes do not pay for the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.condition.risk import Reason, Risk, rank_risks, risk_of
    from pytest_workflow_monitor.analysis.condition.runs import Run
    from pytest_workflow_monitor.analysis.condition.states import Assessment, State, assess
    from pytest_workflow_monitor.analysis.series.anomalies import Detector
    from pytest_workflow_monitor.analysis.series.attribution import (
        Cause,
        CauseKind,
        attribute,
        first_seen,
    )
    from pytest_workflow_monitor.analysis.series.baselines import (
        Baseline,
        HourNormal,
        Scale,
        Season,
        SeriesOptions,
        SeriesState,
    )
    from pytest_workflow_monitor.analysis.series.changes import Change, find_changes
    from pytest_workflow_monitor.analysis.series.forecasts import Forecast, forecast
    from pytest_workflow_monitor.analysis.series.verdicts import Judgement, Verdict

__all__ = [
    "Assessment",
    "Baseline",
    "Cause",
    "CauseKind",
    "Change",
    "Detector",
    "Forecast",
    "HourNormal",
    "Judgement",
    "Reason",
    "Risk",
    "Run",
    "Scale",
    "Season",
    "SeriesOptions",
    "SeriesState",
    "State",
    "Verdict",
    "assess",
    "attribute",
    "find_changes",
    "first_seen",
    "forecast",
    "rank_risks",
    "risk_of",
]

_HOMES = {
    "series.anomalies": ("Detector",),
    "series.attribution": ("Cause", "CauseKind", "attribute", "first_seen"),
    "series.baselines": (
        "Baseline",
        "HourNormal",
        "Scale",
        "Season",
        "SeriesOptions",
        "SeriesState",
    ),
    "series.changes": ("Change", "find_changes"),
    "series.forecasts": ("Forecast", "forecast"),
    "condition.risk": ("Reason", "Risk", "rank_risks", "risk_of"),
    "condition.runs": ("Run",),
    "condition.states": ("Assessment", "State", "assess"),
    "series.verdicts": ("Judgement", "Verdict"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
