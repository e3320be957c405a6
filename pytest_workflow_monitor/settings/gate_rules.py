"""The rules of the gate as a record, and how they are read from the settings.

The reader raises ValueError or TypeError with one clause that says what is wrong and what is
allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.model import Priority, Record
from pytest_workflow_monitor.settings.parsing import count, flag, table, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ANY = "any"
_MOST = 1_000_000
_HUNDRED_PER_CENT = 100


class GateRules(Record, frozen=True, kw_only=True):
    """When a session may pass; the table ``gate``.

    Attributes:
        allowed_failures: How many workflows of a priority may fail, None for any number; none of
            a priority that is not named.
        min_success_rate: How many per cent of the executions have to succeed; 0 for off.
        allow_new_errors: Whether errors may appear that the base branch never showed, also in
            passes that needed a retry.
        max_p95_ratio: How many times the base branch's p95 a workflow may take; 0 for off.
        allow_broken_budgets: Whether metrics may be beyond their budgets.
        allowed_flaky: How many executions may pass only by a retry; None for any number.
        base_branch: What is compared with; "" for what the CI system says, else ``main``.
        base_environment: Where the base branch's executions are looked for; "" for the session's
            own environment.
        excuse_environment: What fails there with the same error does not count; "" for off.
    """

    allowed_failures: dict[str, int | None] = {}
    min_success_rate: float = 0.0
    allow_new_errors: bool = True
    max_p95_ratio: float = 0.0
    allow_broken_budgets: bool = True
    allowed_flaky: int | None = None
    base_branch: str = ""
    base_environment: str = ""
    excuse_environment: str = ""

    @property
    def needs_history(self) -> tuple[str, ...]:
        """Name the rules that are on and cannot be judged by one session alone."""
        return tuple(
            name
            for name, is_on in (
                ("allow_new_errors", not self.allow_new_errors),
                ("max_p95_ratio", self.max_p95_ratio > 0),
                ("excuse_environment", bool(self.excuse_environment)),
            )
            if is_on
        )


def read_gate(value: Any) -> GateRules:
    """Read the table ``gate``."""
    return GateRules(**table(value, _PARSERS, ""))


def _number_or_any(value: Any) -> int | None:
    if value == ANY:
        return None
    try:
        return count(0, _MOST)(value)
    except ValueError:
        raise ValueError(f'expected a whole number from 0, or "{ANY}"') from None


def _by_priority(value: Any) -> dict[str, int | None]:
    return table(value, {it.value: _number_or_any for it in Priority}, "")


def _per_cent(value: Any) -> float:
    if not _is_number(value) or not 0 <= value <= _HUNDRED_PER_CENT:
        raise ValueError("expected a number of per cent from 0 to 100")
    return float(value)


def _ratio(value: Any) -> float:
    if not _is_number(value) or not (value == 0 or 1 <= value <= _MOST):
        raise ValueError("expected 0 for off, or a number from 1")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "allowed_failures": _by_priority,
    "min_success_rate": _per_cent,
    "allow_new_errors": flag,
    "max_p95_ratio": _ratio,
    "allow_broken_budgets": flag,
    "allowed_flaky": _number_or_any,
    "base_branch": text,
    "base_environment": text,
    "excuse_environment": text,
}

READERS: dict[str, Callable[[Any], Any]] = {"gate": read_gate}
"""What reads each setting of the gate."""
