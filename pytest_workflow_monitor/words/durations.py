"""Durations as people write them: seconds, or text such as ``"90s"`` and ``"1h30m"``."""

from __future__ import annotations

import re
import sys

ALLOWED = 'seconds as a number, or text such as "90s", "5m", "1h30m" or "250ms"'
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")


def seconds(value: object) -> float:
    """Convert a duration to seconds.

    Raises:
        ValueError: The text is no duration, or the number is negative or not finite.
        TypeError: The value is neither a number nor a text.
    """
    if isinstance(value, str):
        text = value.strip().lower()
        if _WHOLE.fullmatch(text) is None:
            raise ValueError(f"expected {ALLOWED}")
        value = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected {ALLOWED}")
    if not 0 <= value <= sys.float_info.max:
        raise ValueError(f"a duration cannot be negative or infinite; expected {ALLOWED}")
    return float(value)
