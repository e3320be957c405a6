"""Puts a report together: the verdict, the figures that are stored beside it, the sections."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.period.figures import total
from pytest_workflow_monitor.analysis.period.incidents import incidents
from pytest_workflow_monitor.analysis.period.sections import SECTIONS
from pytest_workflow_monitor.analysis.wording import availability, plural
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.words.period_report import Headline, Note, PeriodReport, Section, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.analysis.period.facts import PeriodFacts

logger = logging.getLogger("pytest_workflow_monitor.reporting")


def compose(
    facts: PeriodFacts, *, name: str = "", sections: Sequence[str] = tuple(SECTIONS)
) -> PeriodReport:
    """Make the report of what is known.

    Args:
        facts: What is known of the period.
        name: What the report is called; by default as its period.
        sections: The names of its sections, in their order.
    """
    said = (_section(it, facts) for it in sections)
    verdict, tone = _verdict(facts)
    return PeriodReport(
        name=name or facts.period.kind.value,
        project=facts.project,
        environment=facts.environment,
        period=facts.period,
        generated_at=facts.generated_at,
        verdict=verdict,
        tone=tone,
        headline=headline(facts),
        sections=tuple(it for it in said if it is not None),
    )


def _section(name: str, facts: PeriodFacts) -> Section | None:
    """Make a section; a mistake of ours in one must not cost the report all the others."""
    try:
        return SECTIONS[name](facts)
    except Exception as error:
        logger.exception("section %s", name, extra={"action": "section_failed"})
        sorry = f"This section could not be made: {type(error).__name__}: {error}."
        note = Note(text=sorry, tone=Tone.BAD)
        return Section(name=name, title=name.replace("_", " ").capitalize(), blocks=(note,))


def headline(facts: PeriodFacts) -> Headline:
    """Work out the figures that are stored beside the document."""
    now, before = total(facts.workflows), total(facts.before)
    return Headline(
        total_runs=now.runs,
        successful_runs=now.good,
        failed_runs=now.bad,
        success_rate=_percent(now.good, now.judged),
        avg_duration_ms=now.average_ms,
        critical_issues=sum(
            it.is_severe and it.priority is Priority.CRITICAL for it in incidents(facts.alerts)
        ),
        success_rate_trend=_difference(
            _percent(now.good, now.judged), _percent(before.good, before.judged)
        ),
        performance_trend=_relative(now.average_ms, before.average_ms),
        error_rate_trend=_difference(
            _percent(now.bad, now.judged), _percent(before.bad, before.judged)
        ),
    )


def _verdict(facts: PeriodFacts) -> tuple[str, Tone]:
    now, found = total(facts.workflows), incidents(facts.alerts)
    said = (
        f"{availability(now.good / now.judged)} of {plural(now.judged, 'execution')} passed"
        if now.judged
        else "No workflow ran in this period"
    )
    if found:
        still = sum(it.resolved_at is None for it in found)
        standing = _standing(len(found), still)
        tone = Tone.BAD if any(it.is_severe for it in found) else Tone.DOUBTFUL
        return f"{said}; {plural(len(found), 'incident')}, {standing}", tone
    if now.bad or not now.judged:
        return said, Tone.DOUBTFUL
    return f"All {plural(len(facts.workflows), 'workflow')} passed every time", Tone.GOOD


def _standing(count: int, still: int) -> str:
    if count == 1:
        return "still open" if still else "over"
    return f"{still} still open" if still else "all over"


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _difference(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before


def _relative(now: float | None, before: float | None) -> float | None:
    return None if now is None or not before else 100 * (now / before - 1)
