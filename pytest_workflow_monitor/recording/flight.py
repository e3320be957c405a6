"""The flight recorder: a small memory-mapped file that holds the attempt in progress.

Each test process has one. Memory that is mapped to a file outlives a killed process, so that the
finished steps of its last attempt can be read by whoever survives: the controller, the shipper or
the next session.

The file is a sequence of frames, ended by a length of 0. Each is 4 bytes of length and 4 bytes of
Adler-32, both little-endian, and that many bytes of JSON; the checksum tells a frame that its
process did not live to finish. (A CRC-32 looks things up in 8 KB of tables, which are in no cache
any more when a test begins.) The first frame is an :class:`AttemptStarted`; once the attempt has
ended, the last is a :class:`Passed`, or the whole :class:`Attempt` is the first.
"""

from __future__ import annotations

import mmap
import struct
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zlib import adler32

import msgspec

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import (
    Attempt,
    AttemptStarted,
    Error,
    Phase,
    Record,
    Status,
    Step,
)
from pytest_workflow_monitor.recording.plain import Passed, joined

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 1 << 20
_HEADER = struct.Struct("<II")
_END = b"\0\0\0\0"


class StepStarted(Record, frozen=True, kw_only=True, tag_field="record", tag="step_started"):
    """A step began."""

    index: int
    name: str
    parent: int | None = None
    phase: Phase = Phase.CALL
    started_ms: float = 0.0


class StepEnded(Record, frozen=True, kw_only=True, tag_field="record", tag="step_ended"):
    """A step ended."""

    index: int
    status: Status
    duration_ms: float
    error_message: str = ""


class TimerSet(Record, frozen=True, kw_only=True, tag_field="record", tag="timer_set"):
    """A time limit of ``seconds`` began ``at_ms`` after the start of the attempt."""

    seconds: float
    at_ms: float


Frame = AttemptStarted | StepStarted | StepEnded | TimerSet | Passed | Attempt
_decoder = msgspec.json.Decoder(Frame)


class FlightRecorder:
    """Writes the attempt in progress of this process to a file.

    Args:
        path: The file, created or emptied.

    Raises:
        OSError: The file cannot be made, for example on a full disk.
    """

    def __init__(self, path: Path) -> None:
        with path.open("w+b") as file:
            file.truncate(SIZE)
            self._memory = mmap.mmap(file.fileno(), SIZE)
        self._end = 0
        self._lock = threading.Lock()

    def restart(self, payload: bytes) -> None:
        """Forget what there was; hold this encoded and masked record, if it is not too long."""
        data = _HEADER.pack(len(payload), adler32(payload)) + payload + _END
        stop = len(data)
        if stop > SIZE:
            self.clear()
            return
        with self._lock:
            self._memory[:stop] = data
            self._end = stop - len(_END)

    def append(self, frame: StepStarted | StepEnded | TimerSet) -> None:
        """Add what happened; dropped when the file is full or closed."""
        self.append_encoded(known.sealed(frame)[1])

    def append_encoded(self, payload: bytes) -> None:
        """Add what happened, encoded and masked; dropped when the file is full or closed."""
        data = _HEADER.pack(len(payload), adler32(payload)) + payload + _END
        try:
            with self._lock:
                stop = self._end + len(data)
                if stop <= SIZE:
                    self._memory[self._end : stop] = data
                    self._end = stop - len(_END)
        except ValueError:
            return  # closed: the step of a thread that outlives the session

    def mask_again(self) -> None:
        """Mask what was written before a secret became known."""
        with self._lock:
            payloads = list(_payloads(bytes(self._memory[: self._end + len(_END)])))
            masked = [known.sealed_line(payload, _decoder.decode) for payload in payloads]
            if masked == payloads:
                return
            data = b"".join(_HEADER.pack(len(it), adler32(it)) + it for it in masked)[: SIZE - 4]
            self._memory[: self._end] = bytes(self._end)
            self._memory[: len(data) + len(_END)] = data + _END
            self._end = len(data)

    def clear(self) -> None:
        """Forget the attempt."""
        with self._lock:
            self._memory[:4] = _END
            self._end = 0

    def close(self) -> None:
        """Release the file; what it holds stays."""
        self._memory.close()


