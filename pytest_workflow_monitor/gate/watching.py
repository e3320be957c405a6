"""The controller's part of the gate: sees what fails, and judges alone where nobody else does."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from pytest_workflow_monitor.analysis.gate import Ending, judge, result_of
from pytest_workflow_monitor.analysis.outcome import execution_of
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Attempt
from pytest_workflow_monitor.session.context import find_base_branch

if TYPE_CHECKING:
    from pytest_workflow_monitor.analysis.gate import Verdict
    from pytest_workflow_monitor.model import SessionStarted
    from pytest_workflow_monitor.settings.gate_rules import GateRules

MAX_NAMED = 2

_attempts = msgspec.json.Decoder(Attempt)


class Gatekeeper:
    """Watches one session for what its gate needs to know.

    Args:
        rules: What is allowed.
        session: The session.
    """

    def __init__(self, rules: GateRules, session: SessionStarted) -> None:
        self._rules = rules
        self._session = session
        self._attempts: dict[str, list[Attempt]] = {}
        self._failed: Counter[str] = Counter()

    def take(self, encoded: bytes) -> None:
        """Keep what the gate looks at in an attempt."""
        attempt = replace(
            _attempts.decode(encoded), steps=(), outputs=(), events=(), artifacts=(), pages=()
        )
        self._attempts.setdefault(attempt.run_id, []).append(attempt)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count failures as pytest does."""
        self._count(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count what cannot be collected."""
        self._count(report)

    def ending(self, session: pytest.Session) -> Ending:
        """Tell how pytest ended, and what failed besides workflows.

        Also what no report told counts, such as the coverage that a plugin asks for.
        """
        workflows = {it.workflow.nodeid for tried in self._attempts.values() for it in tried}
        others = {it: n for it, n in self._failed.items() if known.text(it) not in workflows}
        ours = self._failed.total() - sum(others.values())
        status = int(session.exitstatus)
        is_told_otherwise = status == pytest.ExitCode.TESTS_FAILED and not session.testsfailed
        return Ending(
            exit_status=status,
            others_failed=max(session.testsfailed - ours, int(is_told_otherwise)),
            others=tuple(map(known.text, list(others)[:MAX_NAMED])),
            was_stopped=bool(session.shouldfail or session.shouldstop),
        )

    def judge_alone(self, ending: Ending, problem: str) -> Verdict:
        """Judge by what this session knows."""
        results = [
            result_of(execution_of(self._session, tried, session_is_over=True))
            for tried in self._attempts.values()
        ]
        branch = self._rules.base_branch or find_base_branch(os.environ)
        return judge(results, self._rules, ending, base_branch=branch, past=None, problem=problem)

    def _count(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed and not hasattr(report, "wasxfail"):
            self._failed[report.nodeid] += 1
