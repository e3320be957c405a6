"""The words of service levels: what a workflow is expected to reach, and how well it does.

Readers raise ValueError or TypeError with one clause that says what is wrong and what is allowed.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pytest_workflow_monitor.model import Priority, Record
from pytest_workflow_monitor.settings.alert_rules import WORKFLOW_FIELDS, Match, read_match
from pytest_workflow_monitor.settings.parsing import names, table, tables, text
from pytest_workflow_monitor.words.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable

DAY_SECONDS = 86_400.0
WINDOW_SECONDS = 30 * DAY_SECONDS
"""Over how long a service level is measured, where nothing else is said."""

LEAST_TARGET = 50.0
SHORTEST = 3_600.0
LONGEST = 366 * DAY_SECONDS

Basis = Literal["executions", "time"]
Counted = Literal["final", "first"]
State = Literal["young", "empty", "burning", "broken", "kept"]


class Objective(Record, frozen=True, kw_only=True):
    """What each of some workflows is expected to reach.

    Attributes:
        name: What it is called.
        target: The availability in per cent, such as 99.9.
        window_seconds: Over how long.
        by: What is counted: executions, or the time until the next execution.
        attempt: Whether a pass counts that needed a retry (``final``) or only one at once.
        match: Only workflows that match, by id, priority, owner or tag.
        environments: Only in these; empty for all.
    """

    name: str
    target: float
    window_seconds: float = WINDOW_SECONDS
    by: Basis = "executions"
    attempt: Counted = "final"
    match: Match = {}
    environments: tuple[str, ...] = ()


class Burn(Record, frozen=True, kw_only=True):
    """How quickly an error budget is spent; 1 spends exactly all of it in its window.

    Both the long and the short window have to be above ``factor`` for it to be burning: the long
    one says that it matters, the short one that it still goes on.
    """

    factor: float
    long_seconds: float
    short_seconds: float
    long_rate: float
    short_rate: float
    is_burning: bool


class ServiceLevel(Record, frozen=True, kw_only=True, omit_defaults=False):
    """How a workflow does against its objective.

    Attributes:
        notifies: Whether people are to hear of it when it burns.
        availability: From 0 to 1; None where nothing was judged.
        budget: The share that may go wrong, from 0 to 1.
        spent: How much of the budget is gone: 0 for nothing, 1 for all, more for too much.
        bad: Executions that went wrong, or the seconds of them when time is counted.
        total: Executions, or seconds, that were judged.
        since: When the window begins, or the first execution, if that is later.
        is_full: Whether the first execution is a whole window ago; until then nothing is claimed.
        burns: How quickly it is spent now.
    """

    objective: str
    environment: str
    workflow_id: str
    workflow_name: str
    priority: Priority
    owner: str = ""
    tags: tuple[str, ...] = ()
    notifies: bool = True
    target: float
    window_seconds: float
    by: Basis
    attempt: Counted
    availability: float | None
    budget: float
    spent: float | None
    bad: float
    total: float
    since: datetime | None
    is_full: bool
    burns: tuple[Burn, ...] = ()

    @property
    def left(self) -> float | None:
        """How much of the budget is left, 0 to 1."""
        return None if self.spent is None else max(0.0, 1 - self.spent)

    @property
    def is_broken(self) -> bool:
        """Whether more went wrong in a full window than may."""
        return self.is_full and self.spent is not None and self.spent > 1

    @property
    def burning(self) -> Burn | None:
        """The quickest rule that holds now, if a full window exists."""
        return next((it for it in self.burns if it.is_burning and self.is_full), None)

    @property
    def state(self) -> State:
        """How it stands: ``young`` until a full window exists, ``empty`` where nothing ran in it.

        A budget that is spent is ``broken``, one that is spent too quickly is ``burning``, whether
        or not some of it is left.
        """
        if not self.is_full:
            return "young"
        if self.availability is None:
            return "empty"
        if self.burning:
            return "burning"
        return "broken" if self.is_broken else "kept"


def read_slos(value: Any) -> tuple[Objective, ...]:
    """Read the tables ``slos``."""
    found = []
    for number, item in enumerate(tables(value), 1):
        given = table(item, _OBJECTIVE, f"objective {number}", needed=("target",))
        window = given.pop("window", WINDOW_SECONDS)
        name = given.pop("name", f"objective {number}")
        found.append(Objective(name=name, window_seconds=window, **given))
    return tuple(found)


def target(value: Any) -> float:
    """Read an availability in per cent."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not LEAST_TARGET <= value < 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"expected per cent from {LEAST_TARGET:g} to below 100, such as 99.9")
    return float(value)


def window(value: Any) -> float:
    """Read over how long a service level is measured, as seconds."""
    found = seconds(value)
    if not SHORTEST <= found <= LONGEST:
        raise ValueError("expected a duration from 1h to 366d")
    return found


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}")
        return text(value)

    return parse


def _match(value: Any) -> Match:
    return read_match(value, tuple(it for it in WORKFLOW_FIELDS if it not in _OWN_KEYS))


_OWN_KEYS = frozenset({"project", "environment"})
_OBJECTIVE: dict[str, Callable[[Any], Any]] = {
    "name": text,
    "target": target,
    "window": window,
    "by": _one_of("executions", "time"),
    "attempt": _one_of("final", "first"),
    "match": _match,
    "environments": names,
}
READERS: dict[str, Callable[[Any], Any]] = {"slos": read_slos}
"""What reads the setting that is a list of tables."""
