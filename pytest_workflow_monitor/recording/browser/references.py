"""Once a day, what a workflow looks like when all is well: pictures to compare a failure with."""

from __future__ import annotations

from contextlib import suppress
from hashlib import blake2b
from time import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.recording.recorder import Recorder

FOLDER = "pictured"
EVERY_SECONDS = 86_400.0
"""How old the pictures of a pass may become before a new pass is pictured."""


class References:
    """Remembers, in a file for each workflow, when its steps were last pictured.

    Whether an attempt is to be pictured is decided at its first step. One that fails is not what a
    workflow should look like, so that the next attempt is pictured again.

    Args:
        folder: Where the files are, made when the first is needed.
        environment: Whose pictures these are, with the workflow.
    """

    def __init__(self, folder: Path, environment: str) -> None:
        self._folder = folder
        self._environment = environment
        self._attempt: Recorder | None = None
        self._is_due = False

    def are_due(self, attempt: Recorder) -> bool:
        """Tell whether the steps of an attempt are to be pictured."""
        if attempt is not self._attempt:
            self._attempt = attempt
            self._is_due = self._begin(self._path(attempt))
        return self._is_due

    def spoilt(self, attempt: Recorder) -> None:
        """Forget the pictures of an attempt, because a step of it failed."""
        if attempt is self._attempt and self._is_due:
            with suppress(OSError):
                self._path(attempt).unlink(missing_ok=True)

    def _begin(self, path: Path) -> bool:
        """Take note that an attempt is being pictured, if it is time.

        Where nothing can be noted, nothing is pictured: else every attempt would be.
        """
        try:
            if path.exists() and time() - path.stat().st_mtime < EVERY_SECONDS:
                return False
            self._folder.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError:
            return False
        return True

    def _path(self, attempt: Recorder) -> Path:
        key = f"{self._environment}\n{attempt.workflow.workflow_id}".encode("utf-8", "replace")
        return self._folder / blake2b(key, digest_size=16).hexdigest()
