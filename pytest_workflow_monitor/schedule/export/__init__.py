"""Writes the schedules of the markers down for other schedulers: one file each, in one mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.schedule.export.asking import Export, Request
from pytest_workflow_monitor.schedule.export.crontab import crontab
from pytest_workflow_monitor.schedule.export.github_actions import github_actions
from pytest_workflow_monitor.schedule.export.gitlab_ci import gitlab_ci
from pytest_workflow_monitor.schedule.export.kubernetes import kubernetes
from pytest_workflow_monitor.schedule.export.systemd import systemd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_workflow_monitor.model import Workflow

__all__ = ["FORMATS", "Export", "Request"]

FORMATS: dict[str, Callable[[Request, Sequence[Workflow]], Export]] = {
    "crontab": crontab,
    "systemd": systemd,
    "kubernetes": kubernetes,
    "github-actions": github_actions,
    "gitlab-ci": gitlab_ci,
}
"""Every format by its name; each takes workflows that have a schedule and are enabled."""
