"""The files of artifacts: in the state directory, and copied to an fsspec URL if there is one.

Both places name a file after its content, ``artifacts/<2 digits>/<sha256><suffix>``, so that the
same file is stored once and a copy that was cut off is never taken for a whole one.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pytest_workflow_monitor.errors import ArtifactsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

FOLDER = "artifacts"
_PATH = re.compile(r"artifacts/[0-9a-f]{2}/[0-9a-f]{64}(?:\.[A-Za-z0-9]{1,9})?")
EXTRAS = {"s3": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure", "abfss": "azure"}
"""For each protocol that needs a package, the extra of this one that brings it."""


class ArtifactFiles:
    """Copies and removes the files of artifacts.

    Args:
        state_path: The state directory.
        url: Where copies go, such as ``s3://bucket/folder``; empty for nowhere.

    Raises:
        ArtifactsError: The URL is none, or the package for its protocol is not installed.
    """

    def __init__(self, state_path: Path, url: str = "") -> None:
        self._root = state_path
        self.url = url.rstrip("/")
        self._remote: Any = None
        self._base = ""
        if url:
            self._remote, self._base = _opened(url)

    def copy(self, path: str) -> bool:
        """Copy a file to the URL; False when it is not on this machine.

        Raises:
            ArtifactsError: It cannot be copied now.
        """
        source = self._local(path)
        if self._remote is None or source is None or not source.is_file():
            return False
        target = f"{self._base}/{path}"
        try:
            if self._remote.exists(target) and self._remote.size(target) == source.stat().st_size:
                return True
            self._remote.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._put(source, target)
        except Exception as error:  # whatever a storage library raises
            raise ArtifactsError(
                f"{path} could not be copied to {self.url}: {_said(error)}."
            ) from error
        return True

    def look(self) -> None:
        """Look whether copies can reach the URL; a folder that is not there yet will be made.

        Raises:
            ArtifactsError: It is out of reach, or there is no such bucket.
        """
        if self._remote is None:
            return
        is_local = "file" in _protocols(self._remote)
        try:
            self._remote.invalidate_cache()
            try:
                self._remote.ls(self._base, detail=False)
            except FileNotFoundError:
                if not is_local:
                    self._remote.ls(self._base.partition("/")[0], detail=False)
        except Exception as error:
            raise ArtifactsError(f"{self.url} is out of reach: {_said(error)}.") from error

    def unchanged_since(self, moment: datetime) -> Iterator[str]:
        """Find the files in the state directory that were last written before a moment."""
        for file in sorted((self._root / FOLDER).glob("??/*")):
            path = file.relative_to(self._root).as_posix()
            with suppress(OSError):
                if _PATH.fullmatch(path) and file.stat().st_mtime < moment.timestamp():
                    yield path

    def size(self, path: str) -> int:
        """Return the length of a file here in bytes; 0 when it is not on this machine."""
        try:
            return (self._root / path).stat().st_size
        except OSError:
            return 0

    def remove(self, path: str) -> None:
        """Remove a file here and its copy; nothing happens when they are gone already.

        Raises:
            ArtifactsError: The copy cannot be removed.
        """
        local = self._local(path)
        if local is None:
            return
        try:
            local.unlink(missing_ok=True)
            with suppress(OSError):
                local.parent.rmdir()  # stays unless it is empty
            if self._remote is not None:
                with suppress(FileNotFoundError):
                    self._remote.rm_file(f"{self._base}/{path}")
        except Exception as error:
            raise ArtifactsError(f"{path} could not be removed: {_said(error)}.") from error

    def _put(self, source: Path, target: str) -> None:
        """Write a whole file or none: object stores do so by themselves, others need a rename."""
        assert self._remote is not None  # noqa: S101 - the caller has looked
        if "file" not in _protocols(self._remote):
            self._remote.put_file(str(source), target)
            return
        part = f"{target}.{uuid4().hex}.part"
        try:
            self._remote.put_file(str(source), part)
            self._remote.mv(part, target)
        except BaseException:
            with suppress(Exception):
                self._remote.rm_file(part)
            raise

    def _local(self, path: str) -> Path | None:
        """Where a file lies; None for a path that is not one of ours."""
        return self._root / path if _PATH.fullmatch(path) else None


def _opened(url: str) -> tuple[Any, str]:
    import fsspec  # type: ignore[import-untyped]

    protocol, separator, _ = url.partition("://")
    if not separator:
        raise ArtifactsError(
            f"artifacts_url = {url!r} is no URL; expected one such as s3://bucket/folder."
        )
    try:
        remote, base = fsspec.core.url_to_fs(url, **_OPTIONS.get(protocol, {}))
    except ImportError as error:
        extra = EXTRAS.get(protocol)
        way = f"pip install 'pytest-workflow-monitor[{extra}]'" if extra else str(error)
        raise ArtifactsError(
            f"artifacts_url = {url!r} needs a package that is not installed: {way}."
        ) from error
    except Exception as error:
        raise ArtifactsError(f"artifacts_url = {url!r}: {_said(error)}.") from error
    return remote, str(base).rstrip("/")


_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {
        "config_kwargs": {
            "connect_timeout": 5,
            "read_timeout": 30,
            "retries": {"total_max_attempts": 2},
        }
    }
}
"""Patience of storage clients: a bucket that does not answer must not take minutes to say so."""


def _protocols(remote: Any) -> tuple[str, ...]:
    names = remote.protocol
    return (names,) if isinstance(names, str) else tuple(names)


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(".")
