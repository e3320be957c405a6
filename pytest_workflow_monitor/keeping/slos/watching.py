"""Opens and resolves the alerts about error budgets that burn."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_workflow_monitor.alerting.rules import rules_of
from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.period.facts import Key
from pytest_workflow_monitor.keeping.alerts.judging import SWITCHED_OFF
from pytest_workflow_monitor.keeping.alerts.others import Problem, clear_problems, report_problems
from pytest_workflow_monitor.keeping.slos.levels import service_levels
from pytest_workflow_monitor.words.alerts import AlertKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.slo_rules import Burn, ServiceLevel
    from pytest_workflow_monitor.store import Store

OVER = "its error budget burns no more"


def watch(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    environments: Sequence[str] | None = None,
) -> tuple[ServiceLevel, ...]:
    """Work the service levels out, and open or resolve the alerts about budgets that burn.

    A workflow has one alert, whatever number of its objectives burn, until none does: also because
    it is not executed any more, or nothing is expected of it now.

    Args:
        store: The database.
        settings: The objectives, and how people are told.
        now: The present.
        environments: Only in these; by default in all.
    """
    store.sum_up(settings.project)
    found = service_levels(store, settings, now, environments=environments)
    rules, problems = rules_of(settings), _problems(found)
    for environment, burning in _by_environment(problems).items():
        report_problems(
            store, rules, settings.project, environment, [problems[key] for key in burning], now
        )
    calm = set(store.burning(settings.project, environments)) - problems.keys()
    for environment, keys in _by_environment(calm).items():
        ids = [it.workflow_id for it in keys]
        scope = settings.project, environment
        clear_problems(store, rules, *scope, ids, AlertKind.BURNING, OVER, now)
    return found


def said_burn(level: ServiceLevel, burning: Burn) -> str:
    """Say that a budget burns, how quickly, and what is left of it."""
    long = wording.duration(burning.long_seconds * 1000)
    left = "" if level.left is None else f"; {wording.percent(level.left)} of it is left"
    return (
        f"the error budget of {level.target:g} % burns {burning.long_rate:.1f} times too quickly, "
        f"over {long}{left}"
    )


def _problems(levels: Iterable[ServiceLevel]) -> Mapping[Key, Problem]:
    found: dict[Key, list[tuple[ServiceLevel, Burn]]] = defaultdict(list)
    for it in levels:
        burning = it.burning
        if burning is not None:
            found[Key(environment=it.environment, workflow_id=it.workflow_id)].append((it, burning))
    return {key: _problem(burning) for key, burning in found.items()}


def _problem(burning: Sequence[tuple[ServiceLevel, Burn]]) -> Problem:
    level = burning[0][0]
    return Problem(
        key=level.workflow_id,
        kind=AlertKind.BURNING,
        reason="; ".join(_lasting(*it) for it in burning),
        name=level.workflow_name,
        priority=level.priority,
        owner=level.owner,
        tags=level.tags,
        quiet="" if level.notifies else SWITCHED_OFF,
    )


def _lasting(level: ServiceLevel, burning: Burn) -> str:
    """Say that a budget burns, in words that stay true while it does: each change is an event."""
    long, short = (
        wording.duration(it * 1000) for it in (burning.long_seconds, burning.short_seconds)
    )
    window = wording.duration(level.window_seconds * 1000)
    return (
        f"the error budget of {level.target:g} % in {window} burns more than {burning.factor:g} "
        f"times too quickly, over {long} and over {short}"
    )


def _by_environment(keys: Iterable[Key]) -> dict[str, list[Key]]:
    found: dict[str, list[Key]] = defaultdict(list)
    for key in sorted(keys):
        found[key.environment].append(key)
    return found
