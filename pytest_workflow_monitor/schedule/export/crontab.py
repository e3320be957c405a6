"""A table for Debian's cron, which knows one zone: that of the machine's clock."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pytest_workflow_monitor.schedule.export.asking import Export, Group, Request, Spelled, remarks
from pytest_workflow_monitor.schedule.export.cron_text import cron_text
from pytest_workflow_monitor.schedule.export.grouping import grouped, slug
from pytest_workflow_monitor.schedule.export.timing import (
    RefusedError,
    Timing,
    changes,
    in_zone,
    timing_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_workflow_monitor.model import Workflow

LONGEST_COMMAND = 998
"""cron refuses longer ones."""


def crontab(request: Request, workflows: Sequence[Workflow]) -> Export:
    """Write a crontab: a user's, or with a user's name one for ``/etc/cron.d``."""
    groups, refused = grouped(workflows, lambda it: _spelled(it, request))
    where = (
        "Put it into /etc/cron.d; the name of the file must have no dot."
        if request.user
        else "Install it with `crontab FILE`, which replaces the table that is there."
    )
    head = remarks(
        [
            f"Workflows of {request.project}, written by `workflow-monitor export crontab`.",
            where,
            "",
            f"Times are those of a machine whose clock is in {request.zone}: Debian's cron knows",
            "no other zone, and CRON_TZ would be an ordinary variable to it.",
            "Intervals begin at whole minutes here.",
        ]
    )
    variables = {
        "WORKFLOW_MONITOR_TRIGGER": "cron",
        "WORKFLOW_MONITOR_ENVIRONMENT": request.environment,
    }
    assignments = "".join(f"{name}={_value(value)}\n" for name, value in variables.items())
    body = "".join(_entry(it, request) for it in groups)
    name = slug(f"workflow-monitor {request.project}")
    return Export(files={name: f"{head}\n{assignments}{body}"}, refused=refused)


def _spelled(workflow: Workflow, request: Request) -> Spelled:
    timing = timing_of(workflow, whole_minutes=True)
    there = in_zone(timing, request.zone, request.now)
    if there is None:
        raise RefusedError(
            f"there is no such time table on a machine whose clock is in {request.zone}"
        )
    lines = tuple(cron_text(it, can_both=True) for it in there.fields)
    if changes(there.zone, request.now) and not _keeps(there, lines):
        raise RefusedError("cron would treat it differently in the nights when clocks change")
    return Spelled(lines=lines, zone=request.zone)


def _keeps(timing: Timing, lines: Sequence[str]) -> bool:
    """Tell whether cron takes for wild, or for a fixed time, what we do."""
    return all(
        fields.is_wild == any(it.startswith("*") for it in line.split()[:2])
        for fields, line in zip(timing.fields, lines, strict=True)
    )


def _entry(group: Group, request: Request) -> str:
    user = f"{request.user} " if request.user else ""
    commands = list(_commands(group, request))
    lines = [f"{when} {user}{it}\n" for when in group.spelled.lines for it in commands]
    return "\n" + remarks([group.words]) + "".join(lines)


def _commands(group: Group, request: Request) -> Iterator[str]:
    """Return commands that run all workflows of a group, none of them too long."""
    before = f"cd {shlex.quote(request.folder)} && "
    if request.env_file:
        before += f"set -a && . {shlex.quote(request.env_file)} && set +a && "
    before = _escaped(f"{before}{request.command} run")
    line = before
    for workflow_id in group.workflow_ids:
        word = f" {_escaped(shlex.quote(workflow_id))}"
        if len(line) + len(word) > LONGEST_COMMAND and line != before:
            yield line
            line = before
        line += word
    yield line


def _escaped(command: str) -> str:
    """Keep cron from taking a percent sign for the end of the command."""
    return command.replace("%", r"\%")


def _value(text: str) -> str:
    return f'"{text}"'
