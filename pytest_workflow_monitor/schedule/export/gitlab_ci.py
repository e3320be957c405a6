"""Jobs of GitLab CI, for pipeline schedules that are made in GitLab."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.schedule.export.asking import Export, Group, Request, remarks
from pytest_workflow_monitor.schedule.export.grouping import grouped
from pytest_workflow_monitor.schedule.export.universal import in_utc
from pytest_workflow_monitor.schedule.export.yaml_text import dump

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.model import Workflow

IMAGE = "python:3.12"
LEAST_MINUTES = 1
VARIABLE = "WORKFLOW_SCHEDULE"
BROWSER = "playwright install --with-deps chromium"


def gitlab_ci(request: Request, workflows: Sequence[Workflow]) -> Export:
    """Write a job for each group of workflows, and how its schedule is made."""
    groups, refused = grouped(
        workflows, lambda it: in_utc(it, request, least_minutes=LEAST_MINUTES)
    )
    head = remarks(
        [
            f"Workflows of {request.project}, written by `workflow-monitor export gitlab-ci`.",
            "Include it in .gitlab-ci.yml, and put DATABASE_URL into the project's CI variables.",
            "GitLab keeps schedules outside of the repository: make these, by the form under",
            "Build, Pipeline schedules, or with glab. All times are in UTC. Intervals begin at",
            "whole minutes here. GitLab may begin late, and on gitlab.com not at every minute.",
            *(line for it in groups for line in _schedules(it)),
        ]
    )
    jobs = {f"workflow-monitor-{it.name}": _job(it, request) for it in groups}
    return Export(files={"workflow-monitor.gitlab-ci.yml": head + dump(jobs)}, refused=refused)


def _schedules(group: Group) -> list[str]:
    note = f"; {group.spelled.note}" if group.spelled.note else ""
    return [
        "",
        f"{group.words}{note}",
        *(
            f'glab schedule create --cron "{line}" --cronTimeZone UTC --ref main '
            f'--description "{group.name}" --variable "{VARIABLE}:{group.name}"'
            for line in group.spelled.lines
        ),
    ]


def _job(group: Group, request: Request) -> dict[str, Any]:
    is_this = f'$CI_PIPELINE_SOURCE == "schedule" && ${VARIABLE} == "{group.name}"'
    return {
        "image": request.image or IMAGE,
        "rules": [{"if": is_this}],
        "resource_group": f"workflow-monitor-{group.name}",
        "timeout": f"{max(5, round(group.limit_seconds / 60))} minutes",
        "variables": {
            "WORKFLOW_MONITOR_ENVIRONMENT": request.environment,
            "WORKFLOW_MONITOR_TRIGGER": "schedule",
        },
        "script": [
            *([] if request.image else [request.install, BROWSER]),
            f"{request.command} run {shlex.join(group.workflow_ids)}",
        ],
    }
