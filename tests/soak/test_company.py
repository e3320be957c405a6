"""The clocks of a soak's stretches: together they are the time that was asked for, whole."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest

from pytest_workflow_monitor.soak.company import Company
from pytest_workflow_monitor.soak.progress import Plan, Progress
from tests.schedule.timetable import NOON


def stretches(count: int, *, seconds: float, speed: float) -> list[Progress]:
    """Return stretches of which nothing was played."""
    plan = Plan(seconds=seconds, speed=speed, stretches=count, checkpoint_seconds=10, concurrency=3)
    return [Progress(plan=plan, stretch=it) for it in range(count)]


@pytest.mark.parametrize("speed", [1, 20])
@pytest.mark.parametrize("seconds", [24 * 3600, 90])
def test_a_stretch_begins_as_played_when_the_one_before_it_ends(
    seconds: float, speed: float
) -> None:
    """In real time they begin shortly after one another, once the last of them is ready."""
    some = stretches(17, seconds=seconds, speed=speed)
    company = Company(some, threading.Event())
    with ThreadPoolExecutor(len(some)) as pool:
        ready = [NOON + timedelta(seconds=it.stretch) for it in some]
        begins = list(pool.map(company.begin, some, ready))
    assert begins[0] == max(ready)
    apart = [(after - before).total_seconds() for before, after in pairwise(begins)]
    assert apart == pytest.approx([min(13, seconds / speed / 17 / 17)] * 16, abs=1e-5)
    played = [company.pace_of(it).at(begins_at) for it, begins_at in zip(some, begins, strict=True)]
    lengths = [(after - before).total_seconds() for before, after in pairwise(played)]
    assert lengths == pytest.approx([seconds / 17] * 16, abs=1e-3)


def test_at_real_speed_the_last_stretch_is_played_in_real_time() -> None:
    """So is a soak of one stretch."""
    some = stretches(3, seconds=3600, speed=1)
    company = Company(some, threading.Event())
    assert [company.pace_of(it).is_real for it in some] == [False, False, True]
    (only,) = stretches(1, seconds=3600, speed=1)
    assert Company([only], threading.Event()).pace_of(only).is_real


def test_no_stretch_waits_for_one_that_cannot_begin() -> None:
    """They are told, and nothing goes on."""
    first, second = stretches(2, seconds=3600, speed=1)
    company = Company([first, second], threading.Event())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(company.begin, first, NOON)
        company.abandon()
        with pytest.raises(threading.BrokenBarrierError):
            waiting.result()
    assert not company.goes_on
