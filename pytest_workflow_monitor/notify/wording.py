"""What every channel says of a message: its words, and in which order; channels only give form.

All texts of a :class:`Story` are clean (:mod:`~pytest_workflow_monitor.notify.texts`) and of
bounded length, but not escaped: that is the markup's matter.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.wording import instant, plural
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.notify.messages import Item, Message, Picture, Point
from pytest_workflow_monitor.notify.texts import clean, clean_code, web_link
from pytest_workflow_monitor.words.alerts import SYSTEM, AlertKind, NotificationKind

if TYPE_CHECKING:
    from collections.abc import Iterable

ENTRIES = 8
"""So many alerts of one message are told with their step and error; of others the names."""

NAMES = 1_000
ERROR_LINES = 3
SUMMARY_LINES = 40
FIGURES = 13
POINTS = 12
COMMAND_LENGTH = 300
TITLE_LENGTH = 250
NAME_LENGTH = 120
LISTED_NAME_LENGTH = 60
VALUE_LENGTH = 300
ERROR_LENGTH = 400
FAILED_STEPS = 5
EXPLAINED = 10


class Tone(StrEnum):
    """What a message or an alert means for its reader; each has a colour, a mark and a word."""

    FAILED = "failed"
    DEGRADED = "degraded"
    PASSED = "passed"
    NEUTRAL = "neutral"


COLOURS = {
    Tone.FAILED: "#cf2a23",
    Tone.DEGRADED: "#d68a00",
    Tone.PASSED: "#19774a",
    Tone.NEUTRAL: "#868e99",
}
"""The bar beside a message; never without the mark and the word."""

MARKS = {Tone.FAILED: "✗", Tone.DEGRADED: "!", Tone.PASSED: "✓", Tone.NEUTRAL: "–"}

KIND_WORDS = {
    AlertKind.FAILING: "Failed",
    AlertKind.DEGRADED: "Degraded",
    AlertKind.FLAPPING: "Flapping",
    AlertKind.MASKED: "Passes only by retry",
    AlertKind.MISSED: "Did not run",
    AlertKind.RUNNER: "Monitoring problem",
    AlertKind.BURNING: "Burns its error budget",
}
STILL_WORDS = {
    AlertKind.FAILING: "Still failing",
    AlertKind.DEGRADED: "Still degraded",
    AlertKind.FLAPPING: "Still flapping",
    AlertKind.MASKED: "Still passes only by retry",
    AlertKind.MISSED: "Still does not run in time",
    AlertKind.RUNNER: "Monitoring problem continues",
    AlertKind.BURNING: "Still burns its error budget",
}
MESSAGE_WORDS = {
    NotificationKind.ESCALATION: "Escalated",
    NotificationKind.ACKNOWLEDGED: "Acknowledged",
    NotificationKind.RESOLVED: "Resolved",
    NotificationKind.PASSED: "Passed",
    NotificationKind.DIGEST: "Digest",
    NotificationKind.SUMMARY: "Summary",
}
RESOLVED = "resolved"
STEP, ERROR = "step", "error"
READ_ON = "Read on"
SAMPLE = "A sample: nothing has happened."

_SEVERE = frozenset({AlertKind.FAILING, AlertKind.MISSED, AlertKind.RUNNER, AlertKind.BURNING})
_GOOD = frozenset({NotificationKind.RESOLVED, NotificationKind.PASSED})
_WITHOUT_ERROR = _GOOD | {NotificationKind.DIGEST, NotificationKind.SUMMARY}


class Fact(Record, frozen=True, kw_only=True):
    """One thing to know.

    Attributes:
        label: What it is.
        value: What is to be said; of an instant the time in UTC.
        at: The instant, for channels that show it in their reader's zone.
        rest: What follows the time.
        is_code: Whether it is an id to copy.
    """

    label: str
    value: str
    at: datetime | None = None
    rest: str = ""
    is_code: bool = False

    @property
    def text(self) -> str:
        """The value in full."""
        return ", ".join(part for part in (self.value, self.rest) if part)


class Entry(Record, frozen=True, kw_only=True):
    """One of several alerts in brief."""

    tone: Tone
    word: str
    name: str
    priority: str
    detail: str = ""
    url: str = ""


class NameGroup(Record, frozen=True, kw_only=True):
    """Alerts of which only the names are told."""

    tone: Tone
    word: str
    names: tuple[str, ...]


class Advice(Record, frozen=True, kw_only=True):
    """Something that needs attention, what shows it, and what helps."""

    tone: Tone
    text: str
    detail: str = ""
    command: str = ""
    url: str = ""


class Link(Record, frozen=True, kw_only=True):
    """Where to read on."""

    label: str
    url: str


class Story(Record, frozen=True, kw_only=True):
    """A message in words.

    Attributes:
        tone: What it means.
        word: The same as a word, such as ``Failed`` or ``Still failing``.
        title: One line that says it all.
        lead: What else is to be said first, such as who acknowledged; may be empty.
        facts: What to know about the one alert, or about all of several, in order.
        error: The error in at most three lines.
        entries: The first of several alerts.
        groups: The names of the others.
        missing: How many more there are that are not even named.
        lines: The lines of a summary.
        points: What needs attention.
        links: Where to read on.
        picture: What the page looked like.
        footer: Whose message it is.
    """

    tone: Tone
    word: str
    title: str
    lead: str = ""
    facts: tuple[Fact, ...] = ()
    error: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    groups: tuple[NameGroup, ...] = ()
    missing: int = 0
    lines: tuple[str, ...] = ()
    points: tuple[Advice, ...] = ()
    links: tuple[Link, ...] = ()
    picture: Picture | None = None
    footer: str = ""

    @property
    def verdict(self) -> str:
        """Mark and word."""
        return f"{MARKS[self.tone]} {self.word}"

    @property
    def headline(self) -> str:
        """Word and title in one line, for where there is only one."""
        return f"{self.word}: {self.title}"


def story(message: Message) -> Story:
    """Put a message into words."""
    items = message.items
    shown = items if len(items) > 1 else ()
    told = None if message.kind in _WITHOUT_ERROR else next((it for it in items if it.error), None)
    title = clean(message.title, TITLE_LENGTH) or "A message without a title"
    return Story(
        tone=_tone(message),
        word=_word(message),
        title=f"Sample: {title}" if message.is_test else title,
        lead=_lead(message),
        facts=_facts(message),
        error=_error(told) if told else (),
        entries=tuple(_entry(it, _alike(items)) for it in shown[:ENTRIES]),
        groups=_groups(shown[ENTRIES:NAMES]),
        missing=max(sum(message.counts.values()), len(items)) - min(len(items), NAMES),
        lines=tuple(
            line
            for line in (clean(it, VALUE_LENGTH) for it in message.summary[:SUMMARY_LINES])
            if line
        ),
        points=tuple(map(_advice, message.points[:POINTS])),
        links=_links(message),
        picture=_picture(message),
        footer=_footer(message),
    )


def text(told: Story) -> str:
    """Say a story without markup, for mail readers, terminals and services that show only text."""
    parts = [f"{told.verdict}: {told.title}", told.lead]
    width = max((len(fact.label) for fact in told.facts), default=0)
    parts.append("\n".join(f"{fact.label:<{width}}  {fact.text}" for fact in told.facts))
    parts.append("\n".join(f"  {line}" for line in told.error))
    parts.append("\n".join(told.lines))
    parts.append("\n".join(advice_text(advice) for advice in told.points))
    parts.append("\n".join(_entry_text(entry) for entry in told.entries))
    parts += [f"{heading(group)}: {', '.join(group.names)}" for group in told.groups]
    parts.append(more(told))
    parts.append("\n".join(f"{link.label}: {link.url}" for link in told.links))
    parts.append(told.footer)
    return "\n\n".join(part for part in parts if part)


def advice_text(advice: Advice) -> str:
    """Say what needs attention, with what shows it and what helps on lines of their own."""
    helps = [f"    {it}" for it in (advice.detail, advice.command, advice.url) if it]
    return "\n".join([f"{MARKS[advice.tone]} {advice.text}", *helps])


def heading(group: NameGroup) -> str:
    """Say what a group of names is: ``✗ Failed (12)``."""
    return f"{MARKS[group.tone]} {group.word} ({len(group.names):,})"


def more(told: Story) -> str:
    """Say how many alerts are not even named, "" for none."""
    return f"and {told.missing:,} more" if told.missing else ""


def _tone(message: Message) -> Tone:
    if message.tone is not None:
        return Tone(message.tone.value)
    if message.is_good or message.kind in _GOOD:
        return Tone.PASSED
    tones = {_item_tone(item) for item in message.items}
    for tone in (Tone.FAILED, Tone.DEGRADED, Tone.PASSED):
        if tone in tones:
            return tone
    return Tone.NEUTRAL


def _item_tone(item: Item) -> Tone:
    if item.state == RESOLVED:
        return Tone.PASSED
    return Tone.FAILED if item.kind in _SEVERE else Tone.DEGRADED


def _word(message: Message) -> str:
    if message.word:
        return clean(message.word, NAME_LENGTH)
    if message.kind in MESSAGE_WORDS:
        return MESSAGE_WORDS[message.kind]
    items = sorted(message.items, key=lambda it: _item_tone(it) is not _tone(message))
    if message.kind is NotificationKind.REMINDER:
        return STILL_WORDS[items[0].kind] if items else "Reminder"
    if len(items) == 1:
        return _item_word(items[0])
    return KIND_WORDS[items[0].kind] if items else "Alert"


def _item_word(item: Item) -> str:
    if item.state == RESOLVED:
        return "Resolved"
    if item.state == "acknowledged":
        return "Acknowledged"
    status = clean(item.status_word, NAME_LENGTH) if item.kind is AlertKind.FAILING else ""
    return status or KIND_WORDS[item.kind]


def _lead(message: Message) -> str:
    """Say what is new, as one sentence: what happened, who did it, and why it comes now."""
    note = clean(message.note, VALUE_LENGTH)
    actor = clean(message.actor, NAME_LENGTH)
    by = f" by {actor}" if actor and actor != SYSTEM else ""
    lasted = clean(message.items[0].lasted, NAME_LENGTH) if len(message.items) == 1 else ""
    lasted = "" if lasted in message.title else lasted
    match message.kind:
        case NotificationKind.ACKNOWLEDGED:
            said = f"Acknowledged{by}" if by else ""
        case NotificationKind.RESOLVED:
            said = f"Resolved{by}{f' after {lasted}' if lasted else ''}" if by or lasted else ""
        case NotificationKind.REMINDER:
            said = f"{_word(message)} after {lasted}" if lasted else ""
        case _:
            said = ""
    if note and not said:
        note = note[0].upper() + note[1:]
    return ": ".join(part for part in (said, note) if part)


def _facts(message: Message) -> tuple[Fact, ...]:
    if len(message.items) == 1:
        found = _facts_of_one(message, message.items[0])
    else:
        found = _facts_of_many(message)
    return tuple(fact for fact in found if fact.value)


def _facts_of_one(message: Message, item: Item) -> list[Fact]:
    is_over = message.kind is NotificationKind.RESOLVED
    status = clean(item.status_word, NAME_LENGTH)
    return [
        Fact(label="Part" if item.kind is AlertKind.RUNNER else "Workflow", value=_name(item)),
        _fact("Environment", message.environment),
        _fact("Failing step", "" if is_over else item.failing_step),
        _fact("Status", status if status != _word(message) and not is_over else ""),
        Fact(label="Priority", value=item.priority.value),
        _since(message, item.since, item.lasted, is_over=is_over),
        _fact("Before", item.how_often),
        _fact("Duration", item.duration),
        _fact("Failed steps", "" if is_over else _failed_steps(item)),
        _fact("Error", item.error[0] if is_over and item.error else ""),
        _fact("Likely cause", item.cause),
        _fact("Reason", item.reason),
        _fact("Explains", _listed(item.explained, EXPLAINED)),
        _fact("Owner", item.owner),
        _fact("Runbook", "" if web_link(item.runbook) else item.runbook),
        Fact(label="Run", value=clean(item.run_id, NAME_LENGTH), is_code=True),
    ]


def _facts_of_many(message: Message) -> list[Fact]:
    items = message.items
    states = ", ".join(f"{count:,} {clean(name, 40)}" for name, count in message.counts.items())
    if not items:
        figures = (
            _fact(clean(it.label, LISTED_NAME_LENGTH) or "Figure", clean(it.value, NAME_LENGTH))
            for it in message.figures[:FIGURES]
        )
        return [_fact("Environment", message.environment), *figures, _fact("Alerts", states)]
    alike = _alike(items)
    return [
        _fact("Environment", message.environment),
        Fact(label="Priority", value=message.priority.value),
        _fact("Alerts", states or plural(len(items), "workflow")),
        _since(message, min(item.since for item in items), "", is_over=False),
        _fact("Likely cause", _shared(item.cause for item in items)),
        _fact("Failing step", alike.get(STEP, "")),
        _fact("Error", alike.get(ERROR, "") if message.kind in _WITHOUT_ERROR else ""),
        _fact("Owner", _shared(item.owner for item in items)),
    ]


def _fact(label: str, value: str) -> Fact:
    return Fact(label=label, value=clean(value, VALUE_LENGTH))


def _since(message: Message, since: datetime, lasted: str, *, is_over: bool) -> Fact:
    duration = clean(lasted, NAME_LENGTH)
    rest = (f"lasted {duration}" if is_over else f"for {duration}") if duration else ""
    said = f"{instant(since, reference=message.at, zone=UTC)} UTC"
    return Fact(label="Began" if is_over else "Since", value=said, at=since, rest=rest)


def _failed_steps(item: Item) -> str:
    names = _listed(item.failed_steps, FAILED_STEPS)
    if not names or not item.steps_total:
        return names
    return f"{len(item.failed_steps)} of {item.steps_total}: {names}"


def _listed(names: tuple[str, ...], limit: int) -> str:
    said = ", ".join(clean(name, LISTED_NAME_LENGTH) for name in names[:limit])
    return f"{said} and {len(names) - limit:,} more" if len(names) > limit else said


def _shared(values: Iterable[str]) -> str:
    """Return what all have in common, "" when they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def _name(item: Item) -> str:
    return clean(item.name, NAME_LENGTH) or clean(item.workflow_id, NAME_LENGTH) or "(no name)"


