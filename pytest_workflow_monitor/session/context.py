"""What is known about a session when it begins: who started it, where, and from which commit."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING

from pytest_workflow_monitor.model import SessionStarted, Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings

TRIGGER_VARIABLE = "WORKFLOW_MONITOR_TRIGGER"
PACKAGES = (
    "pytest",
    "pytest-workflow-monitor",
    "pytest-playwright",
    "playwright",
    "pytest-xdist",
    "pytest-rerunfailures",
    "pytest-timeout",
)

SCHEDULED = frozenset({Trigger.CRON, Trigger.SCHEDULE})
"""Sessions that nobody watches, so that people hear of what they find."""

CI_SYSTEMS: tuple[tuple[str, str, str, str, str], ...] = (
    # name, variable that tells it, commit, branch, URL of the run
    ("GitHub Actions", "GITHUB_ACTIONS", "GITHUB_SHA", "GITHUB_REF_NAME", ""),
    ("GitLab CI", "GITLAB_CI", "CI_COMMIT_SHA", "CI_COMMIT_REF_NAME", "CI_JOB_URL"),
    ("CircleCI", "CIRCLECI", "CIRCLE_SHA1", "CIRCLE_BRANCH", "CIRCLE_BUILD_URL"),
    ("Jenkins", "JENKINS_URL", "GIT_COMMIT", "GIT_BRANCH", "BUILD_URL"),
    ("Buildkite", "BUILDKITE", "BUILDKITE_COMMIT", "BUILDKITE_BRANCH", "BUILDKITE_BUILD_URL"),
    ("Azure Pipelines", "TF_BUILD", "BUILD_SOURCEVERSION", "BUILD_SOURCEBRANCHNAME", ""),
    ("Bitbucket", "BITBUCKET_BUILD_NUMBER", "BITBUCKET_COMMIT", "BITBUCKET_BRANCH", ""),
    ("Travis CI", "TRAVIS", "TRAVIS_COMMIT", "TRAVIS_BRANCH", "TRAVIS_BUILD_WEB_URL"),
    ("TeamCity", "TEAMCITY_VERSION", "BUILD_VCS_NUMBER", "", "BUILD_URL"),
    ("Drone", "DRONE", "DRONE_COMMIT_SHA", "DRONE_COMMIT_BRANCH", "DRONE_BUILD_LINK"),
    ("CI", "CI", "", "", ""),
)

BASE_VARIABLES = (
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "CHANGE_TARGET",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "DRONE_TARGET_BRANCH",
    "CI_DEFAULT_BRANCH",
)
"""Where CI systems say what a change is to be merged into, the most telling first."""

DEFAULT_BRANCH = "main"


def find_base_branch(environ: Mapping[str, str]) -> str:
    """Tell what branch a change is to be merged into; ``main`` where nothing says so."""
    named = (environ.get(name, "") for name in BASE_VARIABLES)
    return next(filter(None, named), DEFAULT_BRANCH).removeprefix("refs/heads/")


def describe_session(
    session_id: str,
    settings: Settings,
    *,
    arguments: tuple[str, ...],
    is_interactive: bool,
    notify: bool | None = None,
    slot_at: datetime | None = None,
    environ: Mapping[str, str] = os.environ,
) -> SessionStarted:
    """Gather what is known at the start of a session.

    Args:
        session_id: The session's id.
        settings: The effective settings.
        arguments: pytest's command line.
        is_interactive: Whether a person can see the terminal.
        notify: Whether people are to hear of what it finds; by default of scheduled sessions only.
        slot_at: The time that its schedule meant it for, if a worker began it.
        environ: Environment variables.
    """
    ci_name, ci_commit, ci_branch, ci_url = recognise_ci(environ)
    commit, branch = git_commit_and_branch(settings.root)
    started_at = datetime.now(UTC)
    trigger = find_trigger(environ, in_ci=bool(ci_name), is_interactive=is_interactive)
    return SessionStarted(
        session_id=session_id,
        project=settings.project,
        environment=settings.environment,
        location=settings.location,
        started_at=started_at,
        trigger=trigger,
        host=socket.gethostname(),
        pid=os.getpid(),
        rootdir=str(settings.root),
        arguments=arguments,
        git_commit=ci_commit or commit,
        git_branch=ci_branch or branch,
        ci_name=ci_name,
        ci_url=ci_url,
        notifies=trigger in SCHEDULED if notify is None else notify,
        slot_at=slot_at,
        lateness_seconds=(started_at - slot_at).total_seconds() if slot_at else None,
        versions=_versions(),
    )


def recognise_ci(environ: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Return the name of the CI system and its commit, branch and URL; empty texts outside one."""
    for name, sign, commit, branch, url in CI_SYSTEMS:
        if environ.get(sign, "").lower() not in {"", "0", "false"}:
            found = environ.get(url, "") if url else _composed_url(name, environ)
            return name, environ.get(commit, ""), environ.get(branch, ""), found
    return "", "", "", ""


def find_trigger(environ: Mapping[str, str], *, in_ci: bool, is_interactive: bool) -> Trigger:
    """Tell what started the session; the variable WORKFLOW_MONITOR_TRIGGER has the last word.

    cron sets LOGNAME, but neither TERM nor an interactive terminal.
    """
    named = environ.get(TRIGGER_VARIABLE, "").lower()
    if named in set(Trigger):
        return Trigger(named)
    if in_ci:
        return Trigger.CI
    if not is_interactive and "TERM" not in environ and "LOGNAME" in environ:
        return Trigger.CRON
    return Trigger.MANUAL


def git_commit_and_branch(folder: Path) -> tuple[str, str]:
    """Return the checked-out commit and branch; empty texts outside Git or without it."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD", "--abbrev-ref", "HEAD"],
            capture_output=True,
            text=True,
            timeout=2,
            check=True,
        )
        commit, branch = done.stdout.split("\n")[:2]
    except (OSError, ValueError, subprocess.SubprocessError):
        return "", ""
    return commit, "" if branch == "HEAD" else branch


def _composed_url(name: str, environ: Mapping[str, str]) -> str:
    if name == "GitHub Actions":
        server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
        run = environ.get("GITHUB_RUN_ID")
        return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""
    if name == "Azure Pipelines":
        server = environ.get("SYSTEM_COLLECTIONURI")
        project, build = environ.get("SYSTEM_TEAMPROJECT"), environ.get("BUILD_BUILDID")
        if server and project and build:
            return f"{server}{project}/_build/results?buildId={build}"
    return ""


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = _version(metadata.distribution(package))
        except metadata.PackageNotFoundError:
            continue
    return found


def _version(package: metadata.Distribution) -> str:
    """Return a package's version without the cost of parsing its whole description."""
    head, _, _ = (package.read_text("METADATA") or "").partition("\n\n")
    written = next((line for line in head.splitlines() if line.startswith("Version:")), "")
    return written.removeprefix("Version:").strip() or package.version
