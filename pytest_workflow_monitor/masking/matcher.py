"""Finds and replaces the spellings of secrets; quick where there are none.

Four bytes of each spelling are enough to notice that it may be there. They are chosen so that they
begin with few different, rare bytes: one pass of a regular expression over the text then stops
seldom, however many secrets there are. Only where it stops are whole spellings looked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_workflow_monitor.masking.spelling import Spelling, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable

MASKED = b"[masked]"
WINDOW = 4
_FREQUENT = b'"etaoinsr_:,hldcu0m1pf2gw.yb/3v-5468k79x \\[]{}%&;#=zjq'
"""The bytes of records, most frequent first."""

_RARITY = {byte: rank for rank, byte in enumerate(_FREQUENT)}


class Matcher:
    """Looks for a set of values in all their spellings.

    Args:
        values: The secrets, each of at least four characters.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self.values = tuple(values)
        self._windows: dict[bytes, set[Spelling]] = {}
        firsts: set[int] = set()
        for value in self.values:
            own: set[bytes] = set()
            for spelling in sorted(spellings(value), key=lambda it: len(it.text)):
                window = next((it for it in own if it in spelling.text), None)
                if window is None:
                    window = _chosen(spelling.text, firsts)
                    own.add(window)
                    firsts.add(window[0])
                self._windows.setdefault(window, set()).add(spelling)
        self._search = re.compile(_alternatives(self._windows)).search

    def may_hold(self, data: bytes) -> bool:
        """Whether a spelling may be in these bytes; False is certain."""
        return self._search(data) is not None

    def candidates(self, data: bytes) -> set[Spelling]:
        """The spellings of which at least a part is in these bytes."""
        windows = set()
        found = self._search(data)
        while found is not None:
            windows.add(found[0])
            found = self._search(data, found.start() + 1)
        return {spelling for window in windows for spelling in self._windows[window]}


def replace(data: bytes, candidates: Iterable[Spelling]) -> bytes:
    """Put the mask in place of these spellings, the longest first."""
    for spelling in sorted(candidates, key=lambda it: (-len(it.text), it.text)):
        if spelling.text not in data:
            continue
        if spelling.open_left or spelling.open_right:
            data = _with_edges(spelling).sub(MASKED, data)
        else:
            data = data.replace(spelling.text, MASKED)
    return data


def _with_edges(spelling: Spelling) -> re.Pattern[bytes]:
    edge = rb"[A-Za-z0-9+/_-]?"
    left, right = edge if spelling.open_left else b"", edge if spelling.open_right else b""
    return re.compile(left + re.escape(spelling.text) + right)


def _chosen(text: bytes, firsts: set[int]) -> bytes:
    """Choose four bytes in a row: with a first byte that is looked for anyway, or a rare one."""
    windows = [text[start : start + WINDOW] for start in range(len(text) - WINDOW + 1)]
    return min(windows, key=lambda it: (_cost(it[0]) // (4 if it[0] in firsts else 1), it))


def _cost(byte: int) -> int:
    return len(_FREQUENT) - _RARITY.get(byte, len(_FREQUENT))


def _alternatives(windows: Iterable[bytes]) -> bytes:
    """Write a pattern that decides by the first byte where to go on."""
    rests: dict[bytes, list[bytes]] = {}
    for window in sorted(windows):
        rests.setdefault(window[:1], []).append(re.escape(window[1:]))
    return b"|".join(
        re.escape(first) + b"(?:" + b"|".join(rest) + b")" for first, rest in rests.items()
    )