def _error(item: Item) -> tuple[str, ...]:
    return tuple(clean_code(line, ERROR_LENGTH) for line in item.error[:ERROR_LINES])


def _alike(items: tuple[Item, ...]) -> dict[str, str]:
    """Return what all alerts that are still open share; it need not be told of each."""
    still_open = [it for it in items if it.state != RESOLVED]
    found = {
        STEP: _shared(it.failing_step for it in still_open),
        ERROR: _shared(_first(it.error) for it in still_open),
    }
    return {label: value for label, value in found.items() if value and len(still_open) > 1}


def _first(lines: tuple[str, ...]) -> str:
    return lines[0] if lines else ""


def _advice(point: Point) -> Advice:
    return Advice(
        tone=Tone(point.tone.value),
        text=clean(point.text, VALUE_LENGTH) or "(nothing said)",
        detail=clean(point.detail, VALUE_LENGTH),
        command=clean_code(point.command, COMMAND_LENGTH),
        url=web_link(point.url),
    )


def _entry(item: Item, alike: dict[str, str]) -> Entry:
    is_over = item.state == RESOLVED
    lasted = f"lasted {clean(item.lasted, NAME_LENGTH)}" if is_over and item.lasted else ""
    own = {STEP: item.failing_step, ERROR: _first(item.error)}
    told = ": ".join(
        clean(value, VALUE_LENGTH)
        for label, value in own.items()
        if value and not is_over and label not in alike
    )
    return Entry(
        tone=_item_tone(item),
        word=_item_word(item),
        name=_name(item),
        priority=item.priority.value,
        detail=lasted or told,
        url=web_link(item.evidence_url),
    )


