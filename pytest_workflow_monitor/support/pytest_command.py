"""The command lines that run pytest on a project."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings

COMMAND_LINE_BYTES = 32_000
"""Longer selections go into a file: far below what any operating system allows."""

SELECTIONS = "selections"
KEPT_SECONDS = 7 * 24 * 3600


def pytest_command(settings: Settings) -> list[str]:
    """Return the beginning of the command line that runs pytest on the project.

    ``-m ""`` lifts a selection in the project's ``addopts``, which may well leave workflows out of
    everyday runs.
    """
    options = [f"--rootdir={settings.root}", "-m", "", "--workflow-monitor"]
    return [sys.executable, "-m", "pytest", *options]


def as_arguments(selection: Sequence[str], state_path: Path) -> list[str]:
    """Return arguments that select tests: themselves, or the name of a file that holds them.

    Files are named after what is in them, so that sessions at the same time do not disturb each
    other; those of the last week are kept.
    """
    content = b"".join(os.fsencode(it) + b"\n" for it in selection)
    if len(content) <= COMMAND_LINE_BYTES:
        return [*selection]
    folder = state_path / SELECTIONS
    folder.mkdir(parents=True, exist_ok=True)
    _forget_old(folder)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.txt"
    path.write_bytes(content)
    return [f"@{path}"]


def _forget_old(folder: Path) -> None:
    for path in folder.glob("*.txt"):
        with suppress(FileNotFoundError):  # another process was faster
            if path.stat().st_mtime < time.time() - KEPT_SECONDS:
                path.unlink()
