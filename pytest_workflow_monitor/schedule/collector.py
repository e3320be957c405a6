"""The pytest plugin that tells which workflows a suite has.

Loaded by ``-p`` into the pytest that :mod:`~pytest_workflow_monitor.schedule.collecting` starts.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path

import pytest

from pytest_workflow_monitor.model import Record, Workflow
from pytest_workflow_monitor.recording.catalogue import subject_of
from pytest_workflow_monitor.settings import SETTINGS_FILE
from pytest_workflow_monitor.support.wire import encode

OPTION = "--workflow-collect-to"


class BrokenFile(Record, frozen=True, kw_only=True):
    """A test file that pytest could not collect; ``line`` is 0 when it is not known."""

    file: str
    line: int = 0
    reason: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place} cannot be imported: {self.reason.rstrip('.')}"


class Collection(Record, frozen=True, kw_only=True):
    """What pytest collected.

    ``workflows`` has one entry for each test, so that one that runs in two browsers comes twice.
    ``positional`` are the files and folders among pytest's arguments. What it says may change when
    one of ``files``, relative to the root folder, does, or what is in one of ``folders``.
    """

    workflows: tuple[Workflow, ...] = ()
    broken: tuple[BrokenFile, ...] = ()
    positional: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file to write to."""
    parser.addoption(OPTION, metavar="PATH", help=argparse.SUPPRESS)


def pytest_configure(config: pytest.Config) -> None:
    """Register the object that acts, if a file was named."""
    target = config.getoption(OPTION)
    if target:
        config.pluginmanager.register(Collector(Path(target)), "workflow-monitor-collector")


class Collector:
    """Writes the workflows of one collection to a file.

    Args:
        target: The file.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._broken: dict[str, BrokenFile] = {}
        self._folders: set[Path] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path) -> None:
        """Remember a folder that is looked into, and leave that to others."""
        self._folders.add(path)

    def pytest_exception_interact(
        self,
        node: pytest.Item | pytest.Collector,
        call: pytest.CallInfo[object],
        report: pytest.CollectReport | pytest.TestReport,
    ) -> None:
        """Remember why a file could not be collected."""
        if isinstance(report, pytest.CollectReport) and call.excinfo is not None:
            self._broken[report.nodeid] = _broken(node, call.excinfo.value)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Write what was collected."""
        found = Collection(
            workflows=tuple(
                subject.workflow for item in session.items if (subject := subject_of(item))
            ),
            broken=tuple(self._broken.values()),
            positional=tuple(session.config.option.file_or_dir),
            files=_relative(self._files(session), session.config.rootpath),
            folders=_relative(self._folders, session.config.rootpath),
        )
        self._target.write_bytes(encode(found))

    def _files(self, session: pytest.Session) -> set[Path]:
        """Return the project's own files that were read: tests, what they import, settings."""
        root = session.config.rootpath
        imported = (getattr(it, "__file__", None) for it in tuple(sys.modules.values()))
        own = {Path(it) for it in imported if it and Path(it).is_relative_to(root)}
        settings = {root / name for name in ("pyproject.toml", SETTINGS_FILE)}
        configuration = {session.config.inipath} - {None}
        return {
            *(it for it in own if not _is_installed(it)),
            *(it.path for it in session.items),
            *(root / it.file for it in self._broken.values()),
            *(it for it in settings | configuration if it is not None),
        }


def _is_installed(path: Path) -> bool:
    return "site-packages" in path.parts or path.is_relative_to(sys.prefix)


def _relative(paths: set[Path], root: Path) -> tuple[str, ...]:
    return tuple(sorted(os.path.relpath(it, root) for it in paths))


def _broken(node: pytest.Item | pytest.Collector, error: BaseException) -> BrokenFile:
    path = getattr(error, "path", node.path)  # that of a conftest.py, where it is to blame
    cause = getattr(error, "cause", None) or error.__cause__ or error
    return BrokenFile(
        file=os.path.relpath(path, node.config.rootpath),
        line=_line(str(path), cause),
        reason=_reason(cause),
    )


def _line(path: str, error: BaseException) -> int:
    """Find the line of the file that failed: the innermost that belongs to it."""
    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno or 0
    frames = traceback.extract_tb(error.__traceback__)
    return next((it.lineno or 0 for it in reversed(frames) if it.filename == path), 0)


def _reason(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    lines = text.strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
