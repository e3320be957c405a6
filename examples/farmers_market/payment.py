"""A payment provider that moves no money: one card number is declined, all others are good."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

DECLINED = "4000000000000002"


class DeclinedError(Exception):
    """The bank refused to promise the amount."""


def card_number(text: str) -> str:
    """Return the digits of a card number typed with spaces or dashes."""
    return re.sub(r"[\s-]", "", text)


def is_card_number(text: str) -> bool:
    """Tell whether a number has a card's length and check digit (Luhn, ISO/IEC 7812-1)."""
    digits = card_number(text)
    if not re.fullmatch(r"[0-9]{13,19}", digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def is_expired(expiry: str, today: date) -> bool:
    """Tell whether a card's `MM/YY` lies before this month."""
    month, year = (int(part) for part in expiry.split("/"))
    return (2000 + year, month) < (today.year, today.month)


def authorise(number: str, amount_cents: int) -> str:
    """Have the bank promise an amount, and return the card's last four digits.

    Nothing is charged yet, so an order that fails afterwards costs nobody anything. Raises
    `DeclinedError`.
    """
    digits = card_number(number)
    if digits == DECLINED or amount_cents <= 0:
        raise DeclinedError
    return digits[-4:]
