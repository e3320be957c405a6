"""How a session starts its shipper, tells it what to do, and hears what became of it.

The session writes one line, the :class:`Order`, to the shipper's standard input and keeps that
pipe open: its end, however it comes, tells the shipper that the session is over. Lines in between,
each a :class:`Learnt`, tell it secrets that are found in no file and no variable. The shipper
writes one line to its standard output, the :class:`Shipped`, when everything is stored.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from contextlib import suppress
from time import monotonic
from typing import IO, TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LOG_FILE = "shipper.log"
TIMED_OUT = b"..."
"""What is read in place of an answer that did not come in time."""


class Order(Record, frozen=True, kw_only=True):
    """What a shipper is to do: which journal to store and what to write at the end.

    ``secrets`` are those that the environment, which it inherits, does not tell.
    """

    folder: str
    root: str
    overrides: dict[str, str] = {}
    html_path: str = ""
    json_path: str = ""
    markdown_path: str = ""
    secrets: tuple[str, ...] = ()


class Learnt(Record, frozen=True, kw_only=True):
    """Secrets that the session has learnt since it gave its order."""

    secrets: tuple[str, ...]


class Shipped(Record, frozen=True, kw_only=True):
    """What became of a journal.

    ``problem`` is one sentence when not everything is stored; ``notices`` are sentences about
    single things, such as lines of the journal that could not be read.
    """

    executions: int = 0
    attempts: int = 0
    dead_lettered: int = 0
    replayed_sessions: int = 0
    database: str = ""
    html_path: str = ""
    json_path: str = ""
    problem: str = ""
    notices: tuple[str, ...] = ()


class ShipperProcess:
    """The shipper beside this session, in a process group of its own.

    Ctrl-C, or the end of this process, does not reach it.

    Args:
        order: What it is to do.
        log_path: Where its standard error goes.

    Raises:
        OSError: No process can be started.
    """

    def __init__(self, order: Order, log_path: Path) -> None:
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "pytest_workflow_monitor.shipper"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=order.root,
                start_new_session=True,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
            )
        self._unsent = msgspec.json.encode(order) + b"\n"
        os.set_blocking(self._stdin.fileno(), False)
        self._send()

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for above
        return self._process.stdin

    def tell(self, secrets: Sequence[str]) -> None:
        """Hand over secrets, without waiting for the shipper to listen."""
        self._unsent += msgspec.json.encode(Learnt(secrets=tuple(secrets))) + b"\n"
        self._send()

    def finish(self, deadline_seconds: float) -> Shipped | None:
        """Say that the session is over and wait until all is stored.

        Returns:
            What the shipper said; None when it needs longer, in which case it goes on alone.
        """
        give_up_at = monotonic() + deadline_seconds
        while self._unsent and self._accepts(give_up_at):
            self._send()
        with suppress(OSError):
            self._stdin.close()
        line = self._read_line(give_up_at)
        if line.endswith(b"\n"):
            self._leave()
            return msgspec.json.decode(line, type=Shipped)
        if line == TIMED_OUT:
            self._leave()
            return None
        status = self._process.wait()
        return Shipped(
            problem=f"The background process ended with status {status} before everything was "
            "stored; the next session stores the rest."
        )

    def _leave(self) -> None:
        """Let it live on: nobody here waits for its end, and that is no leak to warn of."""
        self._process.returncode = 0

    def _send(self) -> None:
        """Write as much as the pipe takes; to a shipper that has ended there is nothing to say."""
        try:
            self._unsent = self._unsent[os.write(self._stdin.fileno(), self._unsent) :]
        except BlockingIOError:
            return
        except OSError:
            self._unsent = b""

    def _accepts(self, give_up_at: float) -> bool:
        left = max(give_up_at - monotonic(), 0)
        return bool(select.select([], [self._stdin.fileno()], [], left)[1])

    def _read_line(self, give_up_at: float) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for above
        handle = self._process.stdout.fileno()
        received = b""
        while not received.endswith(b"\n"):
            left = max(give_up_at - monotonic(), 0)
            if not select.select([handle], [], [], left)[0]:
                received = TIMED_OUT
                break
            part = os.read(handle, 65536)
            if not part:
                break
            received += part
        self._process.stdout.close()
        return received
