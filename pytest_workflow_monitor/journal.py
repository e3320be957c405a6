"""The journal: an append-only file that everything a session learns goes through first.

Each session has a folder of its own below the state directory::

    journal/<session_id>/journal.jsonl    one record a line, the first a SessionStarted
                         flight-*.bin     the flight recorder of each test process
                         session.lock     held while the session lives
                         shipper.lock     held by the one process that stores the journal

The locks are POSIX record locks: the operating system lets go of them when their process ends,
however it ends, and a child made by ``fork`` does not hold them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.errors import JournalError
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import (
    JOURNAL_VERSION,
    JournalRecord,
    Record,
    SessionStarted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "journal"
FILE = "journal.jsonl"
FLIGHT_PREFIX = "flight-"
SESSION_LOCK = "session.lock"
SHIPPER_LOCK = "shipper.lock"

decode = msgspec.json.Decoder(JournalRecord).decode
"""Decodes one line of a journal."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a journal: its bytes, and its record or None when it holds none of ours."""

    raw: bytes
    record: JournalRecord | None


class Lock:
    """A lock on a file, held until :meth:`release` or the end of the process.

    Args:
        path: The file, created if need be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process holds it."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Let go of the lock."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class Journal:
    """Appends the records of one session to its journal.

    Each record is one write to the operating system, so that it outlives this process at once.
    What cannot be written, as on a full disk, is kept in memory and tried again.

    Args:
        folder: The session's folder, created with its lock.

    Raises:
        JournalError: The folder or its files cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.error = ""
        self._waiting = b""
        self._lock = Lock(folder / SESSION_LOCK)
        try:
            folder.mkdir(parents=True)
            self._lock.acquire()
            self._file = os.open(
                folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
            )
        except OSError as error:
            raise JournalError(
                f"Nothing is recorded: the state directory cannot be written: {error}."
            ) from error

    def append(self, record: Record) -> None:
        """Write one record."""
        self.append_encoded(known.sealed(record)[1])

    def append_encoded(self, line: bytes) -> None:
        """Write one encoded record, which has been masked."""
        data = self._waiting + line + b"\n"
        try:
            written = os.write(self._file, data)
        except OSError as error:
            self.error = str(error)
            written = 0
        self._waiting = data[written:]

    @property
    def waiting_bytes(self) -> int:
        """How much could not be written so far."""
        return len(self._waiting)

    def close(self) -> None:
        """Close the file and let go of the session's lock."""
        os.close(self._file)
        self._lock.release()


class Follower:
    """Reads a journal while it grows.

    Args:
        folder: The session's folder.

    Attributes:
        position: How many bytes were read.
        skipped: How many lines held no record of ours.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.position = 0
        self.skipped = 0

    def size(self) -> int:
        """Tell how many bytes there are by now."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def read(self, limit: int = 5_000) -> list[Line]:
        """Return the next complete lines, at most ``limit``; empty when there are no more.

        A last line without line feed is left for later: its writer may still be at it, or died.
        """
        lines: list[Line] = []
        try:
            with self._path.open("rb") as file:
                file.seek(self.position)
                while len(lines) < limit:
                    raw = file.readline()
                    if not raw.endswith(b"\n"):
                        break
                    self.position += len(raw)
                    lines.append(self._line(raw.rstrip(b"\n")))
        except FileNotFoundError:
            return []
        return lines

    def has_torn_end(self) -> bool:
        """Tell whether bytes follow the last complete line."""
        return self.size() > self.position

    def _line(self, raw: bytes) -> Line:
        try:
            return Line(raw=raw, record=decode(raw))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.skipped += 1
            return Line(raw=raw, record=None)


def session_folder(state_path: Path, session_id: str) -> Path:
    """Where a session keeps its journal."""
    return state_path / FOLDER / session_id


def flight_path(folder: Path, worker: str) -> Path:
    """Where a test process of a session keeps its flight recorder; ``worker`` may be empty."""
    return folder / f"{FLIGHT_PREFIX}{worker or 'main'}.bin"


def flight_paths(folder: Path) -> list[Path]:
    """The flight recorders of a session."""
    return sorted(folder.glob(f"{FLIGHT_PREFIX}*.bin"))


def head(folder: Path) -> SessionStarted:
    """Return the first record of a journal.

    Raises:
        JournalError: This is no journal, or one of another version of this program.
    """
    first = Follower(folder).read(limit=1)
    record = first[0].record if first else None
    if not isinstance(record, SessionStarted):
        raise JournalError(f"{folder / FILE} is not a journal of a session; it was left alone.")
    if record.journal_version != JOURNAL_VERSION:
        raise JournalError(
            f"{folder / FILE} has journal version {record.journal_version}, and this program reads "
            f"version {JOURNAL_VERSION}; it was left alone."
        )
    return record


def abandoned(state_path: Path) -> Iterator[Path]:
    """Find journals whose session is over and which nobody is storing.

    Whoever wants to store one has to take its shipper lock first: another may be quicker.
    """
    for folder in sorted((state_path / FOLDER).glob("*")):
        if folder.is_dir() and not _is_held(folder / SESSION_LOCK):
            yield folder


def discard(folder: Path) -> None:
    """Remove a journal that has been stored completely."""
    shutil.rmtree(folder, ignore_errors=True)


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    lock = Lock(path)
    with suppress(OSError):
        if lock.acquire():
            lock.release()
            return False
    return True
