"""How a session starts its shipper, tells it what to do, and hears what became of it.

The session writes one line, the :class:`Order`, to the shipper's standard input and keeps that
pipe open: its end, however it comes, tells the shipper that the session is over. Lines in between,
each a :class:`Learnt`, tell it secrets that are found in no file and no variable; where a gate
wants a verdict, the last line, an :class:`~pytest_workflow_monitor.analysis.gate.Ending`, tells how
pytest ended. The shipper writes one line to its standard output, the :class:`Shipped`, when
everything is stored, and before it, as soon as that is known, the gate's verdict.
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

from pytest_workflow_monitor.analysis.gate.records import Ending, Verdict
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

LOG_FILE = "shipper.log"


class Order(Record, frozen=True, kw_only=True):
    """What a shipper is to do: which journal to store and what to write at the end.

    ``secrets`` are those that the environment, which it inherits, does not tell. ``ending``
    asks for the gate's verdict, where it is known already how pytest ended.
    """

    folder: str
    root: str
    overrides: dict[str, str] = {}
    html_path: str = ""
    json_path: str = ""
    ctrf_path: str = ""
    markdown_path: str = ""
    secrets: tuple[str, ...] = ()
    ending: Ending | None = None


class Learnt(Record, frozen=True, kw_only=True, tag_field="record", tag="learnt"):
    """Secrets that the session has learnt since it gave its order."""

    secrets: tuple[str, ...]


class Shipped(Record, frozen=True, kw_only=True, tag_field="record", tag="shipped"):
    """What became of a journal.

    ``problem`` is one sentence when not everything is stored; ``notices`` are sentences about
    single things, such as lines of the journal that could not be read. ``verdict`` is the gate's.
    """

    executions: int = 0
    attempts: int = 0
    dead_lettered: int = 0
    replayed_sessions: int = 0
    database: str = ""
    html_path: str = ""
    json_path: str = ""
    ctrf_path: str = ""
    problem: str = ""
    notices: tuple[str, ...] = ()
    verdict: Verdict | None = None


_word: Callable[[bytes], Learnt | Ending] = msgspec.json.Decoder(Learnt | Ending).decode
_answer: Callable[[bytes], Shipped | Verdict] = msgspec.json.Decoder(Shipped | Verdict).decode


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
        self._say(Learnt(secrets=tuple(secrets)))

    def finish(
        self,
        deadline_seconds: float,
        *,
        ending: Ending | None = None,
        on_verdict: Callable[[Verdict], None] = lambda _: None,
    ) -> Shipped | None:
        """Say that the session is over and wait until all is stored.

        Args:
            deadline_seconds: How long to wait.
            ending: How pytest ended, where a verdict is wanted.
            on_verdict: Hears it, perhaps before all is stored.

        Returns:
            What the shipper said; None when it needs longer, in which case it goes on alone.
        """
        give_up_at = monotonic() + deadline_seconds
        if ending is not None:
            self._say(ending)
        while self._unsent and self._accepts(give_up_at):
            self._send()
        with suppress(OSError):
            self._stdin.close()
        answers = Answers(self._process.stdout)
        while isinstance(answer := answers.next(give_up_at), Verdict):
            on_verdict(answer)
        answers.close()
        if isinstance(answer, Shipped):
            self._leave()
            return answer
        if not answers.has_ended:
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

    def _say(self, word: Learnt | Ending) -> None:
        self._unsent += msgspec.json.encode(word) + b"\n"
        self._send()

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


class Answers:
    """What a shipper says, line by line.

    Args:
        pipe: Its standard output.

    Attributes:
        has_ended: Whether it has closed its end of the pipe.
    """

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None  # noqa: S101 - it was asked for
        self._pipe = pipe
        self._received = b""
        self.has_ended = False

    def next(self, give_up_at: float) -> Shipped | Verdict | None:
        """Wait for one answer; None when none came in time, or none will come."""
        while b"\n" not in self._received:
            left = max(give_up_at - monotonic(), 0)
            if not select.select([self._pipe], [], [], left)[0]:
                return None
            part = os.read(self._pipe.fileno(), 65536)
            if not part:
                self.has_ended = True
                return None
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        return _answer(line)

    def close(self) -> None:
        """Stop to listen."""
        self._pipe.close()


class Session:
    """The shipper's side: the session at the other end of a pipe.

    It is read from the raw descriptor: what has not been read must stay visible to select.

    Args:
        handle: The descriptor.

    Attributes:
        ending: How pytest ended, once it has and if the gate is to judge.
    """

    def __init__(self, handle: int) -> None:
        self.ending: Ending | None = None
        self._handle = handle
        self._received = b""
        self._is_closed = False

    def order(self) -> Order:
        """Wait for the first line, which says what to do."""
        while b"\n" not in self._received and not self._is_closed:
            self._read()
        line, _, self._received = self._received.partition(b"\n")
        return msgspec.json.decode(line, type=Order)

    def is_over(self, session_pid: int, seconds: float) -> bool:
        """Wait a while; the end of the pipe, or another parent, tells that the session is over.

        The pipe alone would not do: a child that a test forked may hold it open.
        """
        if select.select([self._handle], [], [], seconds)[0]:
            self.listen()
        return self._is_closed or os.getppid() != session_pid

    def listen(self) -> None:
        """Take in what the session has told so far: secrets, and how it ended."""
        while not self._is_closed and select.select([self._handle], [], [], 0)[0]:
            self._read()
        *lines, self._received = self._received.split(b"\n")
        for word in map(_word, lines):
            if isinstance(word, Learnt):
                known.learn(*word.secrets)
            else:
                self.ending = word

    def _read(self) -> None:
        part = os.read(self._handle, 65536)
        self._received += part
        self._is_closed = not part
