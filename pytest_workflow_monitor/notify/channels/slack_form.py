"""The form of a message in Slack: blocks, and text that cannot act as markup.

Limits: https://docs.slack.dev/reference/block-kit/blocks. That the blocks of one message may hold
about 13,000 characters of JSON in all is not written there, but enforced (``msg_blocks_too_long``).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.notify.texts import fitted, packed, units, without_mentions
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
    from collections.abc import Iterator, Sequence

TEXT_LENGTH = 3_000
FIELD_LENGTH = 2_000
LABEL_LENGTH = 150
HEADER_LENGTH = 150
FALLBACK_LENGTH = 1_000
LINK_LENGTH = 1_000
FIELDS = 10
BLOCKS = 45
CHARACTERS = 10_000
"""Of JSON in one message; leaves room for what Slack counts besides."""

Block = dict[str, Any]

_LOOKALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_EMOJI = re.compile(r":(?=[^\s:]{1,100}:)")
_QUOTE = re.compile(r"^>", re.MULTILINE)


def literal(text: str) -> str:
    """Write text so that Slack shows it and does nothing else.

    The three characters of its control sequences are escaped. What would make text bold, a quote
    or an emoji has no escape in Slack, and is replaced by a character that looks like it.
    """
    shown = _QUOTE.sub("›", text).translate(_LOOKALIKES)
    shown = _EMOJI.sub("∶", _EDGE_UNDERSCORE.sub("＿", shown))
    return escaped(shown)


def escaped(text: str) -> str:
    """Escape control sequences such as ``<!here>``, and break ``@channel``."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return without_mentions(safe)


def parts(story: Story, mentions: Sequence[str]) -> list[dict[str, Any]]:
    """Return the messages that tell a story, as arguments of Slack's API: mostly one.

    Args:
        story: What to say.
        mentions: Whom to call, in Slack's own markup.
    """
    chunks = _chunks(list(_body(story)))
    fallback = fitted(story.headline, FALLBACK_LENGTH, literal)
    made = []
    for number, chunk in enumerate(chunks, 1):
        top = [_header(story.title)] if number == 1 else [_continued(story, number, len(chunks))]
        if mentions and number == 1:
            top.insert(0, _section(" ".join(mentions)))
        made.append(
            {
                "text": fallback,
                "blocks": top,
                "attachments": [{"color": COLOURS[story.tone], "blocks": chunk}],
            }
        )
    return made


def event(story: Story, mentions: Sequence[str]) -> dict[str, Any]:
    """Return the short message that goes into an alert's thread when something happened to it."""
    said = f"{literal(story.verdict)}: {fitted(story.lead or story.title, 1_000, literal)}"
    text = " ".join([*mentions, said])
    return {"text": fitted(story.headline, FALLBACK_LENGTH, literal), "blocks": [_section(text)]}


def _body(story: Story) -> Iterator[Block]:
    """Yield the blocks beside the coloured bar."""
    lead = f": {fitted(story.lead, 1_000, literal)}" if story.lead else ""
    yield _section(f"*{literal(story.verdict)}*{lead}")
    facts = [_field(fact) for fact in story.facts]
    for start in range(0, len(facts), FIELDS):
        yield {"type": "section", "fields": facts[start : start + FIELDS]}
    if story.error:
        yield _section(_code("\n".join(story.error)))
    for text in packed((literal(line) for line in story.lines), TEXT_LENGTH, "\n"):
        yield _section(text)
    for text in packed(map(_advice, story.points), TEXT_LENGTH, "\n"):
        yield _section(text)
    for text in packed(map(_entry, story.entries), TEXT_LENGTH, "\n"):
        yield _section(text)
    for group in story.groups:
        yield _section(f"*{literal(heading(group))}*")
        for text in packed(map(literal, group.names), TEXT_LENGTH, " · "):
            yield _section(text)
    if story.missing:
        yield _section(more(story))
    if story.links:
        links = (_link(link.url, link.label) for link in story.links)
        yield from map(_section, packed(links, TEXT_LENGTH, "  ·  "))
    yield {"type": "context", "elements": [_mrkdwn(fitted(story.footer, 1_000, literal))]}


def _chunks(blocks: list[Block]) -> list[list[Block]]:
    """Divide blocks among as many messages as they need."""
    chunks: list[list[Block]] = [[]]
    size = 0
    for block in blocks:
        length = units(json.dumps(block, ensure_ascii=False))
        if chunks[-1] and (len(chunks[-1]) >= BLOCKS or size + length > CHARACTERS):
            chunks.append([])
            size = 0
        chunks[-1].append(block)
        size += length
    return chunks


def _header(title: str) -> Block:
    # Plain text knows no markup but the three escapes, so that none of their characters stays.
    shown = without_mentions(title.replace("<", "‹").replace(">", "›"))
    text = {"type": "plain_text", "text": fitted(shown, HEADER_LENGTH), "emoji": False}
    return {"type": "header", "text": text}


def _continued(story: Story, number: int, count: int) -> Block:
    said = f"{fitted(story.title, 500, literal)} ({number} of {count})"
    return {"type": "context", "elements": [_mrkdwn(said)]}


def _field(fact: Fact) -> Block:
    """Return a fact with its name above it; instants appear in the reader's own zone."""
    limit = FIELD_LENGTH - 200
    value = f"`{fitted(fact.value, limit, literal)}`" if fact.is_code else ""
    if fact.at is not None:
        time = f"<!date^{int(fact.at.timestamp())}^{{date_short_pretty}} {{time}}|{fact.value}>"
        value = ", ".join(part for part in (time, fitted(fact.rest, limit, literal)) if part)
    label = fitted(fact.label, LABEL_LENGTH, literal)
    return _mrkdwn(f"*{label}*\n{value or fitted(fact.text, limit, literal)}")


def _advice(advice: Advice) -> str:
    link = f"  {_link(advice.url, READ_ON)}" if advice.url else ""
    said = f"{MARKS[advice.tone]} {fitted(advice.text, 1_000, literal)}{link}"
    detail = fitted(advice.detail, 700, literal)
    command = fitted(advice.command.replace("`", "ˋ"), 600, escaped)
    return "\n".join(filter(None, (said, detail, f"`{command}`" if command else "")))


def _entry(entry: Entry) -> str:
    word, detail = fitted(entry.word, 200, literal), fitted(entry.detail, 700, literal)
    said = f"{MARKS[entry.tone]} *{word}*  {_link(entry.url, entry.name)} · {entry.priority}"
    return f"{said}\n{detail}" if detail else said


def _code(text: str) -> str:
    """Return preformatted text; only a fence could end it, so that it holds no backtick."""
    return f"```\n{fitted(text.replace('`', 'ˋ'), TEXT_LENGTH - 20, escaped)}\n```"


def _link(url: str, text: str) -> str:
    """Return a link, or the text alone where the address is missing or leaves no room."""
    shown, target = fitted(text, 300, literal), url.replace("&", "&amp;")
    return f"<{target}|{shown}>" if target and len(target) <= LINK_LENGTH else shown


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    # Verbatim: what looks like an address or a channel's name stays text.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
