"""A pytest plugin that writes how long the phases of the last test took, in seconds, to a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

VARIABLE = "BENCH_PHASES"
_phases: dict[str, float] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a phase; the tear-down is the last one."""
    _phases[report.when] = report.duration
    if report.when == "teardown":
        Path(os.environ[VARIABLE]).write_text(json.dumps(_phases))
