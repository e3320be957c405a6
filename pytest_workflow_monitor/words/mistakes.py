"""How mistakes are put: what was probably meant, and how a clause becomes a sentence."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """Ask in a clause whether the nearest known name was meant, or else say what all of them are.

    The names are told in the order in which they are given.
    """
    names = tuple(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"


def sentence(clause: str) -> str:
    """End a clause with a full stop, unless it is a question."""
    return clause if clause.endswith("?") else f"{clause}."
