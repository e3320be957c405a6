"""Which files kept as evidence travel inside the page.

Pictures and text of executions that need attention are embedded while they fit the budgets; all
others are named with their path and size. Nothing outside the state directory is ever read.
"""

from __future__ import annotations

import base64
import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct

from pytest_workflow_monitor.analysis.evidence import TRACE
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.report.links import web_link

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_workflow_monitor.model import Artifact

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
TEXT_TYPES = ("text/", "application/json", "application/xml", "application/x-ndjson")
MAX_TEXT_BYTES = 64_000
PICTURES_BYTES = 8_000_000
"""For all pictures together; base64 makes four bytes of three."""

LEAST_PICTURE_BYTES = 10_000
"""A picture is not made smaller to make room for others than about this."""

TEXTS_BYTES = 6_000_000
"""For all text together, before it is compressed."""

VIEWER = "https://trace.playwright.dev/?trace="
EXPIRED = "expired"
PROBLEM_WORDS = {
    EXPIRED: "The file has expired: it was removed to keep within the limits for artifacts."
}
MISSING = "The file is no longer in the state directory."
LEFT_OUT = "Not in this file, which keeps to a limit for all pictures together."
UNREADABLE = "The file is not a picture that can be read."


class Attachment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An artifact as the page shows it: as ``text``, as the picture ``image``, or by its path.

    ``problem`` says in a sentence why there is nothing to show. ``command`` opens a trace on the
    machine that made it, ``viewer`` is the address that opens it in a browser.
    """

    name: str
    kind: str
    content_type: str
    size_bytes: int
    path: str
    problem: str = ""
    step: int | None = None
    text: str | None = None
    image: int | None = None
    command: str = ""
    viewer: str = ""


class EmbeddedImage(Struct, frozen=True):
    """A picture inside the page."""

    content_type: str
    base64: str
    width: int
    height: int


class Attachments:
    """Reads what may be embedded and keeps account of the budgets.

    Args:
        state_path: The state directory; without one nothing is read.
        http_url: Where artifacts can be fetched from by their path, or "".
        pictures_bytes: How long all pictures may be.
        texts_bytes: How long all texts may be.

    Attributes:
        images: The pictures in the order of their number; the same file is embedded once.
    """

    def __init__(
        self,
        state_path: Path | None,
        *,
        http_url: str = "",
        pictures_bytes: int = PICTURES_BYTES,
        texts_bytes: int = TEXTS_BYTES,
    ) -> None:
        self.images: list[EmbeddedImage] = []
        self._root = state_path.resolve() if state_path else None
        self._http_url = http_url.rstrip("/")
        self._pictures_left = pictures_bytes
        self._texts_left = texts_bytes
        self._known: dict[Path, int | str] = {}
        self._texts: dict[Path, str | None] = {}
        self._placed: set[int] = set()

    def embed(self, artifacts: Iterable[Artifact]) -> None:
        """Embed pictures, the most important first, each within a fair share of what is left."""
        found = (self._file(item.path) for item in artifacts if _type(item) in IMAGE_TYPES)
        wanted = [path for path in dict.fromkeys(filter(None, found)) if path not in self._known]
        if not wanted:
            return
        room = max(self._pictures_left // LEAST_PICTURE_BYTES, 0)
        chosen, left_out = wanted[:room], wanted[room:]
        if chosen:
            self._scale(chosen)
        for path in left_out:
            self._known[path] = LEFT_OUT

    def of(self, artifacts: Iterable[Artifact], *, is_wanted: bool) -> tuple[Attachment, ...]:
        """Prepare artifacts for the page; of those not wanted only the names."""
        return tuple(self._prepare(artifact, is_wanted=is_wanted) for artifact in artifacts)

    def place(self, image: int) -> bool:
        """Note that a picture is written out, and tell whether it is for the first time."""
        is_first = image not in self._placed
        self._placed.add(image)
        return is_first

    @property
    def unplaced(self) -> list[tuple[int, EmbeddedImage]]:
        """The pictures with their number that are not written out anywhere."""
        return [(n, image) for n, image in enumerate(self.images) if n not in self._placed]

    def _scale(self, paths: list[Path]) -> None:
        from pytest_workflow_monitor.report.embedding import scaled

        share = self._pictures_left // len(paths)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            pictures = pool.map(partial(scaled, wanted_bytes=share), paths)
            for path, picture in zip(paths, pictures, strict=True):
                if picture is None:
                    self._known[path] = UNREADABLE
                elif len(picture.content) > self._pictures_left:
                    self._known[path] = LEFT_OUT
                else:
                    self._pictures_left -= len(picture.content)
                    self._known[path] = len(self.images)
                    encoded = base64.b64encode(picture.content).decode("ascii")
                    self.images.append(
                        EmbeddedImage(picture.content_type, encoded, picture.width, picture.height)
                    )

    def _prepare(self, artifact: Artifact, *, is_wanted: bool) -> Attachment:
        path = self._file(artifact.path) if is_wanted else None
        content_type = _type(artifact)
        embedded = self._known.get(path, "") if path else ""
        return Attachment(
            name=artifact.name,
            kind=artifact.kind,
            content_type=content_type,
            size_bytes=artifact.size_bytes,
            path=artifact.path,
            problem=self._problem(artifact, path, embedded, is_wanted=is_wanted),
            step=artifact.step,
            image=embedded if isinstance(embedded, int) else None,
            text=self._text(path, content_type) if path else None,
            command=_command(path) if path and artifact.kind == TRACE else "",
            viewer=self._viewer(artifact),
        )

    def _problem(
        self, artifact: Artifact, path: Path | None, embedded: int | str, *, is_wanted: bool
    ) -> str:
        if artifact.problem:
            return PROBLEM_WORDS.get(artifact.problem, artifact.problem)
        if isinstance(embedded, str) and embedded:
            return embedded
        is_missing = is_wanted and self._root is not None and artifact.path and path is None
        return MISSING if is_missing else ""

    def _viewer(self, artifact: Artifact) -> str:
        """Return the address that opens a trace, where artifacts can be fetched by HTTP."""
        if artifact.kind != TRACE or not artifact.path or artifact.problem or not self._http_url:
            return ""
        address = web_link(f"{self._http_url}/{quote(artifact.path)}")
        return VIEWER + quote(address, safe="") if address else ""

    def _file(self, relative: str) -> Path | None:
        """Find an existing file inside the state directory; None for anything else."""
        if self._root is None or not relative or "\0" in relative:
            return None
        try:
            path = (self._root / relative).resolve()
            return path if path.is_relative_to(self._root) and path.is_file() else None
        except (OSError, RuntimeError):  # too long a name, or links in a circle
            return None

    def _text(self, path: Path, content_type: str) -> str | None:
        if not content_type.startswith(TEXT_TYPES):
            return None
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def _read(self, path: Path) -> str | None:
        """Read a text that is short enough and still fits the budget."""
        try:
            if path.stat().st_size > min(MAX_TEXT_BYTES, self._texts_left):
                return None
            content = path.read_bytes()
        except OSError:
            return None
        self._texts_left -= len(content)
        return known.text(content.decode("utf-8", "replace"))


def _type(artifact: Artifact) -> str:
    return artifact.content_type.partition(";")[0].strip().lower()


def _command(path: Path) -> str:
    """Return the command line that opens a trace; "" for a path that no shell should see."""
    text = str(path)
    return f"playwright show-trace {shlex.quote(text)}" if text.isprintable() else ""
