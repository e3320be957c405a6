"""Compares what was measured with what the marker and the settings allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from pytest_workflow_monitor.words.metric_names import MORE_IS_BETTER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_workflow_monitor.model import Metric


LARGE = 100
"""From here on a sentence says a number without its fraction."""


class Judgement(NamedTuple):
    """The metrics with their limits, and a sentence for each budget that does not hold."""

    metrics: list[Metric]
    reasons: list[str]


def judge(metrics: Sequence[Metric], budgets: Mapping[str, float]) -> Judgement:
    """Hold metrics against budgets.

    A metric that came with a threshold of its own keeps it. Where several visits of a page are
    beyond a budget, the reason names the worst.
    """
    judged: list[Metric] = []
    worst: dict[tuple[str, str], Metric] = {}
    for metric in metrics:
        limit = budgets.get(metric.name)
        if limit is None or metric.threshold_value is not None:
            judged.append(metric)
            continue
        is_within = _excess(metric, limit) <= 0
        measured = replace(metric, threshold_value=limit, is_within_threshold=is_within)
        judged.append(measured)
        if not is_within:
            key = (metric.name, metric.page)
            known = worst.get(key)
            if known is None or _excess(known, limit) < _excess(measured, limit):
                worst[key] = measured
    return Judgement(judged, [_reason(metric) for metric in worst.values()])


def unmeasured(metrics: Sequence[Metric], budgets: Mapping[str, float]) -> list[str]:
    """Return a sentence for each budget of a metric that was not measured."""
    names = {metric.name for metric in metrics}
    return [
        f"{name} was not measured, so that its budget of {limit:,g} could not be checked"
        for name, limit in budgets.items()
        if name not in names
    ]


def _excess(metric: Metric, limit: float) -> float:
    return limit - metric.value if metric.name in MORE_IS_BETTER else metric.value - limit


def _reason(metric: Metric) -> str:
    limit = _exact(metric.threshold_value or 0.0)
    value = f"{metric.value:,.0f}"
    if metric.value < LARGE or value == limit:
        value = _exact(metric.value)
    unit = f" {metric.unit}" if metric.unit else ""
    place = f" on {metric.page}" if metric.page else ""
    beyond = "below" if metric.name in MORE_IS_BETTER else "beyond"
    return f"{metric.name} is {value}{unit}{place}, {beyond} its budget of {limit}{unit}"


def _exact(value: float) -> str:
    return f"{value:,.4f}".rstrip("0").rstrip(".")
