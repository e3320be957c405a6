"""Memory and processor time of the browser and of the test process.

The browser is found among the descendants of this process; looking for them takes some 15 ms, so a
thread does it, beside the test: when the first context of an attempt opens, every few seconds while
one is open, and when the test has ended and its fixtures are being torn down.
"""

from __future__ import annotations

import logging
import re
from resource import RUSAGE_SELF, getrusage
from sys import platform
from threading import Condition, Thread
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_workflow_monitor.recording.browser.watch import Observer
from pytest_workflow_monitor.recording.context import process

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psutil import Process

    from pytest_workflow_monitor.recording.recorder import Recorder

INTERVAL_SECONDS = 2.0
LARGEST_SHARE = 0.01
"""How much of a processor looking may take: where it is slow, it is done less often."""

PATIENCE_SECONDS = 1.0
MB = 1_000_000
RSS_UNIT = 1 if platform == "darwin" else 1024
"""What ``getrusage`` counts memory in."""

_BROWSER = re.compile(
    r"chrom|headless.shell|msedge|firefox|nightly|webkit|minibrowser|pw_run", re.I
)

LOGGER = "pytest_workflow_monitor.measurements"
"""The name of the log, which is made when it is needed: pytest visits all of them in each test."""


class Sample(NamedTuple):
    """What browsers use at a moment: bytes of memory, and processor seconds by root process."""

    at: float
    memory: int
    cpu_seconds: dict[int, float]


def of_process(since: float) -> dict[str, float]:
    """Return the processor time of this process, and the peak of its memory.

    The peak is of the process's whole life: an earlier test may have set it.

    Args:
        since: What :func:`time.process_time` was at the start.
    """
    return {
        "process_peak_memory_mb": getrusage(RUSAGE_SELF).ru_maxrss * RSS_UNIT / MB,
        "process_cpu_seconds": process_time() - since,
    }


class BrowserResources(Observer):
    """Samples the browsers of an attempt.

    Between attempts, and for tests without a browser, the thread sleeps.
    """

    def __init__(self) -> None:
        self._recorder: Recorder | None = None
        self._peak = 0
        self._baseline: dict[int, float] | None = None
        self._latest: Sample | None = None
        self._is_over = True
        self._wanted = self._done = 0  # how many samples
        self._changed = Condition()
        self._thread: Thread | None = None

    def context_opened(self, context: Any) -> None:  # noqa: ARG002 - any context will do
        """Begin to sample, with the first context of an attempt."""
        recorder = process.recorder
        if recorder is not None and recorder is not self._recorder:
            self._begin(recorder)

    def test_ended(self, recorder: Recorder, pages: Sequence[Any]) -> None:  # noqa: ARG002 - whatever is open
        """Take a last sample while the browser is still there."""
        if recorder is not self._recorder:  # a context that an earlier attempt left open
            self._begin(recorder)
        self._end()

    def is_of(self, recorder: Recorder) -> bool:
        """Whether the attempt had a browser."""
        return recorder is self._recorder

    def taken(self, recorder: Recorder) -> dict[str, float]:
        """Return the metrics of an attempt that is over; nothing where no browser was found."""
        if recorder is not self._recorder:
            return {}
        if not self._is_over:  # the test has closed its contexts itself
            self._end()
        with self._changed:
            self._changed.wait_for(lambda: self._done >= self._wanted, PATIENCE_SECONDS)
            latest, baseline, peak = self._latest, self._baseline, self._peak
        if latest is None or not peak:
            return {}
        found = {"browser_peak_memory_mb": peak / MB}
        if baseline is not None:
            used = sum(total - baseline.get(pid, 0.0) for pid, total in latest.cpu_seconds.items())
            found["browser_cpu_seconds"] = max(used, 0.0)
        return found

    def _begin(self, recorder: Recorder) -> None:
        """Count from the last sample where that is of a moment ago, else from the next one."""
        with self._changed:
            latest = self._latest
            is_fresh = latest is not None and perf_counter() - latest.at < INTERVAL_SECONDS
            self._recorder = recorder
            recorder.is_empty = False
            self._peak = 0
            self._baseline = latest.cpu_seconds if latest is not None and is_fresh else None
            self._is_over = False
            self._wanted += 1
            self._changed.notify_all()
        if self._thread is None:
            self._thread = Thread(target=self._run, name="workflow-monitor-resources", daemon=True)
            self._thread.start()

    def _end(self) -> None:
        with self._changed:
            self._is_over = True
            self._wanted += 1
            self._changed.notify_all()

    def _run(self) -> None:
        pause = INTERVAL_SECONDS
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._wanted > self._done, None if self._is_over else pause
                )
                recorder, wanted = self._recorder, self._wanted
            started = perf_counter()
            try:
                sample = look()
            except Exception as error:  # noqa: BLE001 - a measurement must not disturb the session
                logging.getLogger(LOGGER).debug("the browser could not be measured: %s", error)
                sample = Sample(started, 0, {})
            pause = max(INTERVAL_SECONDS, (perf_counter() - started) / LARGEST_SHARE)
            with self._changed:
                self._note(recorder, sample)
                self._done = wanted
                self._changed.notify_all()

    def _note(self, recorder: Recorder | None, sample: Sample) -> None:
        if recorder is self._recorder:
            self._peak = max(self._peak, sample.memory)
            if self._baseline is None:
                self._baseline = sample.cpu_seconds
        if sample.cpu_seconds:
            self._latest = sample


def look() -> Sample:
    """Look at all browsers that this process has started, by whichever driver.

    Memory is what the processes do not share (resident, where the system does not tell what is
    shared), so that the program's own code is not counted for each of them. Processor time includes
    child processes that have ended.
    """
    import psutil

    at = perf_counter()
    memory, seconds = 0, {}
    for root, family in _families(psutil.Process().children(recursive=True)):
        total = 0.0
        for member in family:
            try:
                with member.oneshot():
                    held, times = member.memory_info(), member.cpu_times()
            except psutil.Error:
                continue  # it ended just now
            memory += held.rss - getattr(held, "shared", 0)
            total += sum(times[:4])  # user and system, its own and of children that have ended
        seconds[root] = total
    return Sample(at, memory, seconds)


def _families(processes: Iterable[Process]) -> Iterable[tuple[int, list[Process]]]:
    """Sort browsers' processes by the first one of each; parents come before their children."""
    import psutil

    roots: dict[int, int] = {}
    families: dict[int, list[Process]] = {}
    for member in processes:
        try:
            root = roots.get(member.ppid())
            if root is None and _BROWSER.search(member.name()):
                root = member.pid
        except psutil.Error:
            continue
        if root is not None:
            roots[member.pid] = root
            families.setdefault(root, []).append(member)
    return families.items()
