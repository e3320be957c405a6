"""Identifiers that sort by time."""

from __future__ import annotations

import os
import time
from itertools import count


class _Ids:
    """Makes the ids of one process: the time, what tells the process apart, and a counter.

    RFC 9562 allows a counter of random start in the place of random bits (section 6.2, method 1);
    drawing new bits for each id would be most of its cost.
    """

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Draw 50 random bits, which no other process has, and a start of the 24-bit counter.

        They come from the operating system, because tests reseed :mod:`random`.
        """
        random = int.from_bytes(os.urandom(10), "big")
        group = 0x8000 | random & 0x3FFF
        self._stem = f"7{random >> 14 & 0xFFF:03x}-{group:04x}-{random >> 26 & 0xFFFFFF:06x}"
        self._counter = count(random >> 56)

    def make(self) -> str:
        """Return a UUIDv7 (RFC 9562) as text: 48 bits of milliseconds, 50 random bits, a counter.

        Written out because ``uuid.uuid7`` only exists since Python 3.14.
        """
        time_ms = (time.time_ns() // 1_000_000).to_bytes(6).hex()
        number = (next(self._counter) & 0xFFFFFF).to_bytes(3).hex()
        return f"{time_ms[:8]}-{time_ms[8:]}-{self._stem}{number}"


_ids = _Ids()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ids.renew)

new_id = _ids.make
