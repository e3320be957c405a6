"""Numbers, durations and instants as people say them; the same words in every report.

The page of the session report says them again in ``report/assets/js/format.js``; a test holds the
two together.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo

from pytest_workflow_monitor.model import Status

STATUS_WORDS = {
    Status.PASSED: "Passed",
    Status.DEGRADED: "Degraded",
    Status.FAILED: "Failed",
    Status.ERROR: "Error",
    Status.TIMED_OUT: "Timed out",
    Status.CRASHED: "Crashed",
    Status.INTERRUPTED: "Interrupted",
    Status.SKIPPED: "Skipped",
    Status.RUNNING: "Running",
}
"""What a reader sees instead of the value of a status."""

STATUS_MARKS = {
    Status.PASSED: "✓",
    Status.DEGRADED: "!",
    Status.FAILED: "✗",
    Status.ERROR: "⊗",
    Status.TIMED_OUT: "✗",
    Status.CRASHED: "⊗",
    Status.INTERRUPTED: "⊗",
    Status.SKIPPED: "–",
    Status.RUNNING: "…",
}
"""The sign that goes with a status where there is only text; never without its word."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNKNOWN = "–"
BYTES = frozenset({"B", "bytes"})

_SECOND = 1_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_KILO = 1_000


def duration(milliseconds: float | None) -> str:
    """Say a duration: ``840 ms``, ``4.2 s``, ``3 min 12 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if milliseconds is None or not math.isfinite(milliseconds):
        return UNKNOWN
    sign = "-" if milliseconds < 0 else ""
    value = abs(milliseconds)
    if value < 1:
        return "0 ms" if value == 0 else f"{sign}<1 ms"
    if _whole(value) < _SECOND:
        return f"{sign}{_whole(value)} ms"
    tenths = _whole(value / 100)
    if tenths < _MINUTE // 100:
        return f"{sign}{tenths // 10}.{tenths % 10} s"
    return sign + _long_duration(_whole(value / _SECOND))


def _long_duration(seconds: int) -> str:
    for size, unit, smaller, smaller_unit in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", _SECOND, "s"),
    ):
        if seconds * _SECOND >= size:
            whole, rest = divmod(seconds * _SECOND, size)
            rest //= smaller
            return f"{whole} {unit} {rest} {smaller_unit}" if rest else f"{whole} {unit}"
    return f"{seconds} s"


def _whole(value: float) -> int:
    return math.floor(value + 0.5)


def change(milliseconds: float) -> str:
    """Say a difference of durations with its sign: ``+1.3 s``, ``−40 ms``, ``±0 ms``."""
    if milliseconds == 0:
        return "±0 ms"
    return ("+" if milliseconds > 0 else "−") + duration(abs(milliseconds))


def percent(share: float) -> str:
    """Say a share between 0 and 1: ``98.6 %``; only exactly all is ``100 %``."""
    tenths = math.floor(share * 1_000 + 1e-9)
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10} %"


def availability(share: float) -> str:
    """Say a share with two decimals near one: ``99.95 %`` is not ``99.9 %``; else as a per cent."""
    if 0.99 < share < 1:  # noqa: PLR2004 - what error budgets are about
        hundredths = math.floor(share * 10_000 + 1e-9)
        text = f"{hundredths // 100}.{hundredths % 100:02d}".rstrip("0").rstrip(".")
        return f"{text} %"
    return percent(share)


def size(size_bytes: int) -> str:
    """Say how long a file is, in powers of 1,000: ``512 B``, ``12 kB``, ``3.4 MB``."""
    value, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < _KILO:
            break
        value, unit = value / _KILO, larger
    digits = 1 if unit not in {"B", "kB"} and value < 10 else 0  # noqa: PLR2004 - two figures
    return f"{value:.{digits}f} {unit}"


def number(value: float | None) -> str:
    """Say a measured number with at most three significant decimals: ``1,234``, ``0.042``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) >= 100 or value == int(value):  # noqa: PLR2004 - decimals below it are noise
        return f"{_whole(value):,}"
    text = f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"
    if "e" in text:
        return text
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float | None, unit: str) -> str:
    """Say a metric's value with its unit; milliseconds become a duration, bytes a size."""
    if unit == "ms":
        return duration(value)
    if unit in BYTES and value is not None and math.isfinite(value):
        return size(round(value))
    return f"{number(value)} {unit}".rstrip()


def plural(count: int, noun: str) -> str:
    """Say how many: ``1 workflow``, ``10,000 workflows``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def instant(moment: datetime, *, reference: datetime, zone: tzinfo = UTC) -> str:
    """Say when: ``14:20`` on the day of ``reference``, else ``12 Nov 14:20``, with a year if other.

    Both instants are shown in ``zone``, which is not named: say it once nearby.
    """
    local, now = moment.astimezone(zone), reference.astimezone(zone)
    clock = f"{local:%H:%M}"
    if local.date() == now.date():
        return clock
    day = f"{local.day} {MONTHS[local.month - 1]}"
    return f"{day} {clock}" if local.year == now.year else f"{day} {local.year} {clock}"


def full_instant(moment: datetime, *, zone: tzinfo = UTC) -> str:
    """Say an instant completely: ``12 Nov 2025 14:20:05 UTC``."""
    local = moment.astimezone(zone)
    return f"{local.day} {MONTHS[local.month - 1]} {local.year} {local:%H:%M:%S %Z}"


def first_line(text: str, *, limit: int = 300) -> str:
    """Take the first line that is not blank, cut to ``limit`` characters with an ellipsis."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return cut(line, limit)


def cut(text: str, limit: int) -> str:
    """Cut ``text`` to at most ``limit`` characters, the last of them an ellipsis if it was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
