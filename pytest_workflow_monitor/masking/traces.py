"""Rewrites the texts inside Playwright's traces and other ZIP files."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_MEMBER = 256 << 20
_TRACE_FILE = re.compile(r"(?:[\w-]*\.)?(?:trace|network|stacks)|(?:[\w-]*-)?trace\.\w+")


def is_trace_member(name: str) -> bool:
    """Whether a member of a ZIP file is one of Playwright's lists of events."""
    return _TRACE_FILE.fullmatch(name) is not None


def rewrite(source: Path, target: Path, change: Callable[[bytes, str], bytes]) -> bool:
    """Copy a ZIP file with the content of its members changed.

    Args:
        source: The ZIP file.
        target: Where the copy goes; not touched when nothing changes.
        change: Takes the content and the name of a member.

    Returns:
        Whether anything changed.

    Raises:
        ValueError: This is no ZIP file, or a member of it is too large to be looked through.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            if any(member.file_size > MAX_MEMBER for member in members):
                raise ValueError("a member of it is too large to be looked through")
            changed = {
                member.filename: made
                for member in members
                if (made := change(content := archive.read(member), member.filename)) != content
            }
            if not changed:
                return False
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as copy:
                for member in members:
                    name = member.filename
                    copy.writestr(member, changed[name] if name in changed else archive.read(name))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"it cannot be read as a ZIP file: {error}") from error
    return True
