"""The rules of alerting as records, and how they are read from the settings.

Every reader raises ValueError or TypeError with one clause that says what is wrong and what is
allowed; a mistake in a table is named by its key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.settings.parsing import (
    count,
    flag,
    names,
    pause,
    table,
    tables,
    text,
    unknown_key,
    zone,
)
from pytest_workflow_monitor.words.durations import seconds

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MATCH_FIELDS = (
    "project",
    "environment",
    "workflow",
    "priority",
    "owner",
    "tag",
    "kind",
    "status",
    "location",
)
"""What a match may ask of an alert; patterns such as ``shop-*`` are allowed for each."""

FLAPPING_WINDOW = 20
FLAPPING_ABOVE = 0.20
CALM_BELOW = 0.05

WORKFLOW_FIELDS = ("project", "environment", "workflow", "priority", "owner", "tag")
"""What a policy may ask: what is known of a workflow before there is an alert."""

Match = dict[str, tuple[str, ...]]
"""Patterns by field: every field has to match, by one of its patterns."""


class Policy(Record, frozen=True, kw_only=True):
    """When a workflow's executions become an alert, and when it is over.

    Attributes:
        alert_after: So many failures in a row open an alert; None when only the other conditions
            hold.
        failures_in: ``(n, m)``: n failures among the last m executions open one; None for off.
        failing_for_seconds: Failing for so long opens one; None for off.
        resolve_after: So many passes in a row resolve it.
        alert_after_degraded: So many degraded passes in a row open a warning; 0 for never.
        alert_after_masked: So many passes in a row that needed a retry, each after the same
            error, open a warning; 0 for never.
        flapping: Whether changing to and fro gives one notice, and silence until it is calm.
        interrupted: Whether an execution that was stopped, or whose session died, is a failure;
            else it says nothing.
    """

    alert_after: int | None = 1
    failures_in: tuple[int, int] | None = None
    failing_for_seconds: float | None = None
    resolve_after: int = 1
    alert_after_degraded: int = 0
    alert_after_masked: int = 3
    flapping: bool = True
    interrupted: bool = False


class PolicyRule(Record, frozen=True, kw_only=True):
    """Deviations from the policy for the workflows that match."""

    match: Match
    changes: dict[str, Any]


class Telling(Record, frozen=True, kw_only=True):
    """How an alert is told.

    Attributes:
        group_wait_seconds: How long an incident waits for others of the same cause.
        remind_after_seconds: When an incident that nobody acknowledged is told again; the pause
            doubles each time. 0 for never.
        remind_at_most_seconds: The longest pause between reminders.
        digest_every_seconds: How long the oldest news waits for a digest.
        health_check: The workflow whose failure explains all others of its environment; "" for
            none.
    """

    group_wait_seconds: float = 30.0
    remind_after_seconds: float = 1800.0
    remind_at_most_seconds: float = 86400.0
    digest_every_seconds: float = 3600.0
    health_check: str = "health-check"


class AlertSettings(Record, frozen=True, kw_only=True):
    """The table ``alerts``: the policy of all workflows, and how alerts are told."""

    policy: Policy = Policy()
    telling: Telling = Telling()


class Route(Record, frozen=True, kw_only=True):
    """Which channels hear of the alerts that match, and how.

    ``channels`` empty means all. ``hours`` are minutes of the day ``(from, to)``, which may cross
    midnight, and ``days`` numbers from Monday as 0; both in ``timezone``. All routes that match
    count; ``digest`` puts the news in the channel's next digest.
    """

    match: Match = {}
    channels: tuple[str, ...] = ()
    mention: bool = True
    digest: bool = False
    hours: tuple[int, int] | None = None
    days: tuple[int, ...] = ()
    timezone: str = "UTC"


class Escalation(Record, frozen=True, kw_only=True):
    """Whom to tell too, when nobody has acknowledged for a while."""

    after_seconds: float
    channels: tuple[str, ...]
    match: Match = {}


class Maintenance(Record, frozen=True, kw_only=True):
    """A window that opens by a cron expression and stays open for a while."""

    name: str
    cron: str
    duration_seconds: float
    timezone: str = "UTC"
    match: Match = {}


class ChannelRule(Record, frozen=True, kw_only=True):
    """A destination: its type, its limits, and what only that type understands."""

    name: str
    type: str
    per_hour: int = 10
    per_day: int = 100
    options: dict[str, Any] = {}


DEFAULT_ROUTES = (
    Route(match={"priority": ("critical", "high")}),
    Route(match={"priority": ("medium",)}, mention=False),
    Route(match={"priority": ("low",)}, mention=False, digest=True),
)


def read_alerts(value: Any) -> AlertSettings:
    """Read the table ``alerts``."""
    given = table(value, {**_POLICY, **_TELLING}, "")
    policy = Policy(**policy_changes({key: given[key] for key in given if key in _POLICY}))
    telling = Telling(**{_TELLING_NAMES[key]: given[key] for key in given if key in _TELLING})
    return AlertSettings(policy=policy, telling=telling)


def policy_changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """Name what was given as :class:`Policy` does; a condition replaces the default one."""
    named = {_POLICY_NAMES.get(key, key): value for key, value in given.items()}
    if "alert_after" not in named and {"failures_in", "failing_for_seconds"} & named.keys():
        named["alert_after"] = None
    return named


def read_policies(value: Any) -> tuple[PolicyRule, ...]:
    """Read the tables ``alert_policies``: a match, and what is different then."""
    rules = []
    for number, item in enumerate(tables(value), 1):
        parsers = {"match": _read_workflow_match, **_POLICY}
        given = table(item, parsers, f"rule {number}", needed=("match",))
        match = given.pop("match")
        rules.append(PolicyRule(match=match, changes=policy_changes(given)))
    return tuple(rules)


def read_routes(value: Any) -> tuple[Route, ...]:
    """Read the tables ``routes``."""
    return tuple(
        Route(**table(item, _ROUTE, f"route {number}"))
        for number, item in enumerate(tables(value), 1)
    )


def read_escalations(value: Any) -> tuple[Escalation, ...]:
    """Read the tables ``escalations``, the soonest first."""
    found = []
    for number, item in enumerate(tables(value), 1):
        given = table(item, _ESCALATION, f"escalation {number}", needed=("after", "channels"))
        found.append(Escalation(after_seconds=given.pop("after"), **given))
    return tuple(sorted(found, key=lambda it: it.after_seconds))


def read_maintenance(value: Any) -> tuple[Maintenance, ...]:
    """Read the tables ``maintenance``."""
    found = []
    for number, item in enumerate(tables(value), 1):
        given = table(item, _MAINTENANCE, f"window {number}", needed=("cron", "duration"))
        name = given.pop("name", f"window {number}")
        found.append(Maintenance(name=name, duration_seconds=given.pop("duration"), **given))
    return tuple(found)


def read_channels(value: Any) -> tuple[ChannelRule, ...]:
    """Read the tables ``channels``: by name, each with its type; the type's own keys stay as given.

    Whether those are right only the channel's type can tell.
    """
    if not isinstance(value, Mapping) or not all(isinstance(it, Mapping) for it in value.values()):
        raise ValueError('expected tables by name, such as [channels.team] with type = "slack"')
    found = []
    for name, channel in value.items():
        common = {key: channel[key] for key in channel if key in _CHANNEL}
        given = table(common, _CHANNEL, f"channel {name!r}", needed=("type",))
        options = {key: item for key, item in channel.items() if key not in _CHANNEL}
        found.append(ChannelRule(name=name, options=options, **given))
    return tuple(found)


def read_match(value: Any, fields: Sequence[str] = MATCH_FIELDS) -> Match:
    """Read a match: fields with a pattern or a list of patterns each."""
    if not isinstance(value, Mapping):
        raise TypeError('expected a table such as { priority = ["critical", "high"] }')
    for key in value:
        if key not in fields:
            raise ValueError(unknown_key(key, fields))
    return {key: names(item) for key, item in value.items()}


def _read_workflow_match(value: Any) -> Match:
    return read_match(value, WORKFLOW_FIELDS)


def _some_of(value: Any) -> tuple[int, int]:
    if isinstance(value, list | tuple) and len(value) == 2:  # noqa: PLR2004 - a pair
        some, of = (count(1, 100)(it) for it in value)
        if some <= of:
            return some, of
    raise ValueError("expected two numbers such as [3, 5]: 3 failures among the last 5")


_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def _hours(value: Any) -> tuple[int, int]:
    found = _HOURS.fullmatch(value.replace(" ", "")) if isinstance(value, str) else None
    if found is None:
        raise ValueError('expected two times of the day such as "08:00-18:00"')
    first_hour, first_minute, last_hour, last_minute = map(int, found.groups())
    return first_hour * 60 + first_minute, last_hour * 60 + last_minute


def _days(value: Any) -> tuple[int, ...]:
    parts = names(value.replace(",", " ").split() if isinstance(value, str) else value)
    days: set[int] = set()
    for part in parts:
        first, _, last = part.lower().partition("-")
        if first not in DAY_NAMES or (last and last not in DAY_NAMES):
            raise ValueError('expected days such as "mon-fri" or ["sat", "sun"]')
        start, end = DAY_NAMES.index(first), DAY_NAMES.index(last or first)
        days |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    return tuple(sorted(days))


_POLICY: dict[str, Callable[[Any], Any]] = {
    "alert_after": count(1),
    "failures_in": _some_of,
    "failing_for": pause,
    "resolve_after": count(1),
    "alert_after_degraded": count(0),
    "alert_after_masked": count(0),
    "flapping": flag,
    "interrupted": flag,
}
_POLICY_NAMES = {"failing_for": "failing_for_seconds"}
_TELLING: dict[str, Callable[[Any], Any]] = {
    "group_wait": seconds,
    "remind_after": seconds,
    "remind_at_most": pause,
    "digest_every": pause,
    "health_check": text,
}
_TELLING_NAMES = {
    "group_wait": "group_wait_seconds",
    "remind_after": "remind_after_seconds",
    "remind_at_most": "remind_at_most_seconds",
    "digest_every": "digest_every_seconds",
    "health_check": "health_check",
}
_ROUTE: dict[str, Callable[[Any], Any]] = {
    "match": read_match,
    "channels": names,
    "mention": flag,
    "digest": flag,
    "hours": _hours,
    "days": _days,
    "timezone": zone,
}
_ESCALATION: dict[str, Callable[[Any], Any]] = {
    "after": pause,
    "channels": names,
    "match": read_match,
}
_MAINTENANCE: dict[str, Callable[[Any], Any]] = {
    "name": text,
    "cron": text,
    "duration": pause,
    "timezone": zone,
    "match": read_match,
}
_CHANNEL: dict[str, Callable[[Any], Any]] = {
    "type": text,
    "per_hour": count(1, 100_000),
    "per_day": count(1, 1_000_000),
}

READERS: dict[str, Callable[[Any], Any]] = {
    "alerts": read_alerts,
    "alert_policies": read_policies,
    "channels": read_channels,
    "routes": read_routes,
    "escalations": read_escalations,
    "maintenance": read_maintenance,
}
"""What reads each setting that is a table or a list of tables."""


def channels_of_environment(environ: Mapping[str, str]) -> tuple[ChannelRule, ...]:
    """Return the channels that well-known variables name, for those who configure none."""
    slack = environ.get("SLACK_WEBHOOK_URL") or (
        environ.get("SLACK_BOT_TOKEN") and environ.get("SLACK_CHANNEL")
    )
    found = {"slack": slack, "discord": environ.get("DISCORD_WEBHOOK_URL")}
    return tuple(ChannelRule(name=name, type=name) for name, value in found.items() if value)


def unknown_channels(
    channels: Sequence[ChannelRule], rules: Sequence[Route | Escalation]
) -> list[str]:
    """Return a sentence for each channel that a rule names and nobody configured."""
    known = [channel.name for channel in channels]
    return [
        f"unknown channel {name!r}; "
        + (f"known are {', '.join(known)}." if known else "no channel is configured.")
        for rule in rules
        for name in rule.channels
        if name not in known
    ]
