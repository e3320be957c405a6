"""What alerts may have in common, as keys, and in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HOST = "host"
STEP = "step"
SLOTS = "slots"
"""Slots that did not run: what keeps one from running keeps others, too."""


def common(groups: Iterable[Iterable[str]]) -> str:
    """Return the cause that most of some alerts share, "" when no two share one.

    A host explains more than a step does, so it wins where as many share it.
    """
    counted = Counter(cause for group in groups for cause in set(group))
    shared = [(count, cause.startswith(HOST), cause) for cause, count in counted.items()]
    count, _, cause = max(shared, default=(0, False, ""))
    return cause if count > 1 else ""


def in_words(cause: str) -> str:
    """Say a cause: ``shop.example does not answer``, ``Log in fails``."""
    kind, _, rest = cause.partition("|")
    if kind == HOST:
        return f"{rest} does not answer"
    if kind == SLOTS:
        return "Slots did not run"
    step = rest.rpartition("|")[0]
    return f"{step} fails" if step else "The same error"
