"""The workflow marker: what it may say, and how marks become the workflows of a suite."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pytest_workflow_monitor.model import Overlap, Priority
from pytest_workflow_monitor.settings import slo_rules
from pytest_workflow_monitor.words.durations import seconds
from pytest_workflow_monitor.words.metric_names import check_budgets

MAX_ID = 200
MAX_SHOWN = 200
MAX_RETRIES = 100
MAX_BACKOFF = 100
MAX_INTERVAL = 366 * 86400
MAX_QUEUE = 60
_ID = re.compile(r"[^\s\[\]\x00-\x1f\x7f]+")
_QUEUE = re.compile(r"[A-Za-z0-9_.-]+")

Parser = Callable[[Any], Any]
CheckCron = Callable[[str], None]
"""Raises ValueError, saying what is wrong, for an expression that is not a cron expression."""


def parse(
    args: Sequence[Any], kwargs: Mapping[str, Any], check_cron: CheckCron
) -> tuple[dict[str, Any], list[str]]:
    """Check one mark's arguments.

    Returns:
        The given parameters, converted, under the marker's names; and a sentence for each mistake.
    """
    given: dict[str, Any] = {}
    problems: list[str] = []
    if len(args) > 1:
        problems.append(
            "workflow() takes one positional argument, the id, but got "
            f"{len(args)}: {_shown(args)}."
        )
    if args and "id" in kwargs:
        problems.append("workflow() got the id twice, as positional and as keyword argument.")
    values = {**({"id": args[0]} if args else {}), **kwargs}
    for key, value in values.items():
        parser = PARAMETERS.get(key)
        if parser is None:
            problems.append(_unknown(key))
            continue
        try:
            parsed = parser(value)
            if key == "cron" and parsed is not None:
                check_cron(parsed)
        except (TypeError, ValueError) as error:
            problems.append(f"{key}={_shown(value)}: {error}.")
        else:
            given[key] = parsed
    if given.get("cron") is not None and given.get("every") is not None:
        problems.append(
            f"cron={_shown(values['cron'])} and every={_shown(values['every'])}: "
            "a workflow has one schedule; give one of them."
        )
    return given, problems


def slug(name: str) -> str:
    """Turn a test's name into an id: ``test_user_login`` becomes ``user-login``."""
    stem = re.sub(r"^test(?=[_A-Z0-9]|$)_*", "", name) or name
    return re.sub(r"[\W_]+", "-", stem.lower()).strip("-") or "test"


def title(workflow_id: str) -> str:
    """Turn an id into a name for people: ``shop.user-login[eur]`` becomes ``User login [eur]``."""
    base, bracket, rest = workflow_id.partition("[")
    words = re.sub(r"[-_]+", " ", base.rpartition(".")[2]).strip() or base
    return words[:1].upper() + words[1:] + (f" [{rest}" if bracket else "")


def _unknown(key: str) -> str:
    import difflib

    near = difflib.get_close_matches(key, PARAMETERS, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown parameter {key!r}; {hint}Allowed are {', '.join(PARAMETERS)}."


def _shown(value: Any) -> str:
    """Show a value on one line, whatever its ``__repr__`` does."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - a value that cannot be shown is still a mistake to report
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def _id(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _ID.fullmatch(value) or len(value) > MAX_ID:
        raise ValueError(
            f"expected an id of 1 to {MAX_ID} characters without white space and square brackets"
        )
    return value


def _priority(value: Any) -> Priority:
    try:
        return Priority(value)
    except ValueError:
        raise ValueError(f"expected one of {', '.join(Priority)}") from None


def _overlap(value: Any) -> Overlap:
    try:
        return Overlap(value)
    except ValueError:
        raise ValueError(f"expected one of {', '.join(Overlap)}") from None


def _queue(value: Any) -> str:
    if not isinstance(value, str) or not _QUEUE.fullmatch(value) or len(value) > MAX_QUEUE:
        raise ValueError(
            f"expected a name of 1 to {MAX_QUEUE} letters, digits, dots, hyphens and underscores"
        )
    return value


def _slo(value: Any) -> float | None:
    return None if value is None else slo_rules.target(value)


def _window(value: Any) -> float | None:
    return None if value is None else slo_rules.window(value)


def _duration(value: Any) -> float:
    found = seconds(value)
    if found > MAX_INTERVAL:
        raise ValueError("expected a duration up to 366d")
    return found


def _grace(value: Any) -> float | None:
    return None if value is None else _duration(value)


def _cron(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("expected a cron expression as text")
    return value


def _every(value: Any) -> int | None:
    if value is None:
        return None
    interval = seconds(value)
    if not 1 <= interval <= MAX_INTERVAL or interval != int(interval):
        raise ValueError("expected a duration of whole seconds from 1s to 366d")
    return int(interval)


def _timezone(value: Any) -> str:
    try:
        return ZoneInfo(_text(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as 'Europe/Berlin' or 'UTC'") from None


def _time_limit(value: Any) -> float | None:
    if value is None:
        return None
    limit = _duration(value)
    if limit == 0:
        raise ValueError("expected a duration above zero")
    return limit


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_RETRIES:
        raise ValueError(f"expected a whole number from 0 to {MAX_RETRIES}")
    return value


def _factor(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 1 <= value <= MAX_BACKOFF:
        raise ValueError(f"expected a number from 1 to {MAX_BACKOFF}")
    return float(value)


def _texts(value: Any) -> tuple[str, ...]:
    parts = (value,) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple | set | frozenset) or not all(
        isinstance(part, str) and part for part in parts
    ):
        raise ValueError("expected a text or a list of texts, none of them empty")
    return tuple(sorted(parts) if isinstance(parts, set | frozenset) else parts)


def _labels(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ValueError("expected a dict of names and values")
    return {name: str(item) for name, item in value.items()}


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("expected True or False")
    return value


PARAMETERS: dict[str, Parser] = {
    "id": _id,
    "name": _text,
    "description": _text,
    "type": _text,
    "priority": _priority,
    "cron": _cron,
    "every": _every,
    "timezone": _timezone,
    "timeout": _time_limit,
    "retries": _count,
    "retry_delay": _duration,
    "retry_backoff": _factor,
    "tags": _texts,
    "owner": _text,
    "runbook": _text,
    "labels": _labels,
    "environments": _texts,
    "enabled": _flag,
    "degraded_after": _time_limit,
    "notify_on_failure": _flag,
    "notify_on_success": _flag,
    "budgets": check_budgets,
    "suspicious_passes": _flag,
    "queue": _queue,
    "overlap": _overlap,
    "grace": _grace,
    "limit": _time_limit,
    "slo": _slo,
    "window": _window,
}
"""Every parameter of the marker and what checks and converts its value."""
