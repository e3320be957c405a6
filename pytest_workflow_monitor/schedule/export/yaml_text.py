"""Writes plain values as YAML that every parser reads alike: what may be no text is quoted."""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_LAST_OF_FOUR_DIGITS = 0xFFFF
_NO_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"})


LONGEST_KEY = 1_000
"""YAML allows some more characters before a colon; a longer key is marked as one."""


def dump(value: dict[str, Any]) -> str:
    """Write a table; its values are tables, lists, texts, numbers, true, false and None."""
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        found = []
        for key, item in value.items():
            name = _scalar(key)
            if len(name) > LONGEST_KEY:
                found += [f"? {name}", *_entry(":", item)]
            else:
                found += _entry(f"{name}:", item)
        return found
    if isinstance(value, list) and value:
        found = []
        for item in value:
            first, *rest = _lines(item)
            found += [f"- {first}", *(f"  {line}" for line in rest)]
        return found
    return [_scalar(value)]


def _entry(name: str, item: Any) -> list[str]:
    lines = _lines(item)
    if isinstance(item, dict | list) and item:
        return [name, *(f"  {line}" for line in lines)]
    return [f"{name} {lines[0]}"]


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXT:
        return value
    return "".join(map(_shown, json.dumps(value, ensure_ascii=False)))


def _shown(character: str) -> str:
    """Escape what is not ASCII; unlike JSON, YAML joins no pairs of surrogates."""
    if " " <= character <= "~":
        return character
    code = ord(character)
    return f"\\U{code:08x}" if code > _LAST_OF_FOUR_DIGITS else f"\\u{code:04x}"