def read_frames(path: Path) -> list[Frame]:
    """Read what a flight recorder holds, up to the first frame that is not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return []
    frames: list[Frame] = []
    for payload in _payloads(content):
        try:
            frames.append(_decoder.decode(payload))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            break
    return frames


def _payloads(content: bytes) -> Iterator[bytes]:
    """The frames' bytes, up to the first that is not whole."""
    position = 0
    while position + _HEADER.size <= len(content):
        length, checksum = _HEADER.unpack_from(content, position)
        position += _HEADER.size
        payload = content[position : position + length]
        if length == 0 or adler32(payload) != checksum:
            break
        yield payload
        position += length


def running(path: Path) -> AttemptStarted | None:
    """Return the attempt that a process is in the middle of, if any."""
    return _unfinished(read_frames(path))


def complete(path: Path) -> Attempt | None:
    """Return the last attempt of a process, if it has ended there."""
    frames = read_frames(path)
    if not frames:
        return None
    head, last = frames[0], frames[-1]
    if isinstance(head, AttemptStarted) and isinstance(last, Passed):
        return joined(head, last)
    return head if isinstance(head, Attempt) else None


def recover(path: Path, *, died_at: datetime, status: Status, message: str) -> Attempt | None:
    """Rebuild the attempt that a dead process left behind, with its steps so far.

    A process that had the time to see its session stopped has written the attempt itself.

    The status becomes ``timed_out`` when a time limit of the attempt had run out by ``died_at``:
    pytest-timeout's thread method ends the whole process.
    """
    frames = read_frames(path)
    if frames and isinstance(frames[0], Attempt) and frames[0].status is Status.INTERRUPTED:
        return frames[0]
    head = _unfinished(frames)
    if head is None:
        return None
    duration_ms = max((died_at - head.started_at) / timedelta(milliseconds=1), 0.0)
    timer = _last_timer(frames)
    if timer is not None and duration_ms >= timer.at_ms + timer.seconds * 1000:
        status = Status.TIMED_OUT
        message = f"Timeout: the process was ended after {timer.seconds:g} s."
    steps = _steps(frames)
    return Attempt(
        run_id=head.run_id,
        number=head.number,
        workflow=head.workflow,
        status=status,
        started_at=head.started_at,
        duration_ms=duration_ms,
        worker=head.worker,
        dimensions=head.dimensions,
        errors=(Error(phase=_phase(steps), type=status.value, message=message),),
        steps=steps,
    )


def _unfinished(frames: list[Frame]) -> AttemptStarted | None:
    """The beginning of an attempt that has not ended."""
    if not frames or isinstance(frames[-1], Passed):
        return None
    return frames[0] if isinstance(frames[0], AttemptStarted) else None


def _last_timer(frames: list[Frame]) -> TimerSet | None:
    return next((frame for frame in reversed(frames) if isinstance(frame, TimerSet)), None)


def _phase(steps: tuple[Step, ...]) -> Phase:
    return steps[-1].phase if steps else Phase.CALL


def _steps(frames: list[Frame]) -> tuple[Step, ...]:
    steps: dict[int, Step] = {}
    for frame in frames:
        if isinstance(frame, StepStarted):
            steps[frame.index] = Step(
                index=frame.index,
                name=frame.name,
                parent=frame.parent,
                phase=frame.phase,
                status=Status.INTERRUPTED,
                started_ms=frame.started_ms,
            )
        elif isinstance(frame, StepEnded) and frame.index in steps:
            steps[frame.index] = msgspec.structs.replace(
                steps[frame.index],
                status=frame.status,
                duration_ms=frame.duration_ms,
                error_message=frame.error_message,
            )
    return tuple(steps[index] for index in sorted(steps))
