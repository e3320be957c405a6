"""Keeps what pytest collected until a file changes that it read: collecting takes seconds."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from pytest_workflow_monitor.errors import CollectionError
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.schedule.collecting import collect
from pytest_workflow_monitor.schedule.collector import Collection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_workflow_monitor.settings import Settings

T = TypeVar("T")

PACKAGE = "pytest-workflow-monitor"
KEPT_FILE = "catalogue.json"
KEPT_FOR = timedelta(hours=1)
"""A collection is made anew after that, whatever the files say: markers may depend on more."""

FAILURE_KEPT_FOR = timedelta(seconds=30)
"""When nothing can be collected, it is tried again after that: what is broken may be a new file."""

SETTLED_NS = 2_000_000_000
"""A file that changed so shortly before it was read may have changed again since, unseen."""


class Kept(Record, frozen=True, kw_only=True):
    """A collection, and what the files were like that it was made of.

    With a ``failure`` nothing could be collected any more: the collection is the last good one.
    """

    version: str
    paths: tuple[str, ...]
    collected_at: datetime
    stamps: dict[str, str]
    collection: Collection
    failure: str = ""


def collected(settings: Settings, now: datetime) -> Kept:
    """Return what the project's tests are: as kept, or collected anew if a file has changed.

    Raises:
        CollectionError: pytest cannot collect anything.
        SettingsError: A path of the setting ``paths`` does not exist.
    """
    path = settings.state_path / KEPT_FILE
    kept = read(path, Kept)
    if kept is not None and _holds(kept, settings, now):
        if kept.failure:
            raise CollectionError(kept.failure)
        return kept
    began = time.time_ns()
    try:
        found = collect(settings)
    except CollectionError as error:
        if kept is not None:  # a change of the files of the last good collection may mend it
            failed = _as_kept(kept.collection, settings, now, str(error))
            write(path, msgspec.json.encode(failed))
        raise
    kept = _as_kept(found, settings, now)
    if _is_settled(found, settings.root, began):
        write(path, msgspec.json.encode(kept))
    return kept


def _as_kept(found: Collection, settings: Settings, now: datetime, failure: str = "") -> Kept:
    return Kept(
        version=version(PACKAGE),
        paths=settings.paths,
        collected_at=now,
        stamps=_stamps(settings.root, found.files, found.folders),
        collection=found,
        failure=failure,
    )


def _holds(kept: Kept, settings: Settings, now: datetime) -> bool:
    files, folders = kept.collection.files, kept.collection.folders
    age = now - kept.collected_at
    return (
        kept.version == version(PACKAGE)
        and kept.paths == settings.paths
        and timedelta() <= age < (FAILURE_KEPT_FOR if kept.failure else KEPT_FOR)
        and kept.stamps == _stamps(settings.root, files, folders)
    )


def _is_settled(found: Collection, root: Path, began_ns: int) -> bool:
    changed = (_changed_ns(root / it) for it in found.files)
    return max(changed, default=0) < began_ns - SETTLED_NS


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _stamps(root: Path, files: Iterable[str], folders: Iterable[str]) -> dict[str, str]:
    """Say what files are like by time and size, and folders by what could be tests in them."""
    found = {it: _stamp(root / it) for it in files}
    return found | {f"{it}/": " ".join(_entries(root / it)) for it in folders}


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_mtime_ns} {status.st_size}"


def _entries(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                it.name
                for it in entries
                if it.name.endswith(".py")
                or (it.is_dir() and not it.name.startswith((".", "__pycache__")))
            )
    except OSError:
        return []


def read(path: Path, kind: type[T]) -> T | None:
    """Read a file of this module; None if there is none, or one of another version."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def write(path: Path, content: bytes) -> None:
    """Replace the file as a whole: several processes may write it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)
