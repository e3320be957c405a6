"""Messages for tests of channels: the samples, and any that hypothesis thinks of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st

from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.notify.messages import Figure, Item, Message, Picture, Point
from pytest_workflow_monitor.notify.samples import samples
from pytest_workflow_monitor.settings.alert_rules import ChannelRule
from pytest_workflow_monitor.words.alerts import AlertKind, NotificationKind
from pytest_workflow_monitor.words.period_report import Tone

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 12, 14, 32, tzinfo=UTC)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
EVIL = (
    "<!here> <!channel|x> <@U0123456> <!subteam^S0123456> @everyone @here @channel",
    "[pay](http://evil.example/x) <http://evil.example|pay> http://evil.example",
    "``` *bold* _it_ ~no~ ||spoiler|| # big\n> quote\n- list :smile:",
    '</td><script>alert(1)</script><img src=x onerror="x">&amp;&lt;',
    "\r\nBcc: evil@evil.example\r\n\r\n.\r\nQUIT\r\n",
    "\ud800\udfff\x00\x07\x1b[31mred\x1b[0m\u202eevil\ufffe\u2028",
    "{{ 7*7 }} {% raw %} ${jndi:x}",
    "😀" * 3_000,
    "*<&`" * 25_000,
    "x" * 100_000,
)


def sample(name: str, picture: Path | None = None) -> Message:
    """Return a sample message, with a picture that lies in a file."""
    shown = Picture(name="payment page.png", path=str(picture)) if picture else None
    found = samples("shop", "production", AT, key="0193-sample", picture=shown)[name]
    return msgspec.structs.replace(found, is_test=False)


def evil(text: str) -> Message:
    """Return a message with the same text in every field that takes any."""
    item = Item(
        alert_id=1,
        kind=AlertKind.FAILING,
        state="failing",
        workflow_id=text,
        name=text,
        priority=Priority.CRITICAL,
        since=AT,
        lasted=text,
        status_word=text,
        how_often=text,
        duration=text,
        failing_step=text,
        failed_steps=(text,) * 20,
        steps_total=20,
        error=(text,) * 5,
        cause=text,
        reason=text,
        owner=text,
        runbook=text,
        evidence_url=f"https://reports.example.com/{text}",
        picture=Picture(name=text, path=text, url=text),
        run_id=text,
        explained=(text,) * 20,
    )
    return Message(
        key=text,
        thread_key=text,
        kind=NotificationKind.OPENED,
        title=text,
        project=text,
        environment=text,
        at=AT,
        priority=Priority.CRITICAL,
        mention=True,
        items=(item,),
        counts={text: 3},
        summary=(text,) * 50,
        report_url=f"https://reports.example.com/?q={text}",
        actor=text,
        note=text,
        points=(
            Point(text=text, detail=text, tone=Tone.BAD, command=text, url=f"https://e.com/{text}"),
        )
        * 20,
    )


def evil_report(text: str) -> Message:
    """Return a message about a report with the same text in every field that takes any."""
    return msgspec.structs.replace(
        evil(text),
        kind=NotificationKind.SUMMARY,
        items=(),
        word=text,
        tone=Tone.DOUBTFUL,
        figures=(Figure(label=text, value=text),) * 30,
    )


def many(count: int, name: str = "Checkout of the shop in country {}") -> Message:
    """Return a message about many workflows at once."""
    one = sample("failure").items[0]
    items = tuple(
        msgspec.structs.replace(one, alert_id=number, name=name.format(number))
        for number in range(count)
    )
    return msgspec.structs.replace(
        sample("digest"), items=items, counts={"failing": count}, title=f"{count} fail"
    )


def rule(kind: str, **options: Any) -> ChannelRule:
    """Return what the settings say of a channel."""
    return ChannelRule(name="team", type=kind, options=options)


anything = st.one_of(
    st.sampled_from(EVIL),
    st.text(st.characters(), max_size=200),
    st.lists(st.sampled_from(EVIL[:7]), max_size=4).map("".join),
)
items = st.builds(
    Item,
    alert_id=st.integers(0, 2**40),
    kind=st.sampled_from(AlertKind),
    state=st.sampled_from(("failing", "acknowledged", "resolved")),
    workflow_id=anything,
    name=anything,
    priority=st.sampled_from(Priority),
    since=st.datetimes(timezones=st.just(UTC)),
    lasted=anything,
    status_word=anything,
    how_often=anything,
    duration=anything,
    failing_step=anything,
    failed_steps=st.lists(anything, max_size=3).map(tuple),
    steps_total=st.integers(0, 50),
    error=st.lists(anything, max_size=4).map(tuple),
    cause=anything,
    reason=anything,
    owner=anything,
    runbook=anything,
    evidence_url=anything,
    picture=st.none() | st.builds(Picture, name=anything, path=anything, url=anything),
    run_id=anything,
    explained=st.lists(anything, max_size=3).map(tuple),
)
messages = st.builds(
    Message,
    key=anything,
    thread_key=anything,
    kind=st.sampled_from(NotificationKind),
    title=anything,
    project=anything,
    environment=anything,
    at=st.datetimes(timezones=st.just(UTC)),
    is_good=st.booleans(),
    priority=st.sampled_from(Priority),
    mention=st.booleans(),
    items=st.lists(items, max_size=12).map(tuple),
    counts=st.dictionaries(anything, st.integers(0, 10**9), max_size=3),
    summary=st.lists(anything, max_size=3).map(tuple),
    report_url=anything,
    actor=anything,
    note=anything,
    is_test=st.booleans(),
    word=anything,
    tone=st.none() | st.sampled_from(Tone),
    figures=st.lists(st.builds(Figure, label=anything, value=anything), max_size=3).map(tuple),
    points=st.lists(
        st.builds(
            Point,
            text=anything,
            detail=anything,
            tone=st.sampled_from(Tone),
            command=anything,
            url=anything,
        ),
        max_size=3,
    ).map(tuple),
)
