"""Makes the report of a period from what the store knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.alerting.matching import alert_facts, matches
from pytest_workflow_monitor.analysis.period.composing import compose
from pytest_workflow_monitor.analysis.period.facts import Key
from pytest_workflow_monitor.analysis.period.sections import SECTIONS
from pytest_workflow_monitor.keeping.slos import service_levels
from pytest_workflow_monitor.reporting.digging import dig

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.analysis.period.facts import Known
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.report_rules import ReportRule
    from pytest_workflow_monitor.settings.slo_rules import ServiceLevel
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.alerts import Alert, Silence
    from pytest_workflow_monitor.words.period_report import PeriodReport
    from pytest_workflow_monitor.words.periods import Period


def make(
    store: Store, settings: Settings, rule: ReportRule, period: Period, now: datetime
) -> PeriodReport:
    """Make a report.

    Args:
        store: The database; sums that are out of date are worked out first.
        settings: Whose workflows.
        rule: Of what, and which sections.
        period: Of when.
        now: When this is.

    Raises:
        StoreError: The database cannot be used.
    """
    store.sum_up(settings.project)
    environments = environments_of(settings, rule)
    wanted = _wanted(store, settings, rule)
    facts = store.period_facts(settings.project, environments, period, now, wanted)
    silences = tuple(it for it in facts.silences if _concerns(it, environments, wanted))
    facts = replace(
        dig(store, facts),
        silences=silences,
        hidden={it.silence_id: _hidden_by(it, facts.alerts) for it in silences},
        service_levels=_levels(store, settings, environments, period, facts.workflows),
    )
    return compose(facts, name=rule.name, sections=[it for it in rule.sections if it in SECTIONS])


def _levels(
    store: Store,
    settings: Settings,
    environments: Sequence[str],
    period: Period,
    workflows: Container[Key],
) -> tuple[ServiceLevel, ...]:
    """The service levels of the workflows of a report, at its end."""
    found = service_levels(store, settings, period.end, environments=environments)
    return tuple(
        it
        for it in found
        if Key(environment=it.environment, workflow_id=it.workflow_id) in workflows
    )


def _concerns(
    silence: Silence, environments: Sequence[str], wanted: Collection[str] | None
) -> bool:
    """Whether a silence may be about what a report is about."""
    about = {"environment": tuple(environments)}
    if wanted is not None:
        about["workflow"] = tuple(wanted)
    return matches({name: it for name, it in silence.match.items() if name in about}, about)


def _hidden_by(silence: Silence, alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """The alerts that opened while a silence about them held."""
    return tuple(
        it
        for it in alerts
        if silence.starts_at <= it.opened_at < silence.ends_at
        and matches(silence.match, alert_facts(it))
    )


def environments_of(settings: Settings, rule: ReportRule) -> tuple[str, ...]:
    """Return the environments that a report is about."""
    return rule.environments or (settings.environment,)


def _wanted(store: Store, settings: Settings, rule: ReportRule) -> frozenset[str] | None:
    """The workflows that a report is about; None for all."""
    if not rule.match:
        return None
    known = store.known_workflows(settings.project)
    return frozenset(it.workflow_id for it in known.values() if matches(rule.match, _facts(it)))


def _facts(known: Known) -> dict[str, tuple[str, ...]]:
    return {
        "workflow": (known.workflow_id,),
        "priority": (known.priority.value,),
        "owner": (known.owner,),
        "tag": known.tags,
    }
