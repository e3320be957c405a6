"""Makes pictures small enough to travel inside a page."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

MAX_HEIGHT = 4_000
MAX_PIXELS = 60_000_000
"""Of larger pictures not even the size on paper is trusted: they could fill the memory."""

RUNGS = ((1280, 70), (1280, 50), (960, 60), (720, 55), (560, 50), (400, 45))
"""Widths in pixels with the quality of WebP, tried in this order until a picture fits."""

METHOD = 2
"""How hard WebP tries: twice as quick as its default, for a twentieth more bytes."""


class Picture(NamedTuple):
    """An encoded picture with its size in pixels."""

    content: bytes
    width: int
    height: int
    content_type: str = "image/webp"


def scaled(path: Path, wanted_bytes: int) -> Picture | None:
    """Scale a picture to about ``wanted_bytes``, or as near as its last rung comes.

    Returns:
        The picture; None when the file is no picture that can be read.
    """
    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP", "GIF")) as source:
            if source.width * source.height > MAX_PIXELS:
                return None
            image = source.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    picture = _encoded(image, *RUNGS[0])
    for width, quality in _rungs_below(len(picture.content), wanted_bytes):
        picture = _encoded(image, width, quality)
        if len(picture.content) <= wanted_bytes:
            break
    return picture


def _rungs_below(size_bytes: int, wanted_bytes: int) -> tuple[tuple[int, int], ...]:
    """Return the rungs to try, from the first that may be low enough for so long a picture.

    The length falls about as the width does to the power of 1.5.
    """
    if size_bytes <= wanted_bytes:
        return ()
    widest = RUNGS[0][0] * (1.3 * wanted_bytes / size_bytes) ** (1 / 1.5)
    first = next((n for n, (width, _) in enumerate(RUNGS) if n and width <= widest), -1)
    return RUNGS[first:]


def _encoded(image: Image.Image, width: int, quality: int) -> Picture:
    small = image.copy()
    small.thumbnail((width, MAX_HEIGHT), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    small.save(target, "WEBP", quality=quality, method=METHOD)
    return Picture(target.getvalue(), *small.size)
