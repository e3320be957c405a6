"""Keeps attached files under the state directory, named after their content."""

from __future__ import annotations

import hashlib
import io
import mimetypes
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pytest_workflow_monitor.model import Artifact
from pytest_workflow_monitor.recording.context import as_text

if TYPE_CHECKING:
    from pytest_workflow_monitor.recording.recorder import Recorder

FOLDER = "artifacts"
CHUNK = 1 << 20
UNKNOWN_TYPE = "application/octet-stream"
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,9}\Z")


def keep(
    recorder: Recorder,
    content: str | os.PathLike[str] | bytes | bytearray | memoryview,
    name: str | None,
    content_type: str | None,
) -> Artifact:
    """Store a file or bytes and describe it; on failure the description says what is wrong.

    A file is copied piece by piece, so that its size needs disk but no memory.
    """
    title = _title(content, name)
    kind = as_text(content_type) if content_type else _guessed_type(title)
    size, sha256, path, problem = 0, "", "", ""
    try:
        with _opened(content) as source:
            size, sha256, kept = _stored(source, recorder.equipment.artifact_dir, _suffix(title))
            path = f"{FOLDER}/{kept}"
    except (OSError, ValueError, TypeError) as error:
        problem = f"could not be kept: {as_text(error)}"
    return Artifact(
        name=title,
        content_type=kind,
        size_bytes=size,
        sha256=sha256,
        path=path,
        problem=problem,
        step=recorder.step_index(),
        recorded_ms=recorder.elapsed_ms(),
    )


def _title(content: object, name: str | None) -> str:
    if name:
        return as_text(name)
    if isinstance(content, str | os.PathLike):
        return as_text(os.path.basename(content)) or "attachment"  # noqa: PTH119 - of any text
    return "attachment"


def _guessed_type(title: str) -> str:
    try:
        return mimetypes.guess_type(title)[0] or UNKNOWN_TYPE
    except ValueError:  # it reads the name as a URL
        return UNKNOWN_TYPE


def _suffix(title: str) -> str:
    found = _SUFFIX.search(title)
    return found[0] if found else ""


def _opened(content: object) -> IO[bytes]:
    """Open what is to be read; only regular files come to an end for sure."""
    if isinstance(content, bytes | bytearray | memoryview):
        return io.BytesIO(content)
    if not isinstance(content, str | os.PathLike):
        raise TypeError(f"expected a path or bytes, not {type(content).__name__}")
    path = Path(content)
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"{path} is not a regular file")
    return path.open("rb")


def _stored(source: IO[bytes], folder: Path, suffix: str) -> tuple[int, str, str]:
    """Copy to a file named after the content; return its size, hash and path below the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")
    try:
        digest, size = hashlib.sha256(), 0
        with os.fdopen(handle, "wb") as target:
            while piece := source.read(CHUNK):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        sha256 = digest.hexdigest()
        kept = f"{sha256[:2]}/{sha256}{suffix}"
        (folder / kept).parent.mkdir(exist_ok=True)
        Path(temporary).replace(folder / kept)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    return size, sha256, kept
