"""A small suite in a folder of its own, run by a real pytest, and what was recorded of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.analysis.outcome import execution_of
from pytest_workflow_monitor.journal import FOLDER, Follower
from pytest_workflow_monitor.model import Attempt, Execution, SessionEnded, SessionStarted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pytest_workflow_monitor.model import JournalRecord, Status, Step

NO_DATABASE = "postgresql://127.0.0.1:1/none"
"""Nothing listens there, so that the journal stays and can be read."""

STATE_DIR = ".workflow-monitor"
FOREIGN = ("PYTEST_", "CI", "GITHUB_", "WORKFLOW_MONITOR_", "DATABASE_URL", "MONITORING_")
"""Beginnings of environment variables that would change what a run does."""

UNUSED = ["-p", "no:hypothesispytest"]
"""Importing it costs more time than the rest of a small run."""

STRICT = ["-Werror", "-Wignore:The configuration option"]
"""Warnings are errors, but that pytest-asyncio would like to be configured."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One pytest invocation.

    Attributes:
        result: Exit code and output.
        records: What the journal holds, in its order; empty when nothing was recorded.
        folder: The journal's folder, if there is one.
    """

    result: pytest.RunResult
    records: list[JournalRecord] = field(default_factory=list)
    folder: Path | None = None

    @property
    def output(self) -> str:
        """All that pytest printed."""
        return "\n".join(self.result.outlines + self.result.errlines)

    @property
    def summary(self) -> dict[str, int]:
        """The numbers of pytest's last line but warnings, such as ``{"passed": 2}``."""
        outcomes = self.result.parseoutcomes()
        outcomes.pop("warnings", None)
        return outcomes

    @property
    def session(self) -> SessionStarted:
        """The first record."""
        first = self.records[0]
        assert isinstance(first, SessionStarted), first
        return first

    @property
    def ended(self) -> SessionEnded | None:
        """The last record, where the session came to an end."""
        return next((r for r in self.records if isinstance(r, SessionEnded)), None)

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts, in the order in which they ended."""
        return [record for record in self.records if isinstance(record, Attempt)]

    @property
    def ids(self) -> list[str]:
        """The workflows that ran, sorted, each once."""
        return sorted({attempt.workflow.workflow_id for attempt in self.attempts})

    @property
    def statuses(self) -> dict[str, Status]:
        """What became of each workflow."""
        return {workflow_id: self.execution(workflow_id).status for workflow_id in self.ids}

    def attempt(self, workflow_id: str | None = None) -> Attempt:
        """The only attempt, of the workflow or at all."""
        wanted = {None, workflow_id}
        (found,) = (
            a for a in self.attempts if workflow_id is None or a.workflow.workflow_id in wanted
        )
        return found

    def execution(self, workflow_id: str) -> Execution:
        """A workflow's attempts together; it ran exactly once."""
        attempts = [a for a in self.attempts if a.workflow.workflow_id == workflow_id]
        assert attempts, f"{workflow_id} is none of {self.ids}\n{self.output}"
        assert len({attempt.run_id for attempt in attempts}) == 1, attempts
        return execution_of(self.session, attempts, session_is_over=self.ended is not None)

    def steps(self, workflow_id: str | None = None) -> dict[str, Step]:
        """The steps of the only attempt by name, each of which occurs once."""
        steps = self.attempt(workflow_id).steps
        found = {step.name: step for step in steps}
        assert len(found) == len(steps), [step.name for step in steps]
        return found


class Suite:
    """Tests in a folder of their own.

    Args:
        pytester: Owns the folder and runs pytest in it.
    """

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.path = pytester.path
        self.state_path = pytester.path / STATE_DIR
        self._pytester = pytester

    def write(self, name: str, code: str) -> Path:
        """Write a file; the indentation common to all its lines is taken away."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(code).lstrip("\n"), encoding="utf-8")
        return path

    def journals(self) -> set[Path]:
        """The folders of the journals that exist now."""
        folder = self.state_path / FOLDER
        return set(folder.iterdir()) if folder.is_dir() else set()

    def run(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        monitored: bool = True,
        warnings: bool = False,
    ) -> Run:
        """Run pytest, warnings as errors, and read what it recorded.

        Args:
            arguments: For pytest.
            env: Environment variables to set; by default no database can be reached.
            monitored: Whether to switch monitoring on.
            warnings: Let the suite warn.
        """
        before = self.journals()
        options = [*UNUSED, *([] if warnings else STRICT)]
        with pytest.MonkeyPatch.context() as patch:
            for name in foreign(os.environ):
                patch.delenv(name)
            for name, value in {"DATABASE_URL": NO_DATABASE, **(env or {})}.items():
                patch.setenv(name, value)
            result = self._pytester.runpytest_subprocess(
                *options, *(["--workflow-monitor"] if monitored else []), *arguments, timeout=180
            )
        made = self.journals() - before
        assert len(made) <= 1, made
        folder = made.pop() if made else None
        return Run(result=result, records=read_journal(folder) if folder else [], folder=folder)


def read_journal(folder: Path) -> list[JournalRecord]:
    """Read the records of a journal, each of which must be one of ours."""
    follower = Follower(folder)
    records: list[JournalRecord] = []
    while lines := follower.read():
        for line in lines:
            assert line.record is not None, line.raw
            records.append(line.record)
    return records


def foreign(names: Iterable[str]) -> list[str]:
    """Pick the environment variables that would change what a run does."""
    return [name for name in names if name.startswith(FOREIGN)]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """Return an empty suite."""
    return Suite(pytester)
