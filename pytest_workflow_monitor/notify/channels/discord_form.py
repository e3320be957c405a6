"""The form of a message in Discord: embeds, and text that cannot act as markup.

Limits: https://docs.discord.com/developers/resources/message#embed-object-embed-limits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.notify.texts import ELLIPSIS, fitted, packed, units, without_mentions
from pytest_workflow_monitor.notify.wording import (
    COLOURS,
    MARKS,
    READ_ON,
    Advice,
    Entry,
    Fact,
    Story,
    heading,
    more,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

TITLE_LENGTH = 256
DESCRIPTION_LENGTH = 4_000
FIELD_NAME_LENGTH = 100
FIELD_LENGTH = 220
FOOTER_LENGTH = 300
"""The limit is 1,024; shorter, so that all of them leave room for the rest."""

FIELDS = 25
INLINE_LENGTH = 40
"""What fits into a third of the width."""

MESSAGE_LENGTH = 5_900
"""The limit is 6,000 for all embeds of a message; one embed is used for each."""

LINK_LENGTH = 500

Embed = dict[str, Any]

_MARKUP = re.compile(r"([\\`*_~|<>\[\]()#:])")
_LIST = re.compile(r"^(?=\s*(?:[-+]|\d+[.)])\s)")


def literal(text: str) -> str:
    """Write text so that Discord shows it and does nothing else."""
    return without_mentions(_LIST.sub("\u200b", _MARKUP.sub(r"\\\1", text)))


def embeds(story: Story, at: datetime, image: str = "") -> list[Embed]:
    """Return the embeds that tell a story, each for a message of its own: mostly one.

    Args:
        story: What to say.
        at: When it was composed.
        image: The name of the attached picture, "" for none.
    """
    title = fitted(story.title, TITLE_LENGTH, literal)
    fields = [_field(fact) for fact in story.facts[:FIELDS]]
    texts = list(_texts(story))
    room = MESSAGE_LENGTH - units(title) - FOOTER_LENGTH - _length(fields)
    described, rest = _split([_lead(story), *texts], min(room, DESCRIPTION_LENGTH))
    made: list[Embed] = [{"title": title, "description": described, "fields": fields}]
    made += [{"description": text} for text in packed(rest, DESCRIPTION_LENGTH, "\n")]
    for embed in made:
        embed.update(_frame(story, at))
    if story.links:
        made[0]["url"] = story.links[0].url
    if image:
        made[0]["image"] = {"url": f"attachment://{image}"}
    return made


def event(story: Story, at: datetime) -> Embed:
    """Return the short embed that tells what happened to an alert whose message was edited."""
    title = fitted(story.title, TITLE_LENGTH, literal)
    return {"title": title, "description": _lead(story), **_frame(story, at)}


def _frame(story: Story, at: datetime) -> Embed:
    return {
        "color": int(COLOURS[story.tone].removeprefix("#"), 16),
        "footer": {"text": fitted(story.footer, FOOTER_LENGTH, without_mentions)},
        "timestamp": at.isoformat(),
    }


def _lead(story: Story) -> str:
    lead = f": {fitted(story.lead, 500, literal)}" if story.lead else ""
    return f"**{fitted(story.verdict, 200, literal)}**{lead}"


def _texts(story: Story) -> Iterator[str]:
    """Yield the parts of the description, each well below its limit."""
    if story.error:
        code = fitted("\n".join(story.error).replace("`", "ˋ"), 1_300, without_mentions)
        yield f"```\n{code}\n```"
    yield from (literal(line) for line in story.lines)
    yield from map(_advice, story.points)
    yield from map(_entry, story.entries)
    for group in story.groups:
        yield f"**{literal(heading(group))}**"
        yield from packed(map(literal, group.names), 1_000, " · ")
    if story.missing:
        yield more(story)
    links = [_link(link.url, link.label) for link in story.links]
    yield from packed(links, 1_000, " · ")


def _split(texts: list[str], room: int) -> tuple[str, list[str]]:
    """Join the first texts as long as there is room."""
    taken = 1
    while taken < len(texts) and units("\n".join(texts[: taken + 1])) <= room:
        taken += 1
    return "\n".join(texts[:taken]), texts[taken:]


def _field(fact: Fact) -> dict[str, Any]:
    """Return a fact; instants appear in the reader's own zone."""
    value = fitted(fact.text, FIELD_LENGTH, literal)
    if fact.is_code:
        value = f"`{without_mentions(fact.value.replace('`', 'ˋ'))}`"
    if fact.at is not None:
        time = f"<t:{int(fact.at.timestamp())}:f>"
        value = ", ".join(part for part in (time, literal(fact.rest)) if part)
    name = fitted(fact.label, FIELD_NAME_LENGTH, literal)
    return {"name": name, "value": value or ELLIPSIS, "inline": len(fact.text) <= INLINE_LENGTH}


def _advice(advice: Advice) -> str:
    link = f" {_link(advice.url, READ_ON)}" if advice.url else ""
    said = f"{MARKS[advice.tone]} {fitted(advice.text, 600, literal)}{link}"
    detail = fitted(advice.detail, 500, literal)
    command = fitted(advice.command.replace("`", "ˋ"), 300, without_mentions)
    return "\n".join(filter(None, (said, detail, f"`{command}`" if command else "")))


def _entry(entry: Entry) -> str:
    word, detail = fitted(entry.word, 100, literal), fitted(entry.detail, 250, literal)
    said = f"{MARKS[entry.tone]} **{word}** {_link(entry.url, entry.name)} · {entry.priority}"
    return f"{said}: {detail}" if detail else said


def _link(url: str, text: str) -> str:
    """Return a link, or the text alone where the address is missing or leaves no room."""
    shown = fitted(text, 200, literal)
    return f"[{shown}]({url})" if url and len(url) <= LINK_LENGTH else shown


def _length(fields: list[dict[str, Any]]) -> int:
    return sum(units(field["name"]) + units(field["value"]) for field in fields)
