"""The four seasons, and which of them a date belongs to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


class Season(StrEnum):
    """A quarter of the year, as growers in the northern hemisphere count it."""

    WINTER = "winter"
    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN = "autumn"


def season_of(day: date) -> Season:
    """Return the meteorological season of a day: winter is December to February, and so on."""
    return tuple(Season)[day.month % 12 // 3]
