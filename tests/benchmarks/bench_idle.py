"""What a scheduler with many schedules costs while nothing is due.

Run it as ``python -m tests.benchmarks.bench_idle [--schedules 10000] [--seconds 300]``. It writes a
project with so many workflows that are due once a month, starts `workflow-monitor schedule run` on
an embedded server of its own, and waits until the scheduler knows them all. Then it reads how much
processor time the process and its children take, and how much the database does for them, every
minute. Five minutes hold each of its regular chores: they come every minute, two, or five.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import psutil
from msgspec.structs import replace

from pytest_workflow_monitor import settings as configuration
from pytest_workflow_monitor.store import embedded, open_store
from tests.conftest import throw_away_folder

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = """
[tool.workflow_monitor]
project = "shop"

[tool.pytest.ini_options]
addopts = ["-p", "no:asyncio", "-p", "no:cacheprovider"]
"""
SUITE = """
import pytest

CASES = [
    pytest.param(n, marks=pytest.mark.workflow(f"check-{{n:05}}", cron="{cron}"), id=f"{{n:05}}")
    for n in range({schedules})
]

@pytest.mark.parametrize("number", CASES)
def test_check(number): pass
"""
START_SECONDS = 600.0
WARM_SECONDS = 30.0
"""After the schedules are known: the first round of chores is over then."""

MINUTE = 60.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.bench_idle", description=__doc__
    )
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=300.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=throw_away_folder()) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "pyproject.toml").write_text(PROJECT)
        settings = replace(configuration.load(folder, environ={}), database_url="")
        with open_store(settings) as store:
            far = store.clock() + timedelta(days=15)
            cron = f"0 0 {min(far.day, 28)} * *"
            (folder / "test_checks.py").write_text(
                SUITE.format(cron=cron, schedules=options.schedules)
            )
            server = store.server
            assert server is not None
            process = _start(folder, server)
            try:
                _await(lambda: len(store.schedules("shop", "local")) == options.schedules)
                sleep(WARM_SECONDS)
                _measure(process, _postmaster(server), options.seconds)
            finally:
                process.terminate()
                process.wait()


def _start(folder: Path, server: embedded.EmbeddedServer) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest_workflow_monitor.cli", "schedule", "run"],
        cwd=folder,
        env=os.environ | {"DATABASE_URL": server.url},
        stdin=subprocess.DEVNULL,
    )


def _measure(service: subprocess.Popen[bytes], postmaster: int, seconds: float) -> None:
    """Print what scheduler and database take, minute by minute and in all."""
    watched = {"scheduler": psutil.Process(service.pid), "database": psutil.Process(postmaster)}
    began = monotonic()
    first = {name: _taken(it) for name, it in watched.items()}
    last, last_at = first, began
    while last_at - began < seconds:
        sleep(MINUTE)
        now, at = {name: _taken(it) for name, it in watched.items()}, monotonic()
        print(_line("a minute", last, now, at - last_at), flush=True)
        last, last_at = now, at
    print(_line(f"{last_at - began:.0f} s", first, last, last_at - began))
    print(f"memory of the scheduler: {watched['scheduler'].memory_info().rss / 1e6:.0f} MB")


def _line(what: str, before: dict[str, float], now: dict[str, float], seconds: float) -> str:
    shares = (f"{name} {(now[name] - before[name]) / seconds:.2%}" for name in now)
    return f"{what}: {', '.join(shares)} of a processor"


def _taken(process: psutil.Process) -> float:
    """Return the processor time of a process and its children, those included that have ended."""
    total = 0.0
    for it in (process, *process.children(recursive=True)):
        times = it.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _postmaster(server: embedded.EmbeddedServer) -> int:
    return int((server.data / "postmaster.pid").read_text().split("\n")[0])


def _await(is_there: Callable[[], bool]) -> None:
    give_up_at = monotonic() + START_SECONDS
    while not is_there():
        if monotonic() > give_up_at:
            sys.exit("The scheduler does not learn of its schedules.")
        sleep(1)


if __name__ == "__main__":
    main()
