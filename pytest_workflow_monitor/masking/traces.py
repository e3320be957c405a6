"""Rewrites the texts inside Playwright's traces and other ZIP files."""

from __future__ import annotations

import lzma
import re
import shutil
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Protocol

from pytest_workflow_monitor.masking.withheld import WithheldError

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

MAX_MEMBER = 256 << 20
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)
"""What reading a ZIP file may raise that is damaged, encrypted or of an unknown kind."""

_EVENTS = re.compile(
    r"(?:[\w-]+-)?trace\.(?:trace|network|stacks)|[\w-]+\.(?:trace|network|stacks)"
)


class Change(Protocol):
    """Gives the content that a member of a ZIP file is to have."""

    def __call__(self, data: bytes, /, *, is_trace: bool) -> bytes:
        """Take the content, and whether it is one of Playwright's lists of events."""


def rewrite(source: IO[bytes], target: IO[bytes], change: Change) -> None:
    """Copy a ZIP file with the content of its members changed; byte by byte if none changes.

    Raises:
        WithheldError: It cannot be looked through.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            changed = _changed(archive, change)
            if changed:
                _write(archive, target, changed)
    except WithheldError:
        raise
    except DAMAGED as error:
        raise WithheldError(f"withheld: it cannot be looked through: {error}") from error
    if not changed:
        source.seek(0)
        shutil.copyfileobj(source, target)


def _changed(archive: ZipFile, change: Change) -> dict[str, bytes]:
    changed = {}
    for member in archive.infolist():
        if member.file_size > MAX_MEMBER:
            raise WithheldError("withheld: it is too large to be looked through")
        content = archive.read(member)
        made = change(content, is_trace=_EVENTS.fullmatch(member.filename) is not None)
        if made != content:
            changed[member.filename] = made
    return changed


def _write(archive: ZipFile, target: IO[bytes], changed: dict[str, bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for member in archive.infolist():
            copy.writestr(member, _content(archive, member, changed))


def _content(archive: ZipFile, member: ZipInfo, changed: dict[str, bytes]) -> bytes:
    made = changed.get(member.filename)
    return archive.read(member) if made is None else made
