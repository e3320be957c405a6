"""Records to store: small, complete, and easy to vary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pytest_workflow_monitor.model import (
    Artifact,
    Attempt,
    AttemptStarted,
    Error,
    Metric,
    Output,
    Phase,
    Priority,
    SessionEnded,
    SessionStarted,
    Status,
    Step,
    Trigger,
    Workflow,
)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PROJECT = "shop"
ENVIRONMENT = "production"


def at(seconds: float) -> datetime:
    """Return a moment so many seconds after the first session's start."""
    return START + timedelta(seconds=seconds)


def run_id() -> str:
    """Return a fresh id."""
    return str(uuid4())


def a_session(**fields: Any) -> SessionStarted:
    """Return the start of a session with everything filled in."""
    defaults: dict[str, Any] = {
        "session_id": run_id(),
        "project": PROJECT,
        "environment": ENVIRONMENT,
        "started_at": START,
        "location": "eu-west",
        "trigger": Trigger.CI,
        "host": "runner-7",
        "pid": 4242,
        "rootdir": "/srv/shop",
        "arguments": ("-n", "2", "tests"),
        "git_commit": "0d1e2f",
        "git_branch": "main",
        "ci_name": "GitHub Actions",
        "ci_url": "https://ci.example.com/1",
        "slot_at": at(-2),
        "lateness_seconds": 2.0,
        "versions": {"python": "3.12", "pytest": "9.2"},
    }
    return SessionStarted(**(defaults | fields))


def an_end(seconds: float = 600, **fields: Any) -> SessionEnded:
    """Return the end of a session."""
    defaults: dict[str, Any] = {"ended_at": at(seconds), "exit_status": 0, "tests_collected": 12}
    return SessionEnded(**(defaults | fields))


def a_workflow(workflow_id: str = "login", **fields: Any) -> Workflow:
    """Return a workflow with everything filled in."""
    defaults: dict[str, Any] = {
        "workflow_id": workflow_id,
        "name": workflow_id.title(),
        "nodeid": f"tests/test_shop.py::test_{workflow_id}",
        "file": "tests/test_shop.py",
        "line": 7,
        "description": "A customer does it.",
        "type": "browser",
        "priority": Priority.CRITICAL,
        "cron": "*/15 * * * *",
        "timezone": "Europe/Berlin",
        "timeout_seconds": 90.0,
        "retries": 2,
        "tags": ("smoke", "customer"),
        "owner": "team-web",
        "runbook": "https://wiki.example.com/login",
        "labels": {"tenant": "acme", "a": "b"},
        "environments": ("production",),
    }
    return Workflow(**(defaults | fields))


def an_attempt(workflow: str | Workflow = "login", **fields: Any) -> Attempt:
    """Return an attempt with two nested steps; any field can be given."""
    number = fields.get("number", 1)
    defaults: dict[str, Any] = {
        "run_id": run_id(),
        "number": number,
        "workflow": a_workflow(workflow) if isinstance(workflow, str) else workflow,
        "status": Status.PASSED,
        "started_at": at(number * 10),
        "duration_ms": 1500.0,
        "setup_ms": 100.0,
        "call_ms": 1300.0,
        "teardown_ms": 100.0,
        "worker": "gw1",
        "labels": {"season": "winter"},
        "dimensions": {"browser": "chromium"},
        "steps": (
            Step(index=0, name="Sign in", duration_ms=900.0),
            Step(index=1, name="Press the button", parent=0, started_ms=20.5, duration_ms=30.25),
        ),
    }
    return Attempt(**(defaults | fields))


def a_full_attempt(**fields: Any) -> Attempt:
    """Return an attempt that failed, with something in every field."""
    defaults: dict[str, Any] = {
        "status": Status.FAILED,
        "errors": (
            Error(
                phase=Phase.CALL,
                type="AssertionError",
                message="assert 2 == 3",
                file="tests/test_shop.py",
                line=9,
                source_line="assert total == 3",
                traceback="Traceback …",
                fingerprint="f00d",
            ),
            Error(phase=Phase.TEARDOWN, type="OSError", message="gone"),
        ),
        "skip_reason": "",
        "degraded": ("slow",),
        "steps": (
            Step(index=0, name="Prepare", phase=Phase.SETUP, duration_ms=1.0),
            Step(
                index=1,
                name="Pay",
                status=Status.FAILED,
                duration_ms=2.0,
                error_message="assert 2 == 3",
                slower_than_seconds=1.5,
            ),
            Step(index=2, name="Wait", parent=1, status=Status.INTERRUPTED, optional=True),
        ),
        "steps_dropped": 3,
        "metrics": (
            Metric(
                name="cart_total_ms",
                value=612.5,
                unit="ms",
                threshold_value=500.0,
                is_within_threshold=False,
                step=1,
                recorded_ms=12.5,
            ),
            Metric(name="items", value=3.0),
        ),
        "artifacts": (
            Artifact(
                name="page",
                kind="screenshot",
                content_type="image/png",
                size_bytes=5_000_000_000,
                sha256="ab" * 32,
                path="artifacts/ab.png",
                step=1,
                recorded_ms=13.0,
            ),
        ),
        "outputs": (Output(name="Captured stdout call", text="hello\n", dropped_chars=4),),
    }
    return an_attempt(**(defaults | fields))


def a_start(workflow: str = "login", **fields: Any) -> AttemptStarted:
    """Return the head of a flight recorder."""
    defaults: dict[str, Any] = {
        "run_id": run_id(),
        "number": 1,
        "workflow": a_workflow(workflow),
        "started_at": at(5),
        "worker": "gw0",
        "dimensions": {"browser": "chromium"},
    }
    return AttemptStarted(**(defaults | fields))
