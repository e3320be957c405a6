"""The controller's side of pytest-xdist: takes attempts off the reports of its workers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_workflow_monitor.analysis.tally import HasOutcome, Outcome
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Attempt, Status
from pytest_workflow_monitor.recording.flight import recover
from pytest_workflow_monitor.recording.process import ATTEMPT, SECRETS, WORKER_INPUT
from pytest_workflow_monitor.support.wire import encode

if TYPE_CHECKING:
    from pathlib import Path

Take = Callable[[HasOutcome, bytes], None]

_attempts = msgspec.json.Decoder(Attempt)
_outcomes = msgspec.json.Decoder(Outcome)


class Workers:
    """Receives what xdist's workers recorded, also of a worker that crashed.

    Args:
        flight_path: Where the worker of a given name keeps its flight recorder.
        take: Takes what became of an attempt, and the encoded attempt.
    """

    def __init__(self, flight_path: Callable[[str], Path], take: Take) -> None:
        self._flight_path = flight_path
        self._take = take
        self._run_ids: dict[str, str] = {}
        self._are_local = True

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker where to keep its flight recorder."""
        node.workerinput[WORKER_INPUT] = str(self._flight_path(node.workerinput["workerid"]))
        self._are_local &= bool(node.gateway.spec.popen)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the attempt off a worker's report, or see that the worker has crashed."""
        secrets = report.__dict__.pop(SECRETS, None)
        if secrets is not None:
            known.learn(*secrets)
        attempt = report.__dict__.pop(ATTEMPT, None)
        if attempt is not None:
            if known.learnt_count or not self._are_local:  # else the worker knew every secret
                attempt = known.sealed_line(attempt, _attempts.decode)
            if self._run_ids and report.nodeid in self._run_ids:
                attempt = self._reunited(report.nodeid, attempt)
            self._take(_outcomes.decode(attempt), attempt)
        elif report.when not in {"setup", "call", "teardown"} and hasattr(report, "node"):
            self._on_crash(report)

    def _on_crash(self, report: pytest.TestReport) -> None:
        """Record what the dead worker left behind of the attempt it was in the middle of."""
        worker: Any = report.node
        path = self._flight_path(worker.gateway.id)
        attempt = recover(
            path,
            died_at=datetime.now(UTC),
            status=Status.CRASHED,
            message=str(report.longrepr),
        )
        if attempt is None or attempt.workflow.nodeid != known.text(report.nodeid):
            return
        path.unlink(missing_ok=True)
        will_retry = report.outcome not in {"failed", "passed", "skipped"}
        attempt = msgspec.structs.replace(attempt, will_retry=will_retry)
        self._take(*known.sealed(attempt))
        if will_retry:
            self._run_ids[report.nodeid] = attempt.run_id

    def _reunited(self, nodeid: str, encoded: bytes) -> bytes:
        """Give an attempt that another worker made after a crash the execution it belongs to."""
        attempt = _attempts.decode(encoded)
        return encode(msgspec.structs.replace(attempt, run_id=self._run_ids[nodeid]))
