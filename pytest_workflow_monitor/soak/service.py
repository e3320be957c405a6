"""The process under test: a scheduler with its worker, that ends with the soak that started it.

An order is the first line of standard input. The end of standard input asks it to stop.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import msgspec

from pytest_workflow_monitor import settings as configuration
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.schedule import logs
from pytest_workflow_monitor.schedule.service import Options, Service
from pytest_workflow_monitor.support.pace import Pace


class Order(Record, frozen=True, kw_only=True):
    """What the service is to do: how many runs at once, at which pace."""

    concurrency: int
    stop_within_seconds: float
    pace: Pace


def main() -> int:
    """Run workflows when they are due, until standard input ends."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    settings = configuration.load(Path.cwd())
    known.learn_environment(os.environ, settings.secret_names)
    logs.configure("info", "text")
    threading.Thread(target=_end_with_input, daemon=True).start()
    options = Options(concurrency=order.concurrency, stop_within_seconds=order.stop_within_seconds)
    return asyncio.run(Service(settings, options, order.pace).run())


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
