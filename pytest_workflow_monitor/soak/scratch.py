"""Where a soak keeps what it records: state of its own, so that a project's history stays as it is.

Every soak has a folder below the state directory, and a lock on it while it lives; every stretch of
it has a folder in that. The next soak goes on with the last one, or removes the folders of those
before it, and stops what is left of their embedded servers.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_workflow_monitor import settings as configuration
from pytest_workflow_monitor.errors import StoreError, WorkflowMonitorError
from pytest_workflow_monitor.soak.progress import load, save
from pytest_workflow_monitor.store import embedded, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.soak.progress import Progress

FOLDER = "soak"
LOCK = "in-use"
SERVICE_LOG = "service.log"
QUIET = {
    "WORKFLOW_MONITOR_CHANNELS": "{}",
    "WORKFLOW_MONITOR_ROUTES": "[]",
    "WORKFLOW_MONITOR_ESCALATIONS": "[]",
    "WORKFLOW_MONITOR_HEARTBEAT_URL": "",
    "WORKFLOW_MONITOR_ARTIFACTS_URL": "",
}
"""Nobody is told of what happens in a soak, and nothing is copied elsewhere."""

DATABASES = ("DATABASE_URL", "WORKFLOW_MONITOR_DATABASE_URL")


class NothingToContinueError(WorkflowMonitorError):
    """No soak here was interrupted."""


def stretch_folder(folder: Path, progress: Progress) -> Path:
    """Return the folder of a stretch of a soak."""
    return folder / f"{progress.stretch + 1:02}"


@contextmanager
def scratch(settings: Settings, stretches: Iterable[Progress]) -> Iterator[Path]:
    """Make the folder of a soak and those of its stretches, and hold it while it lasts."""
    soaks = settings.state_path / FOLDER
    _remove_left_over(soaks)
    folder = soaks / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
    folder.mkdir(parents=True)
    for it in stretches:
        stretch_folder(folder, it).mkdir()
        save(stretch_folder(folder, it), it)
    with _held(folder):
        yield folder


@contextmanager
def interrupted(settings: Settings) -> Iterator[tuple[Path, tuple[Progress, ...]]]:
    """Hold the folder of the last soak that was interrupted, to go on with its stretches.

    Raises:
        NothingToContinueError: There is none, or it goes on already.
    """
    soaks = settings.state_path / FOLDER
    for folder in sorted(soaks.glob("*"), reverse=True):
        stretches = _stretches(folder)
        if all(it.is_complete for it in stretches) or not any(it.parts for it in stretches):
            continue
        if _is_held(folder):
            raise NothingToContinueError(f"The soak in {folder} is still going on.")
        with _held(folder):
            yield folder, stretches
        return
    raise NothingToContinueError(
        f"No soak in {soaks} was interrupted: begin one without --continue."
    )


def _stretches(folder: Path) -> tuple[Progress, ...]:
    """Return how far the stretches of a soak have come; none if that is not known of them all."""
    found = [it for it in map(load, sorted(folder.glob("*/"))) if it is not None]
    return tuple(found) if found and len(found) == found[0].plan.stretches else ()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    handle = os.open(folder / LOCK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def environment(
    settings: Settings, folder: Path, environ: Mapping[str, str], *, in_database: bool
) -> dict[str, str]:
    """Return the environment of everything that a stretch of a soak starts.

    Args:
        settings: The project's.
        folder: The stretch's.
        environ: The environment of this process.
        in_database: Whether the records go to the project's own database, under a project's name
            of their own.
    """
    found = {**environ, **QUIET, "WORKFLOW_MONITOR_STATE_DIR": str(folder)}
    if in_database:
        name = f"{settings.project}-{FOLDER}-{folder.parent.name}-{folder.name}"
        return found | {"WORKFLOW_MONITOR_PROJECT": name}
    for name in DATABASES:
        found.pop(name, None)
    return found | {"WORKFLOW_MONITOR_DATABASE_URL": ""}


def settings_in(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Return the settings that hold in such an environment."""
    return configuration.load(settings.root, environ=environ)


def _remove_left_over(soaks: Path) -> None:
    """Remove the folders of soaks that have ended, however they did."""
    if not soaks.is_dir():
        return
    for folder in soaks.iterdir():
        if not _is_held(folder):
            for stretch in folder.glob("*/"):
                _stop_server(stretch)
            shutil.rmtree(folder, ignore_errors=True)


def _is_held(folder: Path) -> bool:
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _stop_server(folder: Path) -> None:
    """Stop the embedded server of a stretch that was killed with everything that used it."""
    data = places.data_path(folder)
    with suppress(StoreError):
        embedded.join(folder, start=False).leave()
    if not data.is_relative_to(folder):
        shutil.rmtree(data, ignore_errors=True)
