"""Whether the cron expressions in settings are right.

What reads them is imported only where there are some: every pytest run comes by here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.settings.effective import Settings


def check_crons(settings: Settings) -> None:
    """Refuse maintenance windows and reports whose cron expression is wrong.

    Raises:
        SettingsError: One sentence for each of them, all at once.
    """
    problems = [
        f"{settings.sources[key]}: {key}: {name}: cron = {expression!r}: {reason}."
        for key, name, expression in _given(settings)
        if (reason := _mistake(expression))
    ]
    if problems:
        raise SettingsError("\n".join(problems))


def _given(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """List the expressions that somebody wrote: those that hold by default are right."""
    for key, rules in (("maintenance", settings.maintenance), ("reports", settings.reports)):
        if key in settings.sources:
            for rule in rules:
                yield key, rule.name, rule.cron


def _mistake(expression: str) -> str:
    from pytest_workflow_monitor import cron

    try:
        cron.check(expression)
    except ValueError as error:
        return str(error)
    return ""
