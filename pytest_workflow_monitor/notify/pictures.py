"""Pictures that go along with a message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_workflow_monitor.notify.messages import Picture

LARGEST = 8_000_000
"""Bytes; the smallest limit of those who take pictures (Discord's) is 10 MB for a message."""

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


def picture_bytes(picture: Picture) -> bytes | None:
    """Read a picture; None when it is not here, is too large or is no picture for browsers."""
    if not picture.path or picture.content_type not in ENDINGS:
        return None
    try:
        path = Path(picture.path)
        data = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except (OSError, ValueError):
        return None
    return data or None


def file_name(picture: Picture) -> str:
    """Return a name for the file that no service, header or page can take for anything else."""
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", picture.name.rpartition("/")[2].partition(".")[0])
    return f"{stem.strip('-')[:60] or 'screenshot'}.{ENDINGS.get(picture.content_type, 'png')}"
