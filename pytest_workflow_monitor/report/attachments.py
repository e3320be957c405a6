"""Which files kept as evidence travel inside the page.

Pictures and text of executions that need attention are embedded while they fit the budget; all
others are named with their path and size. Nothing outside the state directory is ever read.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_workflow_monitor.model import Artifact, Execution

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
TEXT_TYPES = ("text/", "application/json", "application/xml", "application/x-ndjson")
MAX_IMAGE_BYTES = 1_500_000
MAX_TEXT_BYTES = 64_000
BUDGET_BYTES = 12_000_000


class Attachment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An artifact as the page shows it: as ``text``, as the picture ``image``, or by its path."""

    name: str
    kind: str
    content_type: str
    size_bytes: int
    path: str
    problem: str = ""
    step: int | None = None
    text: str | None = None
    image: int | None = None


class EmbeddedImage(Struct, frozen=True):
    """A picture inside the page."""

    content_type: str
    base64: str


class Attachments:
    """Reads what may be embedded and keeps account of the budget.

    ``state_path`` is the state directory; without one nothing is read. ``images`` fills up with
    the pictures in the order of their number; the same content is embedded once.
    """

    def __init__(self, state_path: Path | None, *, budget_bytes: int = BUDGET_BYTES) -> None:
        self.images: list[EmbeddedImage] = []
        self._root = state_path.resolve() if state_path else None
        self._left = budget_bytes
        self._known: dict[Path, int] = {}

    def of(self, execution: Execution, artifacts: Iterable[Artifact]) -> tuple[Attachment, ...]:
        """Prepare the artifacts of one attempt of an execution for the page."""
        wanted = execution.needs_attention
        return tuple(self._prepare(artifact, wanted=wanted) for artifact in artifacts)

    def _prepare(self, artifact: Artifact, *, wanted: bool) -> Attachment:
        path = self._file(artifact.path) if wanted else None
        content_type = artifact.content_type.partition(";")[0].strip().lower()
        return Attachment(
            name=artifact.name,
            kind=artifact.kind,
            content_type=content_type,
            size_bytes=artifact.size_bytes,
            path=artifact.path,
            problem=artifact.problem,
            step=artifact.step,
            image=self._image(path, content_type) if path else None,
            text=self._text(path, content_type) if path else None,
        )

    def _file(self, relative: str) -> Path | None:
        """Find an existing file inside the state directory; None for anything else."""
        if self._root is None or not relative or "\0" in relative:
            return None
        try:
            path = (self._root / relative).resolve()
            return path if path.is_relative_to(self._root) and path.is_file() else None
        except (OSError, RuntimeError):  # too long a name, or links in a circle
            return None

    def _image(self, path: Path, content_type: str) -> int | None:
        if content_type not in IMAGE_TYPES:
            return None
        if path not in self._known:
            content = self._read(path, MAX_IMAGE_BYTES)
            if content is None:
                return None
            self._known[path] = len(self.images)
            encoded = base64.b64encode(content).decode("ascii")
            self.images.append(EmbeddedImage(content_type, encoded))
        return self._known[path]

    def _text(self, path: Path, content_type: str) -> str | None:
        if not content_type.startswith(TEXT_TYPES):
            return None
        content = self._read(path, MAX_TEXT_BYTES)
        return None if content is None else content.decode("utf-8", "replace")

    def _read(self, path: Path, limit: int) -> bytes | None:
        """Read a file that is small enough and still fits the budget."""
        try:
            if path.stat().st_size > min(limit, self._left):
                return None
            content = path.read_bytes()
        except OSError:
            return None
        self._left -= len(content)
        return content
