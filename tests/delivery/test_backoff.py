from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_workflow_monitor.notify import backoff


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 8), (0.5, 10), (1.0, 12)])
def test_pauses_vary_by_a_fifth(chance: float, seconds: float) -> None:
    """Processes that failed together do not come back together."""
    assert backoff.pause(1, chance) == timedelta(seconds=seconds)


def test_pauses_grow_for_some_hours() -> None:
    """Then the message is given up."""
    pauses = [backoff.pause(tries, 0.5) for tries in range(1, backoff.TRIES)]
    assert pauses == sorted(pauses)
    assert timedelta(hours=3) < sum(pauses, timedelta()) < timedelta(hours=5)
    assert [backoff.is_last(tries) for tries in (1, 7, 8, 9)] == [False, False, True, True]


def test_who_asks_to_wait_is_obeyed() -> None:
    """A pause is never shorter than asked for, nor than usual."""
    assert backoff.pause(1, 0.5, retry_after=300) == timedelta(minutes=5)
    assert backoff.pause(5, 0.5, retry_after=1) == timedelta(minutes=30)
