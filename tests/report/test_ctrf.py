"""A session in the Common Test Report Format, read by what its specification says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.analysis.gate import Ending, Verdict
from pytest_workflow_monitor.errors import ReportError
from pytest_workflow_monitor.masking import Secrets
from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.report import guard, render_ctrf, write_ctrf
from tests.report import sample

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.model import SessionDocument

STATUSES = {"passed", "failed", "skipped", "pending", "other"}
ATTACHMENT = {"name!": str, "contentType!": str, "path!": str}
STEP = {"name!": str, "status!": STATUSES, "extra": dict}
ATTEMPT = {
    "attempt!": int,
    "status!": STATUSES,
    "duration": int,
    "message": str,
    "trace": str,
    "snippet": str,
    "stdout": [str],
    "stderr": [str],
    "start": int,
    "stop": int,
    "attachments": [ATTACHMENT],
}
TEST = {
    "testId": str,
    "executionId": str,
    "name!": str,
    "status!": STATUSES,
    "duration!": int,
    "start": int,
    "stop": int,
    "suite": [str],
    "message": str,
    "trace": str,
    "snippet": str,
    "line": int,
    "rawStatus": str,
    "tags": [str],
    "labels": dict,
    "type": str,
    "filePath": str,
    "retries": int,
    "retryAttempts": [ATTEMPT],
    "flaky": bool,
    "stdout": [str],
    "stderr": [str],
    "threadId": str,
    "browser": str,
    "attachments": [ATTACHMENT],
    "parameters": dict,
    "steps": [STEP],
    "extra": dict,
}
COUNTS = dict.fromkeys(("tests!", *(f"{it}!" for it in STATUSES), "start!", "stop!"), int)
REPORT = {
    "reportFormat!": {"CTRF"},
    "specVersion!": {"0.0.0"},
    "reportId": str,
    "timestamp": str,
    "generatedBy": str,
    "extra": dict,
    "results!": {
        "tool!": {"name!": str, "version": str},
        "summary!": {**COUNTS, "flaky": int, "duration": int},
        "tests!": [TEST],
        "environment": {
            "appName": str,
            "buildName": str,
            "buildUrl": str,
            "commit": str,
            "branchName": str,
            "osPlatform": str,
            "testEnvironment": str,
            "extra": dict,
        },
    },
}
"""What version 0.0.0 knows of what we write; an exclamation mark is at what must be there."""


def mismatches(value: Any, wanted: Any, path: str = "") -> list[str]:
    """Say where a value is not as the specification wants it, which allows no other names."""
    if isinstance(wanted, set):
        return [] if value in wanted else [f"{path}: {value!r}"]
    if isinstance(wanted, list):
        found = (mismatches(it, wanted[0], f"{path}[{n}]") for n, it in enumerate(value))
        return [it for each in found for it in each]
    if isinstance(wanted, dict):
        fields = {name.rstrip("!"): kind for name, kind in wanted.items()}
        needed = {name[:-1] for name in wanted if name.endswith("!")}
        wrong = [f"{path}.{it}" for it in (set(value) - set(fields)) | (needed - set(value))]
        for name in set(value) & set(fields):
            wrong += mismatches(value[name], fields[name], f"{path}.{name}")
        return wrong
    is_right = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
    return [] if is_right else [f"{path}: {value!r}"]


def report_of(document: SessionDocument) -> dict[str, Any]:
    """Render, and check the form."""
    report: dict[str, Any] = json.loads(render_ctrf(document))
    assert mismatches(report, REPORT) == []
    return report


@pytest.mark.parametrize(
    "document",
    [sample.six(), sample.every_status(), sample.hostile(), sample.document(), sample.many(50)],
    ids=["six", "every status", "hostile", "empty", "many"],
)
def test_the_form_is_that_of_the_specification(document: SessionDocument) -> None:
    """Whatever is in it; the counts are those of the tests."""
    results = report_of(document)["results"]
    statuses = [test["status"] for test in results["tests"]]
    assert results["summary"]["tests"] == len(document.executions)
    assert {name: results["summary"][name] for name in STATUSES} == {
        name: statuses.count(name) for name in STATUSES
    }


def test_an_execution_becomes_a_test_with_its_steps_and_error() -> None:
    """With what CI shows of it: message, trace, file, owner's tags and the browser."""
    tests = report_of(sample.six())["results"]["tests"]
    test = next(it for it in tests if it["testId"] == "order-placement")
    assert test["status"] == "failed"
    assert test["name"] == "Order placement"
    assert test["message"] == 'expected "Thank you", got "Service unavailable"'
    assert "Service unavailable" in test["trace"]
    assert test["filePath"] == "workflows/test_order_placement.py"
    assert test["browser"] == "chromium"
    assert test["extra"]["priority"] == "critical"
    assert ("Submit the card", "failed") in [(it["name"], it["status"]) for it in test["steps"]]


def test_a_retry_is_an_attempt_of_the_same_test() -> None:
    """A pass after a failure is flaky, and the failure is there."""
    (test,) = report_of(sample.document(sample.login_flaky()))["results"]["tests"]
    assert (test["status"], test["flaky"], test["retries"]) == ("passed", True, 1)
    (attempt,) = test["retryAttempts"]
    assert (attempt["attempt"], attempt["status"]) == (1, "failed")
    assert "Timeout 30000ms exceeded" in attempt["message"]


def test_each_status_has_its_counterpart_and_keeps_its_name() -> None:
    """What CTRF has no word for is its raw status."""
    tests = report_of(sample.every_status())["results"]["tests"]
    found = {it["rawStatus"]: it["status"] for it in tests}
    assert found == {
        Status.PASSED: "passed",
        Status.DEGRADED: "passed",
        Status.FAILED: "failed",
        Status.ERROR: "failed",
        Status.TIMED_OUT: "failed",
        Status.CRASHED: "failed",
        Status.INTERRUPTED: "other",
        Status.SKIPPED: "skipped",
        Status.RUNNING: "pending",
    }


def test_the_verdict_of_the_gate_is_an_extra() -> None:
    """Where the specification has room for what others do not know."""
    verdict = Verdict(exit_status=1, passed=False, ending=Ending(exit_status=1))
    report = json.loads(render_ctrf(sample.six(), verdict))
    assert mismatches(report, REPORT) == []
    assert report["extra"]["gate"]["passed"] is False
    assert "extra" not in report_of(sample.six())


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What became known as secret after it was recorded, too."""
    secrets = Secrets()
    secrets.learn("Service unavailable")
    assert b"Service unavailable" in render_ctrf(sample.six())
    monkeypatch.setattr(guard, "known", secrets)
    assert b"Service unavailable" not in render_ctrf(sample.six())


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """With where and why; folders are made."""
    write_ctrf(sample.six(), tmp_path / "new" / "ctrf.json")
    assert json.loads((tmp_path / "new" / "ctrf.json").read_bytes())["reportFormat"] == "CTRF"
    with pytest.raises(ReportError, match="cannot be written"):
        write_ctrf(sample.six(), tmp_path / "new" / "ctrf.json" / "below")
