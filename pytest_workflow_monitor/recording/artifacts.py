"""Keeps attached files under the state directory, named after their content."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import Artifact

if TYPE_CHECKING:
    from pytest_workflow_monitor.recording.recorder import Recorder

FOLDER = "artifacts"


def keep(
    recorder: Recorder, content: str | Path | bytes, name: str | None, content_type: str | None
) -> Artifact:
    """Store a file or bytes and describe it; on failure the description says what is wrong."""
    title = name or ("attachment" if isinstance(content, bytes) else Path(content).name)
    kind = content_type or mimetypes.guess_type(title)[0] or "application/octet-stream"
    try:
        data = content if isinstance(content, bytes) else Path(content).read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        relative = Path(FOLDER, sha256[:2], sha256 + Path(title).suffix[:10])
        _write_once(recorder.artifact_dir / relative.relative_to(FOLDER), data)
    except (OSError, ValueError) as error:
        return Artifact(
            name=title,
            content_type=kind,
            problem=f"could not be kept: {error}",
            step=recorder.step_index(),
            recorded_ms=recorder.elapsed_ms(),
        )
    return Artifact(
        name=title,
        content_type=kind,
        size_bytes=len(data),
        sha256=sha256,
        path=relative.as_posix(),
        step=recorder.step_index(),
        recorded_ms=recorder.elapsed_ms(),
    )


def _write_once(path: Path, data: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except OSError:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
