"""Identifiers that sort by time."""

from __future__ import annotations

import os
import time


def new_id() -> str:
    """Return a UUIDv7 (RFC 9562) as text: 48 bits of milliseconds, 74 random bits.

    Written out because ``uuid.uuid7`` only exists since Python 3.14, and read from the operating
    system because tests reseed :mod:`random`.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (
        (milliseconds & 0xFFFF_FFFF_FFFF) << 80
        | 0x7 << 76
        | (random >> 68 & 0xFFF) << 64
        | 0b10 << 62
        | random & 0x3FFF_FFFF_FFFF_FFFF
    )
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
