"""Whether a value is allowed for a setting; if not, one clause says what is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from pytest_workflow_monitor.settings import (
    alert_rules,
    gate_rules,
    health_rules,
    report_rules,
    slo_rules,
)
from pytest_workflow_monitor.settings.effective import Settings
from pytest_workflow_monitor.settings.parsing import zone
from pytest_workflow_monitor.words.metric_names import check_budgets

TYPES = {
    field.name: field.type
    for field in msgspec.structs.fields(Settings)
    if field.name not in {"root", "sources"}
}
SECRET_KEYS = frozenset({"database_url", "heartbeat_url"})
TABLES = {
    **alert_rules.READERS,
    **health_rules.READERS,
    **gate_rules.READERS,
    **report_rules.READERS,
    **slo_rules.READERS,
}
"""What reads each setting that is a table or a list of tables."""

WEB = ("http://", "https://")
LIMITS = {
    "deadline_seconds": (0, 3600),
    "output_limit_kb": (0, 65536),
    "slow_request_seconds": (0, 3600),
    "history_length": (0, 1000),
    "login_ttl_seconds": (0, 2_592_000),
    "artifacts_pass_days": (0, 36500),
    "artifacts_days": (0, 36500),
    "artifacts_max_mb": (0, 10**9),
    "schedule_group_size": (1, 1000),
    "worker_timeout_seconds": (1, 3600),
    "slot_days": (1, 36500),
    "anomaly_false_alarms": (0.01, 100),
    "execution_days": (1, 36500),
    "detail_days": (1, 36500),
    "log_days": (1, 36500),
}
"""Allowed ranges of numbers, both ends included."""


def show_value(key: str, value: Any) -> str:
    """Show what was given; of a table, the error names the part that is wrong."""
    if key in TABLES:
        return ""
    return " = …" if key in SECRET_KEYS else f" = {value!r}"


def check_value(key: str, value: Any) -> Any:
    """Return a setting's value as its type, from a file, the environment or the command line.

    Raises:
        ValueError: It is not allowed; one clause that says what is.
    """
    wanted = TYPES[key]
    if isinstance(value, str):
        _check_text(value)
    if wanted == tuple[str, ...] and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if key in TABLES:
        return _read_table(key, value)
    if key == "budgets":
        return check_budgets(_numbers(value) if isinstance(value, str) else value)
    if key == "log_level" and isinstance(value, str):
        value = value.lower()
    if wanted is Path:
        if not isinstance(value, str | Path) or not str(value):
            raise ValueError("expected a path")
        return Path(value)
    try:
        checked = msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(_allowed(wanted, str(error))) from None
    _check_range(key, checked)
    return checked


def _check_text(value: str) -> None:
    """Refuse what neither JSON nor PostgreSQL can hold."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("expected text in UTF-8") from None
    if "\0" in value:
        raise ValueError("expected text without NUL")


def _check_range(key: str, checked: Any) -> None:
    low, high = LIMITS.get(key, (None, None))
    if low is not None and high is not None and not low <= checked <= high:
        raise ValueError(f"expected a number from {low} to {high}")
    if (
        key in {"artifacts_http_url", "heartbeat_url", "report_url", "reports_url"}
        and checked
        and not checked.startswith(WEB)
    ):
        raise ValueError("expected an address that begins with http:// or https://")
    if key == "reports_url":
        report_rules.check_places(checked)
    if key == "timezone":
        zone(checked)
    if key == "network_reference":
        for reference in checked:
            health_rules.check_reference(reference)
    if key in {"project", "environment"} and not checked:
        raise ValueError("expected a name")


def _read_table(key: str, value: Any) -> Any:
    """Read a setting that is a table; in the environment it is written as JSON."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except msgspec.MsgspecError:
            raise ValueError("expected JSON") from None
    try:
        return TABLES[key](value)
    except TypeError as error:
        raise ValueError(str(error)) from None


def _numbers(text: str) -> dict[str, float | str]:
    """Read ``name=number, name=number`` as one writes it in the environment."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return {name.strip(): _number(value.strip()) for name, _, value in pairs}


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


_PLAIN_TYPES = {
    bool: "expected true or false",
    float: "expected a number",
    int: "expected a whole number",
}


def _allowed(wanted: Any, fallback: str) -> str:
    choices = getattr(wanted, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return f"expected one of {', '.join(choices)}"
    return _PLAIN_TYPES.get(wanted) or fallback[:1].lower() + fallback[1:]
