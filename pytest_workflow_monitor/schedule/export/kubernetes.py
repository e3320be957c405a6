"""CronJobs of Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.schedule.export.asking import Export, Group, Request, Spelled, remarks
from pytest_workflow_monitor.schedule.export.cron_text import cron_text
from pytest_workflow_monitor.schedule.export.grouping import grouped, slug
from pytest_workflow_monitor.schedule.export.timing import changes, in_zone, timing_of
from pytest_workflow_monitor.schedule.export.yaml_text import dump

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.model import Workflow

LEAST_DEADLINE = 10
"""Kubernetes looks for what is due every ten seconds."""

NIGHTS = (
    "Kubernetes leaves out a time that is skipped when clocks go forward, and may run one that "
    "comes twice two times."
)


def kubernetes(request: Request, workflows: Sequence[Workflow]) -> Export:
    """Write a CronJob for each line of each group of workflows."""
    groups, refused = grouped(workflows, lambda it: _spelled(it, request))
    head = remarks(
        [
            f"Workflows of {request.project}, written by `workflow-monitor export kubernetes`.",
            f"The secret {request.secret} holds DATABASE_URL, and what else they need.",
            "Intervals begin at whole minutes here.",
        ]
    )
    documents = []
    for group in groups:
        notes = [group.words, *([group.spelled.note] if group.spelled.note else [])]
        for number, line in enumerate(group.spelled.lines, 1):
            name = group.name if number == 1 else f"{group.name[:47]}-{number}"
            documents.append("---\n" + remarks(notes) + dump(_cron_job(name, line, group, request)))
    name = slug(f"workflow-monitor {request.project}")
    return Export(files={f"{name}.yaml": head + "".join(documents)}, refused=refused)


def _spelled(workflow: Workflow, request: Request) -> Spelled:
    timing = timing_of(workflow, whole_minutes=True)
    timing = in_zone(timing, "UTC", request.now) or timing
    lines = tuple(cron_text(it, can_both=False) for it in timing.fields)
    zone = "Etc/UTC" if timing.zone == "UTC" else timing.zone
    return Spelled(lines=lines, zone=zone, note=NIGHTS if changes(zone, request.now) else "")


def _cron_job(name: str, line: str, group: Group, request: Request) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if request.namespace:
        metadata["namespace"] = request.namespace
    labels = {"app.kubernetes.io/name": "workflow-monitor"}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {**metadata, "labels": labels},
        "spec": {
            "schedule": line,
            "timeZone": group.spelled.zone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": max(LEAST_DEADLINE, int(group.grace_seconds)),
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": int(group.limit_seconds),
                    "ttlSecondsAfterFinished": 86400,
                    "template": {"metadata": {"labels": labels}, "spec": _pod(group, request)},
                }
            },
        },
    }


def _pod(group: Group, request: Request) -> dict[str, Any]:
    variables = {
        "WORKFLOW_MONITOR_TRIGGER": "schedule",
        "WORKFLOW_MONITOR_ENVIRONMENT": request.environment,
        "WORKFLOW_MONITOR_STATE_DIR": "/state",
    }
    return {
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "workflows",
                "image": request.image,
                "command": [*request.command.split(), "run", *group.workflow_ids],
                "env": [{"name": name, "value": value} for name, value in variables.items()],
                "envFrom": [{"secretRef": {"name": request.secret}}],
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
                "resources": {
                    "requests": {"cpu": "500m", "memory": "512Mi"},
                    "limits": {"memory": "2Gi"},
                },
                "volumeMounts": [
                    {"name": "state", "mountPath": "/state"},
                    {"name": "memory", "mountPath": "/dev/shm"},  # noqa: S108 - a mount point
                ],
            }
        ],
        "volumes": [
            {"name": "state", "emptyDir": {}},
            {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        ],
    }
