"""The pytest plugin that tells the command which workflows a suite has.

Loaded by ``-p`` into the pytest that :mod:`~pytest_workflow_monitor.cli.collection` starts.
"""

from __future__ import annotations

import argparse
import os
import traceback
from pathlib import Path

import pytest

from pytest_workflow_monitor.model import Record, Workflow
from pytest_workflow_monitor.recording.catalogue import subject_of
from pytest_workflow_monitor.wire import encode

OPTION = "--workflow-collect-to"


class BrokenFile(Record, frozen=True, kw_only=True):
    """A test file that pytest could not collect; ``line`` is 0 when it is not known."""

    file: str
    line: int = 0
    reason: str = ""


class Collection(Record, frozen=True, kw_only=True):
    """What pytest collected.

    ``workflows`` has one entry for each test, so that one that runs in two browsers comes twice.
    ``positional`` are the files and folders among pytest's arguments.
    """

    workflows: tuple[Workflow, ...] = ()
    broken: tuple[BrokenFile, ...] = ()
    positional: tuple[str, ...] = ()


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
        )
        self._target.write_bytes(encode(found))


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