def _entry_text(entry: Entry) -> str:
    said = f"{MARKS[entry.tone]} {entry.word}: {entry.name}, {entry.priority}"
    return f"{said}, {entry.detail}" if entry.detail else said


def _groups(items: tuple[Item, ...]) -> tuple[NameGroup, ...]:
    named: dict[tuple[Tone, str], list[str]] = {}
    for item in items:
        names = named.setdefault((_item_tone(item), _item_word(item)), [])
        names.append(clean(_name(item), LISTED_NAME_LENGTH))
    return tuple(
        NameGroup(tone=tone, word=word, names=tuple(names)) for (tone, word), names in named.items()
    )


def _links(message: Message) -> tuple[Link, ...]:
    only = message.items[0] if len(message.items) == 1 else None
    picture = _picture(message)
    found = [
        ("Open the run", only.evidence_url if only else ""),
        ("Open the report", message.report_url),
        ("Runbook", only.runbook if only else ""),
        ("Screenshot", picture.url if picture else ""),
    ]
    safe = [Link(label=label, url=web_link(url)) for label, url in found if web_link(url)]
    return tuple(
        link for place, link in enumerate(safe) if link.url not in {it.url for it in safe[:place]}
    )


def _picture(message: Message) -> Picture | None:
    if message.kind in _WITHOUT_ERROR:
        return None
    return next((item.picture for item in message.items if item.picture), None)


def _footer(message: Message) -> str:
    whose = " · ".join(
        clean(part, NAME_LENGTH) for part in (message.project, message.environment) if part
    )
    sample = SAMPLE if message.is_test else ""
    return " · ".join(part for part in ("Workflow monitor", whose, sample) if part)
