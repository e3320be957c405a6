"""A pytest plugin that records every other block of tests, and writes what each test took.

While a block is not recorded, the object whose hooks record is not registered, so that such a test
is one of bare pytest. Which of two neighbouring blocks is recorded is drawn by lot.
"""

from __future__ import annotations

import json
import os
import random
from itertools import count
from pathlib import Path
from time import process_time

import pytest

VARIABLE = "BENCH_BLOCKS"
"""Names the file that pairs of processor seconds a test, bare and recorded, are written to."""

TESTS = 32
NAME = "workflow-monitor-recording"
WARM_UP = 20
"""Blocks that do not count: Python specialises code while it runs."""


class Blocks:
    """Switches recording on and off while a session runs."""

    def __init__(self, config: pytest.Config) -> None:
        self._plugins = config.pluginmanager
        self._recording = config.pluginmanager.get_plugin(NAME)
        self._numbers = count()
        self._lot = random.Random(0)
        self._order = [False, True]
        self._spent: list[tuple[bool, float]] = []
        self._is_on = True
        self._since = process_time()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> None:
        """Begin the next block, if the one before is complete."""
        block, place = divmod(next(self._numbers), TESTS)
        if place:
            return
        now = process_time()
        if block > WARM_UP:
            self._spent.append((self._is_on, (now - self._since) / TESTS))
        if block % 2 == 0:
            self._lot.shuffle(self._order)
        self._turn(on=self._order[block % 2])
        self._since = process_time()

    def pytest_sessionfinish(self) -> None:
        """Record again, and write what was measured."""
        self._turn(on=True)
        neighbours = zip(self._spent[::2], self._spent[1::2], strict=False)
        pairs = [[seconds for _, seconds in sorted(pair)] for pair in neighbours]
        Path(os.environ[VARIABLE]).write_text(json.dumps(pairs))

    def _turn(self, *, on: bool) -> None:
        if on and not self._is_on:
            self._plugins.register(self._recording, NAME)
        elif self._is_on and not on:
            self._plugins.unregister(self._recording)
        self._is_on = on


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin when everything that records is there."""
    session.config.pluginmanager.register(Blocks(session.config), "bench-blocks")
