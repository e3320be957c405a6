from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.notify.texts import (
    clean,
    clean_code,
    fitted,
    packed,
    units,
    web_link,
    without_mentions,
)


def test_clean_text_is_one_printable_line() -> None:
    """Codes of terminals, control characters and turned directions never reach a reader."""
    assert clean(" a\r\n\tb\x1b[31mred\x1b[0m\x00\u202ec ", 50) == "a bredc"
    assert clean("\ud800 half", 50) == "\N{REPLACEMENT CHARACTER} half"


def test_code_keeps_its_spaces() -> None:
    """An indented line of code stays indented."""
    assert clean_code("    x =\t1\n", 50) == "    x =    1"


@given(text=st.text(st.characters()), limit=st.integers(1, 40))
def test_what_was_cut_says_so_and_is_within_its_limit(text: str, limit: int) -> None:
    """A limit holds after escaping, in UTF-16 units, and no escape is torn apart."""

    def escape(part: str) -> str:
        return part.replace("&", "&amp;").replace("\ud800", "?")

    made = fitted(text, limit, escape)
    assert units(made) <= limit
    assert made == escape(text) or made.endswith("…")
    assert made.count("&") == made.count("&amp;")


@given(st.lists(st.text(min_size=1, max_size=10), max_size=60))
def test_packing_loses_nothing(parts: list[str]) -> None:
    """Every part is in one of the texts, in order, and no text is over the limit."""
    texts = packed(parts, 30, "\0")
    assert "\0".join(texts) == "\0".join(parts)
    assert all(units(text) <= 30 for text in texts)


def test_only_addresses_of_the_web_become_links() -> None:
    """What could end a link's markup is encoded; other schemes and long ones are no links."""
    assert web_link("https://a.example/x?y=1&z=%20#f") == "https://a.example/x?y=1&z=%20#f"
    assert web_link("https://a.example/<b>|'\")\n") == "https://a.example/%3Cb%3E%7C%27%22%29%0A"
    for bad in ("javascript:alert(1)", "file:///etc/passwd", "https://", "", "x" * 9, "http:/a"):
        assert web_link(bad) == ""
    assert web_link("https://a.example/" + "ü" * 1_000) == ""


def test_a_mention_is_broken_and_an_address_is_not() -> None:
    """``@here`` calls nobody, ``a@example.com`` can still be copied."""
    assert without_mentions("@here a@example.com (@x") == "@\u200bhere a@example.com (@\u200bx"
