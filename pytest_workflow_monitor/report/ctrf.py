"""One session in the Common Test Report Format (https://ctrf.io), which many tools of CI read.

Executions become its tests; the attempts before the last one become its retry attempts.
"""

from __future__ import annotations

import platform
from datetime import datetime, timedelta
from importlib import metadata
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_workflow_monitor.analysis import summary, wording
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import PROBLEMS, Status
from pytest_workflow_monitor.report.cases import readable
from pytest_workflow_monitor.report.files import write_atomically
from pytest_workflow_monitor.report.guard import checked, masked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_workflow_monitor.analysis.gate import Verdict
    from pytest_workflow_monitor.model import Artifact, Attempt, Execution, SessionDocument, Step

SPEC_VERSION = "0.0.0"
STATUSES = ("passed", "failed", "skipped", "pending", "other")
"""What a test can be; ours are named beside it, as its raw status."""

MAX_TRACE = 20_000


def render_ctrf(document: SessionDocument, verdict: Verdict | None = None) -> bytes:
    """Render a session as CTRF JSON; the gate's verdict, if there was one, is an extra of it."""
    report = _report(masked(document))
    if verdict is not None:
        report["extra"] = {"gate": msgspec.to_builtins(known.record(verdict))}
    return checked(msgspec.json.encode(report))


def write_ctrf(document: SessionDocument, path: Path, verdict: Verdict | None = None) -> None:
    """Write a session as CTRF JSON, whole or not at all; parents are created.

    Raises:
        ReportError: The file cannot be written.
    """
    write_atomically(path, render_ctrf(document, verdict))


def _report(document: SessionDocument) -> dict[str, Any]:
    session = document.session
    return {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "reportId": session.session_id,
        "timestamp": session.started_at,
        "generatedBy": "pytest-workflow-monitor",
        "results": {
            "tool": {"name": "pytest", **_given(version=session.versions.get("pytest"))},
            "summary": _summary(document),
            "tests": [_test(it) for it in document.executions],
            "environment": _environment(document),
        },
    }


def _summary(document: SessionDocument) -> dict[str, int]:
    executions, started_at = document.executions, document.session.started_at
    ends = [it.completed_at for it in executions if it.completed_at]
    ended_at = document.ended.ended_at if document.ended else max(ends, default=started_at)
    statuses = [_status(it.status) for it in executions]
    return {
        "tests": len(executions),
        **{status: statuses.count(status) for status in STATUSES},
        "flaky": sum(it.is_flaky for it in executions),
        "start": _epoch(started_at),
        "stop": _epoch(ended_at),
        "duration": _epoch(ended_at) - _epoch(started_at),
    }


def _test(execution: Execution) -> dict[str, Any]:
    workflow, attempt = execution.workflow, summary.telling_attempt(execution)
    earlier = execution.attempts[:-1]
    return {
        "executionId": execution.run_id,
        "testId": workflow.workflow_id,
        "name": workflow.name,
        "status": _status(execution.status),
        "rawStatus": execution.status.value,
        "duration": round(execution.duration_ms or 0),
        "start": _epoch(execution.started_at),
        "retries": len(earlier),
        "flaky": execution.is_flaky,
        "extra": _extra(execution),
        **_given(
            stop=execution.completed_at and _epoch(execution.completed_at),
            suite=[it for it in workflow.nodeid.split("::")[:-1] if it],
            message=summary.reason(execution),
            type=workflow.type,
            filePath=workflow.file,
            line=workflow.line,
            tags=list(workflow.tags),
            labels=execution.labels,
            browser=execution.dimensions.get("browser"),
            parameters=execution.dimensions,
            threadId=attempt and attempt.worker,
            retryAttempts=[_attempt(it) for it in earlier],
            **(_evidence(attempt) if attempt else {}),
            steps=_steps(execution.deciding.steps) if execution.deciding else [],
        ),
    }


def _extra(execution: Execution) -> dict[str, Any]:
    workflow, last = execution.workflow, execution.deciding
    return {
        "priority": workflow.priority.value,
        **_given(
            owner=workflow.owner,
            runbook=workflow.runbook,
            degraded=list(last.degraded) if last else [],
            metrics=[msgspec.to_builtins(it) for it in last.metrics] if last else [],
        ),
    }


def _evidence(attempt: Attempt) -> dict[str, Any]:
    error = attempt.errors[0] if attempt.errors else None
    return {
        "trace": error and wording.cut(readable(error.traceback), MAX_TRACE),
        "snippet": error and error.source_line.strip(),
        "stdout": _output(attempt, "stdout"),
        "stderr": _output(attempt, "stderr"),
        "attachments": [_attachment(it) for it in attempt.artifacts if it.path],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    evidence = _evidence(attempt)
    message = summary.error_line(attempt) if attempt.status in PROBLEMS else ""
    return {
        "attempt": attempt.number,
        "status": _status(attempt.status),
        "duration": round(attempt.duration_ms),
        "start": _epoch(attempt.started_at),
        "stop": _epoch(attempt.started_at + timedelta(milliseconds=attempt.duration_ms)),
        **_given(message=message, **evidence),
    }


def _steps(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [
        {
            "name": it.name,
            "status": _status(it.status),
            "extra": {"index": it.index, "rawStatus": it.status.value}
            | ({} if it.duration_ms is None else {"duration": round(it.duration_ms, 3)})
            | ({} if it.parent is None else {"parent": it.parent}),
        }
        for it in steps
    ]


def _attachment(artifact: Artifact) -> dict[str, str]:
    return {
        "name": artifact.name,
        "contentType": artifact.content_type,
        "path": artifact.path,
    }


def _output(attempt: Attempt, stream: str) -> list[str]:
    found = (it.text for it in attempt.outputs if stream in it.name)
    return [line for text in found for line in readable(text).splitlines()]


def _environment(document: SessionDocument) -> dict[str, Any]:
    session = document.session
    return {
        "appName": session.project,
        "testEnvironment": session.environment,
        "osPlatform": platform.system().lower(),
        **_given(
            buildName=session.ci_name,
            buildUrl=session.ci_url,
            commit=session.git_commit,
            branchName=session.git_branch,
        ),
        "extra": {
            "sessionId": session.session_id,
            "trigger": session.trigger.value,
            "pluginVersion": metadata.version("pytest-workflow-monitor"),
            **_given(location=session.location),
        },
    }


def _status(status: Status) -> str:
    if status in {Status.PASSED, Status.DEGRADED}:
        return "passed"
    if status is Status.SKIPPED:
        return "skipped"
    if status is Status.RUNNING:
        return "pending"
    return "other" if status is Status.INTERRUPTED else "failed"


def _epoch(moment: datetime) -> int:
    """Return an instant as whole milliseconds since 1970."""
    return round(moment.timestamp() * 1_000)


def _given(**fields: Any) -> dict[str, Any]:
    """Leave out what holds nothing."""
    return {name: value for name, value in fields.items() if value}
