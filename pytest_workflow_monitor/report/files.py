"""Writes a report so that a reader never sees half of it."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to a temporary file beside ``path`` and rename it; parents are created.

    A link stays what it is: the file that it names is written. What is no file, such as a device or
    a pipe, cannot be replaced and is written to.

    Raises:
        ReportError: The folder or the file cannot be written.
    """
    with _one_sentence(path):
        target = path.resolve()
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(content)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, content)


def append(path: Path, content: bytes) -> None:
    """Add ``content`` to the end of a file that others write too.

    Raises:
        ReportError: The file cannot be written.
    """
    with _one_sentence(path), path.open("ab") as file:
        file.write(content)


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(f"The report cannot be written to {path}: {reason}.") from error


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Read the process's mask; there is no way but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
