"""When a message that was not taken is tried again."""

from __future__ import annotations

from datetime import timedelta

PAUSES_SECONDS = (10, 30, 120, 600, 1800, 3600, 7200)
"""The pauses after the first, second, … try; after one more the message is a dead letter."""

TRIES = len(PAUSES_SECONDS) + 1
JITTER = 0.2
"""A pause is up to so much shorter or longer, lest many come back at once."""


def is_last(tries: int) -> bool:
    """Tell whether a message that was tried so often is given up."""
    return tries >= TRIES


def pause(tries: int, chance: float, retry_after: float | None = None) -> timedelta:
    """Return how long to wait after a try that failed.

    Args:
        tries: How often the message has been tried, this time included.
        chance: A random number from 0 to 1, by which the pause is shorter or longer.
        retry_after: Seconds that the other side asked to wait; the pause is never shorter.
    """
    usual = PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS)) - 1]
    varied = usual * (1 - JITTER + 2 * JITTER * chance)
    return timedelta(seconds=max(varied, retry_after or 0.0))
