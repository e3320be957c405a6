"""Faults that can be switched on, to see how the shop's monitoring notices them.

A fault belongs to an area of the shop and has a kind; the text of one is `orders=error`,
`products=slow:3` or `login=flaky:2`, and several are separated by commas. The areas:

| area | pages | moment | JSON API |
|---|---|---|---|
| login | sign-in page, dashboard | the right password was sent | `/api/account` |
| registration | sign-up page | a valid sign-up was sent | `/api/email-address` |
| farms | new farm | a valid farm was sent | `/api/produce` |
| products | produce list | the produce list is opened | `/api/products` |
| orders | checkout | a valid order was sent | `/api/delivery` |
| health | home page | `/api/health` is asked | `/api/season` |

and the kinds:

| kind | what happens |
|---|---|
| error | the moment ends in "Service unavailable" (503) |
| slow | the moment takes so many seconds longer (default 3) |
| flaky | of each client's moments the first fails, and every n-th after it (default 2) |
| layout | the area's pages are covered by a notice, so that nothing can be clicked |
| javascript | the area's pages load a script that throws, in place of their own |
| api | the JSON API that the area's pages use answers 500 |
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

AREAS = ("login", "registration", "farms", "products", "orders", "health")
KINDS = ("error", "slow", "flaky", "layout", "javascript", "api")
DEFAULT_AMOUNTS = {"slow": 3.0, "flaky": 2.0}
LONGEST_SECONDS = 60.0
SHORTEST_DISTANCE = 2


class FaultError(ValueError):
    """The description of a fault is wrong."""


class UnavailableError(Exception):
    """A fault ended this request; the shop answers as if it were down."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A kind of fault, with seconds (slow), a distance (flaky) or nothing to measure it by."""

    kind: str
    amount: float | None = None

    def __str__(self) -> str:
        """Return the text that `fault_of` reads."""
        return self.kind if self.amount is None else f"{self.kind}:{self.amount:g}"


def fault_of(text: str) -> Fault:
    """Read one fault: `error`, `slow`, `slow:1.5`, `flaky:3` ..."""
    kind, colon, amount = text.strip().partition(":")
    if kind not in KINDS:
        raise FaultError(f"unknown fault {kind!r}; choose one of {', '.join(KINDS)}")
    if kind not in DEFAULT_AMOUNTS:
        if colon:
            raise FaultError(f"{kind!r} takes no number, but {text.strip()!r} has one")
        return Fault(kind=kind)
    return Fault(kind=kind, amount=_amount(kind, amount) if colon else DEFAULT_AMOUNTS[kind])


def _amount(kind: str, text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        raise FaultError(f"{kind}:{text}: {text!r} is not a number") from None
    if kind == "slow" and not 0 < amount <= LONGEST_SECONDS:
        raise FaultError(f"slow:{text}: give more than 0 and at most {LONGEST_SECONDS:g} seconds")
    if kind == "flaky" and not (amount >= SHORTEST_DISTANCE and amount.is_integer()):
        raise FaultError(f"flaky:{text}: give a whole number from 2 on, every so many fail")
    return amount


def read_faults(spec: str) -> dict[str, Fault]:
    """Read a comma list of `area=kind`; the area `all` stands for those not named otherwise."""
    named: dict[str, Fault] = {}
    for part in filter(None, (part.strip() for part in spec.split(","))):
        area, equals, kind = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise FaultError(f"{part!r} is no fault; write area=kind, like orders=error")
        if area in named:
            raise FaultError(f"{area!r} is given twice; an area has one fault at a time")
        named[area] = _named(area, kind)
    return spread(named)


def _named(area: str, kind: str) -> Fault:
    check_area(area)
    try:
        return fault_of(kind)
    except FaultError as error:
        raise FaultError(f"{area}: {error}") from None


def check_area(area: str) -> None:
    """Raise `FaultError` unless the shop has this area (`all` counts as one)."""
    if area not in (*AREAS, "all"):
        raise FaultError(f"unknown area {area!r}; choose one of {', '.join(AREAS)}, all")


def spread(named: Mapping[str, Fault]) -> dict[str, Fault]:
    """Give the fault of `all` to every area without one of its own."""
    everywhere = named.get("all")
    chosen = {area: named.get(area, everywhere) for area in AREAS}
    return {area: fault for area, fault in chosen.items() if fault}


def write_faults(faults: Mapping[str, Fault]) -> str:
    """Return the text that `read_faults` reads."""
    return ",".join(f"{area}={fault}" for area, fault in faults.items())


def demonstration(areas: str) -> str:
    """Turn the short form of a demonstration, `orders` or `farms=layout`, into a fault spec.

    A bare area gets the fault `error`. So that a demonstration shows a failing, a slow and a
    flaky workflow at once, a bare area also makes products slow and login flaky, unless they
    are named themselves. Areas with a kind are taken as they are.
    """
    parts = [part.strip() for part in areas.split(",") if part.strip()]
    bare = [part for part in parts if "=" not in part]
    faults = read_faults(",".join(f"{part}=error" if part in bare else part for part in parts))
    extras = {"products": fault_of("slow"), "login": fault_of("flaky")} if bare else {}
    return write_faults({**extras, **faults})


class Faults:
    """The switchboard: which faults are on, and how often each client met a flaky one."""

    def __init__(self, active: Mapping[str, Fault] | None = None) -> None:
        self._active = dict(active or {})
        self._visits: Counter[tuple[str, str]] = Counter()

    def active(self) -> dict[str, str]:
        """Return the faults that are on, as text by area."""
        return {area: str(fault) for area, fault in self._active.items()}

    def switch_on(self, faults: Mapping[str, Fault]) -> None:
        """Switch faults on, beside those of other areas; a flaky one starts to count anew."""
        self._active.update(faults)
        for visit in [visit for visit in self._visits if visit[0] in faults]:
            del self._visits[visit]

    def clear(self) -> None:
        """Switch all faults off."""
        self._active.clear()
        self._visits.clear()

    def kind(self, area: str) -> str | None:
        """Return the kind of fault an area has now."""
        fault = self._active.get(area)
        return fault.kind if fault else None

    async def moment(self, area: str, client: str) -> None:
        """Let the area's fault strike: wait when slow, raise `UnavailableError` when down.

        Flaky counts by client, so that a client that fails and comes again at once is let
        through, however many others fail meanwhile.
        """
        fault = self._active.get(area)
        if fault is None:
            return
        if fault.kind == "slow":
            await asyncio.sleep(fault.amount or 0)
        if fault.kind == "error" or (fault.kind == "flaky" and self._fails_now(area, client)):
            raise UnavailableError(area)

    def _fails_now(self, area: str, client: str) -> bool:
        before = self._visits[area, client]
        self._visits[area, client] += 1
        return before % int(self._active[area].amount or 1) == 0


def main(arguments: list[str]) -> int:
    """Print the fault spec of a demonstration; the command line of `make demo BREAK=...`."""
    try:
        print(demonstration(",".join(arguments)))  # noqa: T201 - for the Makefile
    except FaultError as error:
        print(f"BREAK: {error}", file=sys.stderr)  # noqa: T201 - for the Makefile
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
