"""The process between a worker and its pytest: it sees to it that nothing of a run outlives it.

Started as a program of its own, with an order as the first line of standard input. Whatever comes
after that line asks it to stop the run; the end of standard input tells that the worker is dead.
In both cases, and when the limit is reached, the whole tree of processes goes. On standard output
it says how the run ended, as one line of JSON, and then the end of what pytest said.

It is kept apart from the package, because it starts with every run.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psutil

ENDED, LIMIT, STOPPED, ORPHANED = "ended", "limit", "stopped", "orphaned"
"""How a run ends: by itself, by its limit, because it was asked to, because its worker died."""

OUTPUT_BYTES = 262_144
"""How much of what pytest says is kept, from its end."""

PATIENCE_SECONDS = 5.0
"""How long a pytest that is interrupted may take to end its test in an orderly way."""

SHIPPER = "pytest_workflow_monitor.shipper"
"""The process that stores what was recorded; it ends by itself."""

_SUBREAPER, _DEATH_SIGNAL = 36, 1
_ROUNDS = 200
_PIECE = 65_536


class Guard:
    """Runs one command and what it starts.

    Args:
        order: ``command``, ``folder``, ``limit_seconds`` and ``spared``: files that begin with the
            id of a process that is left alone.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        self._spared: list[str] = order["spared"]
        self._output = b""
        self._ended, ended = os.pipe()
        reader, writer = os.pipe()
        self._reader = reader
        self._process = subprocess.Popen(
            order["command"],
            cwd=order["folder"],
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            process_group=0,
            preexec_fn=_prepare_child,  # noqa: PLW1509 - there is no other thread yet
        )
        os.close(writer)
        os.set_blocking(reader, False)
        self._end_at = monotonic() + order["limit_seconds"]
        threading.Thread(target=self._bury, args=(ended,), daemon=True).start()

    def watch(self) -> dict[str, Any]:
        """Wait for the end, bring it about where needed, and say how it was."""
        how = self._wait(self._end_at, sys.stdin.fileno())
        if how in {LIMIT, STOPPED}:
            self._interrupt()
        if how != ENDED or self._process.returncode < 0:
            self._kill_tree()
            self._wait(monotonic() + PATIENCE_SECONDS)
        self._read()
        return {"how": how, "exit_code": self._process.returncode}

    @property
    def output(self) -> bytes:
        """The end of what the command said."""
        return self._output

    def _wait(self, until: float, *others: int) -> str:
        watched = [self._ended, self._reader, *others]
        while True:
            left = until - monotonic()
            ready = select.select(watched, [], [], max(left, 0))[0]
            if self._reader in ready and not self._read():
                watched.remove(self._reader)
            if self._ended in ready:
                return ENDED
            if any(it in ready for it in others):
                return STOPPED if os.read(others[0], _PIECE) else ORPHANED
            if left <= 0:
                return LIMIT

    def _interrupt(self) -> None:
        """Let pytest stop the test in an orderly way, and say where it was."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        self._wait(monotonic() + PATIENCE_SECONDS)

    def _kill_tree(self) -> None:
        """Kill until nothing is left, as what is about to die may still start something."""
        import psutil

        for _ in range(_ROUNDS):
            victims = self._victims(psutil.Process())
            if not victims:
                return
            for victim in victims:
                with suppress(psutil.Error):
                    victim.kill()
            sleep(0.01)

    def _victims(self, guard: psutil.Process) -> list[psutil.Process]:
        import psutil

        found = guard.children(recursive=True)
        kept = {it.pid for it in found if self._is_spared(it)}
        victims = []
        for it in found:
            with suppress(psutil.Error):
                lines = {it.pid, *(parent.pid for parent in it.parents())}
                if it.status() != psutil.STATUS_ZOMBIE and not kept & lines:
                    victims.append(it)
        return victims

    def _is_spared(self, process: psutil.Process) -> bool:
        import psutil

        with suppress(psutil.Error):
            if SHIPPER in process.cmdline():
                return True
        return str(process.pid) in map(_first_line, self._spared)

    def _read(self) -> bool:
        """Take what the command has said; False when nobody can say anything any more."""
        with suppress(BlockingIOError):
            while piece := os.read(self._reader, _PIECE):
                self._output = (self._output + piece)[-OUTPUT_BYTES:]
            return False
        return True

    def _bury(self, ended: int) -> None:
        self._process.wait()
        os.write(ended, b"\n")


def _prepare_child() -> None:
    """Let Ctrl-C mean what it does, whoever started the worker, and die with the guard."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    """Ask Linux for something; elsewhere there is nothing to ask."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes long to import
            return file.readline().strip()
    except OSError:
        return ""


def _order() -> dict[str, Any]:
    """Read one line, and nothing of what comes after it."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(sys.stdin.fileno(), 1)
        if not piece:
            sys.exit(1)
        line += piece
    order: dict[str, Any] = json.loads(line)
    return order


def main() -> int:
    """Run what is ordered."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    order = _order()
    _prctl(_SUBREAPER, 1)  # what loses its parent becomes a child of this process
    try:
        guard = Guard(order)
        said = guard.watch()
        output = guard.output
    except OSError as error:
        said, output = {"how": "broken", "exit_code": None}, str(error).encode()
    with suppress(BrokenPipeError):
        sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + output)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
