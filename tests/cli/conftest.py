"""A project in a folder of its own, and the command run in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from inspect import signature
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pytest_workflow_monitor.cli.application import application

if TYPE_CHECKING:
    from pathlib import Path

FOREIGN = ("PYTEST_", "CI", "GITHUB_", "WORKFLOW_MONITOR_", "DATABASE_URL", "MONITORING_")
"""Beginnings of environment variables that would change what a command does."""

SETTINGS = """
    [tool.workflow_monitor]
    project = "shop"
    environment = "production"

    [tool.pytest.ini_options]
    testpaths = ["tests"]
    addopts = ["-p", "no:asyncio"]
"""

KEPT_APART: dict[str, Any] = (
    {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
)
"""Before click 8.2 its runner keeps standard error apart only when asked to."""


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, all of which is JSON."""
        return json.loads(self.out)


@dataclass
class Project:
    """A project to run the command in.

    Attributes:
        path: Its root folder.
        env: Environment variables on top of a clean environment.
    """

    path: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, code: str) -> Path:
        """Write a file; the indentation common to all its lines is taken away."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(code).lstrip("\n"), encoding="utf-8")
        return path

    def run(self, *arguments: str, text: str = "", width: int = 80) -> Said:
        """Run a command in this process."""
        changed = dict.fromkeys(_foreign()) | self.env | {"COLUMNS": str(width)}
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.path)
            result = CliRunner(**KEPT_APART).invoke(application, arguments, input=text, env=changed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "pytest_workflow_monitor.cli", *arguments],
            cwd=options.pop("cwd", self.path),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            **options,
        )

    def spawn(self, *arguments: str, cwd: Path | None = None) -> Said:
        """Run a command in a process of its own, which it may replace."""
        process = self.start(*arguments, stdout=subprocess.PIPE, cwd=cwd or self.path)
        out, err = process.communicate(timeout=120)
        return Said(process.returncode, out.decode(), err.decode())

    def environment(self) -> dict[str, str]:
        """Return the environment of such a process."""
        kept = {name: value for name, value in os.environ.items() if name not in _foreign()}
        return kept | {"COLUMNS": "80"} | self.env


def _foreign() -> list[str]:
    return [name for name in os.environ if name.startswith(FOREIGN)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return the project ``shop`` without tests and without a database."""
    made = Project(tmp_path / "shop")
    made.write("pyproject.toml", SETTINGS)
    return made


@pytest.fixture
def stored(project: Project, database_url: str) -> Project:
    """Return the project ``shop`` with a database of its own."""
    project.env["DATABASE_URL"] = database_url
    return project
