"""Schedulers and workers as processes of their own, watched by what they log."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import timedelta
from textwrap import dedent
from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pytest_workflow_monitor.store import Store, queue_schema
from pytest_workflow_monitor.store.schedules import NewJob, NewSlot
from pytest_workflow_monitor.words.queues import TASK, job_queue
from pytest_workflow_monitor.words.slots import Slot, SlotStatus
from tests.cli.conftest import FOREIGN
from tests.schedule.timetable import ENVIRONMENT, PROJECT, a_schedule, keep

if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_workflow_monitor.words.slots import Schedule

PATIENCE = 90.0
"""How long anything may take on a busy machine; what is awaited comes much earlier."""

CONFIGURATION = f"""
    [tool.workflow_monitor]
    project = "{PROJECT}"
    environment = "{ENVIRONMENT}"
    worker_timeout_seconds = 1.5

    [tool.pytest.ini_options]
    testpaths = ["."]
    addopts = ["-p", "no:asyncio"]
"""


class Process:
    """A process that logs JSON to standard error."""

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self.popen = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[dict[str, Any]] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def until(self, action: str, **fields: Any) -> dict[str, Any]:
        """Wait until it logs an action, after what was waited for before."""
        wanted = {"action": action} | fields
        give_up_at = monotonic() + PATIENCE
        while (line := self._line(give_up_at)) is not None:
            self.said.append(line)
            if all(line.get(name) == value for name, value in wanted.items()):
                return line
        raise AssertionError(f"it did not say {wanted}, but {self.said}")

    def _line(self, give_up_at: float) -> dict[str, Any] | None:
        """Return the next line; None when it has ended, or took too long."""
        try:
            line = self._lines.get(timeout=max(give_up_at - monotonic(), 0))
        except queue.Empty:
            return None
        if line is None:
            return None
        try:
            return dict(json.loads(line))
        except ValueError:
            return {"message": line}

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.popen.send_signal(number)

    def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""
        return self.popen.wait(PATIENCE)

    def kill(self) -> None:
        """End it without giving it a chance."""
        with suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait(PATIENCE)
        self._reader.join(PATIENCE)

    def _read(self) -> None:
        assert self.popen.stderr is not None
        with self.popen.stderr:
            for line in self.popen.stderr:
                self._lines.put(line)
        self._lines.put(None)


class Yard:
    """A project with a database, and the processes that run its workflows.

    Attributes:
        path: The project's folder.
        store: Its database, with the queue's tables.
    """

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self.url = url
        self.store = Store(url, project=PROJECT)
        queue_schema.prepare(self.store)
        self.processes: list[Process] = []
        self.write("pyproject.toml", CONFIGURATION)

    def write(self, name: str, text: str) -> Path:
        """Write a file."""
        path = self.path / name
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def start(self, *arguments: str, **environment: str) -> Process:
        """Start a command of workflow-monitor that logs JSON."""
        command = [sys.executable, "-m", "pytest_workflow_monitor.cli", *arguments]
        return self.start_program([*command, "--log-format", "json"], **environment)

    def start_program(self, command: Sequence[str], **environment: str) -> Process:
        """Start any program in the project."""
        kept = {name: it for name, it in os.environ.items() if not name.startswith(FOREIGN)}
        process = Process(command, self.path, kept | {"DATABASE_URL": self.url} | environment)
        self.processes.append(process)
        return process

    def queue(self, *workflow_ids: str, **changes: Any) -> list[int]:
        """Let slots of workflows wait for a worker, those of one call in one job."""
        schedules = [self.schedule(it, **changes) for it in workflow_ids]
        now = self.store.clock()
        added = self.store.add_slots([_new_slot(it, now, "queued") for it in schedules])
        ids = [it.slot_id for it in added]
        job = NewJob(
            queue=job_queue(PROJECT, ENVIRONMENT, schedules[0].queue),
            task_name=TASK,
            priority=0,
            lock=None,
            args={"slot_ids": ids},
        )
        self.store.defer_jobs([job])
        return ids

    def schedule(self, workflow_id: str, **changes: Any) -> Schedule:
        """Keep the schedule of a test in test_it.py that is not due by itself."""
        nodeid = f"test_it.py::test_{workflow_id}"
        made = replace(a_schedule(workflow_id, nodeid=nodeid, next_run_at=None), **changes)
        keep(self.store, [made])
        return made

    def slots(self) -> dict[str, Slot]:
        """Return the latest slot of each workflow."""
        found = self.store.slots(PROJECT, ENVIRONMENT)
        return {it.workflow_id: it for it in reversed(found)}

    def close(self) -> None:
        """End what still runs."""
        for process in self.processes:
            process.kill()
        self.store.close()


def _new_slot(schedule: Schedule, now: Any, status: str) -> NewSlot:
    return NewSlot(
        project=PROJECT,
        workflow_id=schedule.workflow_id,
        environment=ENVIRONMENT,
        slot_at=now - timedelta(seconds=2),
        status=SlotStatus(status),
        queue=schedule.queue,
        claimed_at=now,
        claimed_by="the test",
    )
