"""The words of reports over periods: which there are, of what, when, and for whom.

Readers raise ValueError or TypeError with one clause that says what is wrong and what is allowed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.settings.alert_rules import (
    WORKFLOW_FIELDS,
    ChannelRule,
    Match,
    read_match,
)
from pytest_workflow_monitor.settings.parsing import flag, names, table, tables, text, zone
from pytest_workflow_monitor.words.periods import PeriodKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SECTIONS = (
    "overview",
    "recommendations",
    "service_levels",
    "incidents",
    "workflows",
    "hours",
    "movers",
    "steps",
    "anomalies",
    "flaky",
    "errors",
    "budgets",
    "slots",
    "silenced",
)
"""Every section, in the order in which a report shows them."""

CRONS = {
    PeriodKind.HOURLY: "5 * * * *",
    PeriodKind.DAILY: "0 8 * * *",
    PeriodKind.WEEKLY: "0 8 * * mon",
    PeriodKind.MONTHLY: "0 8 1 * *",
}
"""When a report is made, where its definition does not say."""

KINDS = tuple(it.value for it in CRONS)


class ReportRule(Record, frozen=True, kw_only=True):
    """A report that the scheduler makes.

    Attributes:
        name: What it is called; part of its identity.
        period: How long it looks back.
        cron: When it is made, in ``timezone``.
        timezone: Whose hours and days it speaks of; empty for the setting ``timezone``.
        sections: The names of its sections, in their order.
        environments: Of these; empty for the setting ``environment``.
        match: Only workflows that match, by id, priority, owner or tag.
        channels: Who gets it; empty for nobody.
        only_when: Whether it is sent always or only when something needs attention.
        attach: Whether channels that can carry files get the HTML file.
    """

    name: str
    period: PeriodKind = PeriodKind.DAILY
    cron: str = CRONS[PeriodKind.DAILY]
    timezone: str = ""
    sections: tuple[str, ...] = SECTIONS
    environments: tuple[str, ...] = ()
    match: Match = {}
    channels: tuple[str, ...] | None = None
    only_when: str = "always"
    attach: bool = True


DEFAULT_REPORTS = (ReportRule(name="daily"),)


def read_reports(value: Any) -> tuple[ReportRule, ...]:
    """Read the tables ``reports``: by name; an empty table for none."""
    found = []
    for number, item in enumerate(tables(value), 1):
        given = table(item, _REPORT, f"report {number}", needed=("name",))
        period = given.get("period", PeriodKind.DAILY)
        found.append(ReportRule(**({"cron": CRONS[period]} | given)))
    taken = [it.name for it in found]
    twice = next((name for name in taken if taken.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two reports are called {twice!r}; each needs a name of its own")
    return tuple(found)


PLACES = ("id", "name", "environment", "day", "hour")
"""What may stand in braces in the address of a report."""


def check_places(address: str) -> None:
    """Refuse an address with braces around something else than one of :data:`PLACES`."""
    for given in re.findall(r"\{([^{}]*)\}", address):
        if given not in PLACES:
            raise ValueError(f"unknown place {{{given}}}; known are {', '.join(PLACES)}")


def filled(address: str, places: Mapping[str, str]) -> str:
    """Fill the places in braces of an address."""
    for name, value in places.items():
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    return address


def unknown_recipients(channels: Sequence[ChannelRule], reports: Sequence[ReportRule]) -> list[str]:
    """Return a sentence for each channel that a report names and nobody configured."""
    known = [channel.name for channel in channels]
    return [
        f"report {rule.name!r}: unknown channel {name!r}; "
        + (f"known are {', '.join(known)}." if known else "no channel is configured.")
        for rule in reports
        for name in rule.channels or ()
        if name not in known
    ]


def _name(value: Any) -> str:
    if not text(value).strip():
        raise ValueError("expected a name")
    return text(value)


def _period(value: Any) -> PeriodKind:
    if value not in KINDS:
        raise ValueError(f"expected one of {', '.join(KINDS)}")
    return PeriodKind(value)


def _sections(value: Any) -> tuple[str, ...]:
    given = names(value)
    for name in given:
        if name not in SECTIONS:
            raise ValueError(f"unknown section {name!r}; known are {', '.join(SECTIONS)}")
    return given


def _channels(value: Any) -> tuple[str, ...]:
    return () if value == [] else names(value)


def _only_when(value: Any) -> str:
    if value not in {"always", "attention"}:
        raise ValueError("expected one of always, attention")
    return text(value)


def _match(value: Any) -> Mapping[str, tuple[str, ...]]:
    return read_match(value, tuple(it for it in WORKFLOW_FIELDS if it not in _OWN_KEYS))


_OWN_KEYS = frozenset({"project", "environment"})
_REPORT: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "period": _period,
    "cron": text,
    "timezone": zone,
    "sections": _sections,
    "environments": names,
    "match": _match,
    "channels": _channels,
    "only_when": _only_when,
    "attach": flag,
}
READERS: dict[str, Callable[[Any], Any]] = {"reports": read_reports}
"""What reads the setting that is a list of tables."""
