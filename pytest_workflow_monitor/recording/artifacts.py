"""Keeps attached files under the state directory, masked and named after their content."""

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

from msgspec.structs import replace

from pytest_workflow_monitor.masking import WithheldError, known
from pytest_workflow_monitor.model import Artifact
from pytest_workflow_monitor.recording.context import as_text

if TYPE_CHECKING:
    from pytest_workflow_monitor.recording.recorder import Recorder

FOLDER = "artifacts"
UNKNOWN_TYPE = "application/octet-stream"
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,9}\Z")


def keep(
    recorder: Recorder,
    content: str | os.PathLike[str] | bytes | bytearray | memoryview,
    name: str | None,
    content_type: str | None,
) -> Artifact:
    """Store a file or bytes and describe it; on failure the description says what is wrong.

    A file is copied piece by piece, so that its size needs disk but little memory.
    """
    title = known.text(_title(content, name))
    kind = as_text(content_type) if content_type else _guessed_type(title)
    size, sha256, path, problem = 0, "", "", ""
    try:
        with _opened(content) as source:
            size, sha256, kept = _stored(source, recorder.equipment.artifact_dir, _suffix(title))
            path = f"{FOLDER}/{kept}"
    except WithheldError as error:
        problem = str(error)
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


def mask_again(recorder: Recorder) -> None:
    """Mask what an attempt has kept so far with what is known by now."""
    for position, artifact in enumerate(recorder.details.artifacts):
        if artifact.path:
            recorder.details.artifacts[position] = _masked_again(
                artifact, recorder.equipment.artifact_dir
            )


def _masked_again(artifact: Artifact, folder: Path) -> Artifact:
    old = folder.parent / artifact.path
    try:
        with old.open("rb") as source:
            size, sha256, kept = _stored(source, folder, _suffix(artifact.path))
    except (OSError, ValueError) as error:
        old.unlink(missing_ok=True)
        why = str(error) if isinstance(error, WithheldError) else f"could not be masked: {error}"
        return replace(artifact, size_bytes=0, sha256="", path="", problem=why)
    if sha256 == artifact.sha256:
        return artifact
    old.unlink(missing_ok=True)
    return replace(artifact, size_bytes=size, sha256=sha256, path=f"{FOLDER}/{kept}")


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
    """Copy, masked, to a file named after what is in it; return size, hash and relative path."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")
    try:
        with os.fdopen(handle, "w+b") as target:
            known.copy(source, target)
            size = target.seek(0, os.SEEK_END)
            target.seek(0)
            sha256 = hashlib.file_digest(target, "sha256").hexdigest()
        kept = f"{sha256[:2]}/{sha256}{suffix}"
        (folder / kept).parent.mkdir(exist_ok=True)
        Path(temporary).replace(folder / kept)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    return size, sha256, kept
