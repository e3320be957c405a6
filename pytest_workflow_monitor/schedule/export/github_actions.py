"""A workflow file of GitHub Actions."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.schedule.export.asking import Export, Group, Request, remarks
from pytest_workflow_monitor.schedule.export.grouping import grouped
from pytest_workflow_monitor.schedule.export.universal import in_utc
from pytest_workflow_monitor.schedule.export.yaml_text import dump

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.model import Workflow

LEAST_MINUTES = 5


def github_actions(request: Request, workflows: Sequence[Workflow]) -> Export:
    """Write a workflow file with a job for each group of workflows."""
    groups, refused = grouped(
        workflows, lambda it: in_utc(it, request, least_minutes=LEAST_MINUTES)
    )
    said = [
        f"{' and '.join(it.spelled.lines)}: {it.words}"
        + (f"; {it.spelled.note}" if it.spelled.note else "")
        for it in groups
    ]
    head = remarks(
        [
            f"Workflows of {request.project}, written by `workflow-monitor export github-actions`.",
            "Put it into .github/workflows of the default branch, and DATABASE_URL into the",
            "repository's secrets. GitHub begins late when it is busy, and may leave a time out.",
            "All times are in UTC. Intervals begin at whole minutes here.",
            *said,
        ]
    )
    lines = dict.fromkeys(line for it in groups for line in it.spelled.lines)
    content = {
        "name": "Workflow monitor",
        "on": {"schedule": [{"cron": it} for it in lines], "workflow_dispatch": {}},
        "permissions": {"contents": "read"},
        "jobs": {it.name: _job(it, request) for it in groups},
    }
    return Export(files={"workflow-monitor.yml": head + dump(content)}, refused=refused)


def _job(group: Group, request: Request) -> dict[str, Any]:
    lines = json.dumps(group.spelled.lines)
    asked = "github.event_name == 'workflow_dispatch'"
    return {
        "name": group.words,
        "if": f"{asked} || contains(fromJSON('{lines}'), github.event.schedule)",
        "runs-on": "ubuntu-latest",
        "timeout-minutes": max(5, round(group.limit_seconds / 60)),
        "concurrency": {"group": f"workflow-monitor-{group.name}", "cancel-in-progress": False},
        "env": {
            "DATABASE_URL": "${{ secrets.DATABASE_URL }}",
            "WORKFLOW_MONITOR_ENVIRONMENT": request.environment,
            "WORKFLOW_MONITOR_TRIGGER": "schedule",
        },
        "steps": [
            {"uses": "actions/checkout@v4"},
            {"uses": "actions/setup-python@v5", "with": {"python-version": "3.12"}},
            {"run": request.install},
            {"run": "playwright install --with-deps chromium"},
            {"run": f"{request.command} run {shlex.join(group.workflow_ids)}"},
        ],
    }
