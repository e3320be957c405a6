"""Asks pytest which workflows a project has."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.errors import CollectionError, PytestRefusesError, SettingsError
from pytest_workflow_monitor.schedule.collector import OPTION, Collection
from pytest_workflow_monitor.support.pytest_command import pytest_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.settings import Settings

COLLECTOR = "pytest_workflow_monitor.schedule.collector"
COLLECTED = frozenset({0, 1, 2, 5})
"""pytest's exit statuses when it has collected: all, with errors in some files, or no test."""


def collect(settings: Settings, pytest_arguments: Sequence[str] = ()) -> Collection:
    """Collect the project's tests in a pytest of their own.

    Args:
        settings: ``root`` is where pytest runs, ``paths`` where it looks.
        pytest_arguments: More arguments for pytest; files and folders among them come in place of
            ``paths``.

    Raises:
        PytestRefusesError: There are mistakes in workflow markers or in pytest's options.
        CollectionError: pytest fails before it has collected anything.
        SettingsError: A path of the setting ``paths`` does not exist.
    """
    with tempfile.TemporaryDirectory(prefix="workflow-monitor-") as folder:
        target = Path(folder) / "collected.json"
        options = ["--collect-only", "-q", "--maxfail=0", "-p", COLLECTOR, f"{OPTION}={target}"]
        done = subprocess.run(
            [*pytest_command(settings), *_look_in(settings), *pytest_arguments, *options],
            cwd=settings.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if target.exists() and done.returncode in COLLECTED:
            return msgspec.json.decode(target.read_bytes(), type=Collection)
    said = (done.stderr + b"\n" + done.stdout).decode(errors="replace")
    raise reason(said, done.returncode)


def reason(said: str, exit_status: int) -> CollectionError:
    """Find in what pytest said why it collected nothing: a mistake, or something in its way."""
    refused = re.search(r"^[\w. -]+: error: (.+)", said, re.MULTILINE)
    if refused:
        return PytestRefusesError(f"pytest refuses its arguments: {refused[1]}.")
    _, error, mistakes = said.partition("ERROR: ")
    if error:
        return PytestRefusesError(mistakes.partition("\n\n")[0].strip())
    causes = re.findall(r"^E\s+(.+)", said, re.MULTILINE)
    first = next((line for line in said.splitlines() if line.strip()), "").rstrip(".:")
    if causes:
        return CollectionError(
            f"pytest cannot collect the tests: {first}: {causes[-1].rstrip('.')}."
        )
    return CollectionError(
        f"pytest ended with exit status {exit_status} before it had collected the tests; "
        f"run pytest --collect-only in the project to see why."
    )


def _look_in(settings: Settings) -> list[str]:
    """Return the options that make the setting ``paths`` pytest's default.

    Raises:
        SettingsError: One of them does not exist.
    """
    for path in settings.paths:
        if not (settings.root / path).exists():
            raise SettingsError(
                f"{settings.sources['paths']}: paths names {path!r}, but there is no such file or "
                f"folder in {settings.root}."
            )
    return ["-o", f"testpaths={shlex.join(settings.paths)}"] if settings.paths else []
