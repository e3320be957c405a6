"""The figures that say it all at a glance, each against the period before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.figures import mean, total
from pytest_workflow_monitor.analysis.period.incidents import incidents
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.words.period_report import (
    Fact,
    Facts,
    Form,
    LineChart,
    Mark,
    Section,
    Series,
    Tone,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, timedelta

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts, Sums
    from pytest_workflow_monitor.analysis.period.incidents import Incident
    from pytest_workflow_monitor.words.period_report import Block

AGAINST = "the period before"
LEAST_DAYS = 2
"""A chart of fewer days would show nothing that the figures do not."""


def section(facts: PeriodFacts) -> Section:
    """Say how the period went as a whole."""
    now, before = total(facts.workflows), total(facts.before)
    found, earlier = incidents(facts.alerts), incidents(facts.alerts_before)
    grave = [it for it in found if it.is_severe]
    detected = mean(it.detected_after for it in grave if it.opened_at >= facts.period.start)
    recovered = mean(_recoveries(facts, grave))
    critical = sum(it.priority is Priority.CRITICAL for it in grave)
    blocks: list[Block] = [
        Facts(
            facts=(
                _share("Success rate", now.availability, before.availability),
                _share("At the first attempt", _first(now), _first(before)),
                Fact(label="Executions", value=now.runs, form=Form.COUNT),
                Fact(
                    label="Incidents",
                    value=len(found),
                    form=Form.COUNT,
                    change=float(len(found) - len(earlier)),
                    change_form=Form.CHANGE_COUNT,
                    change_tone=_tone(len(earlier) - len(found)),
                    against=AGAINST,
                ),
                Fact(label="Critical issues", value=critical, form=Form.COUNT),
                _duration("Mean time to detect", detected),
                _duration("Mean time to recover", recovered),
                _median(now, before),
            )
        )
    ]
    chart = _chart(facts)
    if chart:
        blocks.append(chart)
    return Section(name="overview", title="Overview", blocks=tuple(blocks))


def _recoveries(facts: PeriodFacts, found: Iterable[Incident]) -> Iterator[timedelta]:
    """How long those lasted that were over in the period."""
    for it in found:
        if it.resolved_at and it.recovered_after and it.resolved_at < facts.period.end:
            yield it.recovered_after


def _share(label: str, now: float | None, before: float | None) -> Fact:
    change = None if now is None or before is None else now - before
    return Fact(
        label=label,
        value=now,
        form=Form.SHARE,
        change=change,
        change_form=Form.CHANGE_SHARE,
        change_tone=_tone(change or 0),
        against=AGAINST if change is not None else "",
    )


def _first(sums: Sums) -> float | None:
    return sums.first_attempt / sums.judged if sums.judged else None


def _duration(label: str, length: timedelta | None) -> Fact:
    value = None if length is None else length.total_seconds() * 1000
    return Fact(label=label, value=value, form=Form.DURATION)


def _median(now: Sums, before: Sums) -> Fact:
    value, earlier = now.durations.quantile(0.5), before.durations.quantile(0.5)
    change = None if value is None or earlier is None else value - earlier
    return Fact(
        label="Median duration",
        value=value,
        form=Form.DURATION,
        change=change,
        change_form=Form.CHANGE_DURATION,
        against=AGAINST if change is not None else "",
    )


def _tone(better: float) -> Tone:
    if better == 0:
        return Tone.NEUTRAL
    return Tone.GOOD if better > 0 else Tone.BAD


def _chart(facts: PeriodFacts) -> LineChart | None:
    by_day: dict[datetime, tuple[int, int]] = {}
    for day in facts.days:
        good, judged = by_day.get(day.starts_at, (0, 0))
        by_day[day.starts_at] = good + day.sums.good, judged + day.sums.judged
    instants = tuple(sorted(it for it in by_day if it < facts.period.end))
    if len(instants) < LEAST_DAYS:
        return None
    shares = tuple(
        good / judged if judged else None for good, judged in map(by_day.__getitem__, instants)
    )
    return LineChart(
        title="Success rate by day",
        form=Form.SHARE,
        instants=instants,
        series=(Series(name="Success rate", values=shares),),
        marks=tuple(
            Mark(at=it.deployed_at, label=it.name)
            for it in facts.deployments
            if it.deployed_at >= instants[0]
        ),
        from_zero=False,
    )
