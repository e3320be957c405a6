"""Delivery: on which days, and for how much."""

from __future__ import annotations

from datetime import date, timedelta

POSTCODE = r"[0-9]{5}"
NEAR = tuple("12345")
NEAR_CENTS, FAR_CENTS = 290, 490
FREE_FROM_CENTS = 4000
WEEKDAYS = (1, 4)


def fee_cents(postcode: str, items_cents: int) -> int:
    """Return the delivery fee: less for the postcode areas 1 to 5, nothing for large orders."""
    if items_cents >= FREE_FROM_CENTS:
        return 0
    return NEAR_CENTS if postcode.startswith(NEAR) else FAR_CENTS


def next_days(today: date, how_many: int = 4) -> tuple[date, ...]:
    """Return the next delivery days, Tuesdays and Fridays, from the day after tomorrow on."""
    days = (today + timedelta(days=ahead) for ahead in range(2, 2 + 7 * how_many))
    return tuple(day for day in days if day.weekday() in WEEKDAYS)[:how_many]
