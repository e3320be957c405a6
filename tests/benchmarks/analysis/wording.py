"""How figures are printed."""

from __future__ import annotations


def percent(part: float, whole: float) -> str:
    """Say a share in per cent, or that there is none."""
    return f"{100 * part / whole:5.1f} %" if whole else "    – %"
