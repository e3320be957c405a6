"""Every time that is exported is compared with our own arithmetic, over a year."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from pytest_workflow_monitor.cron.slots import slots
from pytest_workflow_monitor.model import Workflow
from pytest_workflow_monitor.schedule.export import FORMATS, Request
from tests.schedule.export.readers import (
    SYSTEMD,
    calendar_times,
    cron_times,
    nights,
    read_crontab,
    systemd_times,
)

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)

SCHEDULES = [
    ("*/20 8-9 * * *", "UTC"),
    ("*/30 * * * *", "Europe/Berlin"),
    ("H * * * *", "America/New_York"),
    ("5 * * * *", "Asia/Kolkata"),
    ("30 2 * * *", "Europe/Berlin"),
    ("0 3 * * *", "Europe/London"),
    ("30 2 * * mon-fri", "America/New_York"),
    ("0 9 * * *", "Asia/Tokyo"),
    ("0 0 * * mon", "Asia/Tokyo"),
    ("30 23 * * 0,3", "Asia/Kolkata"),
    ("0 22-4 * * *", "UTC"),
    ("H H(0-5) * * *", "UTC"),
    ("@weekly", "UTC"),
    ("0 12 1 * *", "UTC"),
    ("0 12 1,15 jan-jun *", "Europe/Berlin"),
    ("0 0 13 * fri", "UTC"),
    ("0 0 */2 * fri", "UTC"),
    ("0 0 1-31/2 * fri", "UTC"),
    ("0 9 L * *", "Europe/Berlin"),
    ("0 9 * * 1#3", "UTC"),
    ("0 9 * * L5", "UTC"),
    ("0 9 1,L * *", "UTC"),
    ("0 9 * * 1,5#2", "Asia/Tokyo"),
    ("*/20 2 * * *", "Europe/Berlin"),
    ("10-50/10 */6 * * *", "Australia/Lord_Howe"),
    ("0 9 * * * 30", "UTC"),
    ("0 0-23 * * *", "Europe/Berlin"),
    ("15 6 * * fri-mon", "Africa/Cairo"),
]
INTERVALS = [2700, 3600, 5400, 86400, 604_800]
UNWILLING = [60 * 7, 1350, 172_800]
"""Intervals that no table of times can keep, or only one with seconds."""


def a_workflow(**fields: Any) -> Workflow:
    return Workflow(workflow_id="order-7", name="Order", nodeid="t.py::t", file="t.py", **fields)


WORKFLOWS = [
    *(a_workflow(cron=cron, timezone=zone) for cron, zone in SCHEDULES),
    *(a_workflow(every_seconds=every) for every in (*INTERVALS, *UNWILLING)),
]


def name_of(workflow: Workflow) -> str:
    return f"{workflow.cron or workflow.every_seconds} {workflow.timezone}"


NAMES = [name_of(it) for it in WORKFLOWS]


def a_request(**fields: Any) -> Request:
    defaults: dict[str, Any] = {
        "project": "shop",
        "environment": "production",
        "folder": "/srv/shop",
        "command": "/bin/true",
        "now": START,
        "image": "shop:1",
    }
    return Request(**(defaults | fields))


def ours(workflow: Workflow, *, whole_minutes: bool) -> set[datetime]:
    """Return a workflow's slots of the year; those of intervals at whole minutes if need be."""
    found = slots_of(NAMES.index(name_of(workflow)))
    if whole_minutes and workflow.every_seconds:
        minute = timedelta(minutes=1)
        found = {it + (minute - timedelta(seconds=it.second)) % minute for it in found}
    return {it for it in found if START <= it < END}


@cache
def slots_of(number: int) -> set[datetime]:
    """Return the slots of one of the workflows, some from the year before, too."""
    found = slots(WORKFLOWS[number], START - timedelta(minutes=2))
    return set(takewhile(lambda it: it < END, found))


def exported(name: str, workflow: Workflow, **fields: Any) -> tuple[str, str]:
    """Return the file that is exported, and why there is none."""
    made = FORMATS[name](a_request(**fields), [workflow])
    return "\n".join(made.files.values()), made.refused.get("order-7", "")


def without_nights(moments: set[datetime], zone: str) -> set[datetime]:
    """Leave out the days on which clocks change."""
    left_out = nights(zone, START, END)
    return {it for it in moments if it.astimezone(ZoneInfo(zone)).date() not in left_out}


@pytest.mark.parametrize("machine", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=NAMES)
def test_crontab(workflow: Workflow, machine: str) -> None:
    """At exactly our times, in the nights when clocks change too, or refused with a reason."""
    text, reason = exported("crontab", workflow, zone=machine)
    lines = [it.when for it in read_crontab(text, has_users=False).entries]
    assert bool(lines) != bool(reason)
    if lines:
        assert cron_times(lines, machine, START, END) == ours(workflow, whole_minutes=True)


def test_crontab_refuses_only_what_it_cannot_say() -> None:
    """In the machine's own zone: days that five fields do not know, seconds, odd intervals."""
    refused = {
        name: exported("crontab", it, zone=it.timezone)[1]
        for it, name in zip(WORKFLOWS, NAMES, strict=True)
    }
    assert {name for name, reason in refused.items() if reason} == {
        "0 9 L * * Europe/Berlin",
        "0 9 * * 1#3 UTC",
        "0 9 * * L5 UTC",
        "0 9 1,L * * UTC",
        "0 9 * * 1,5#2 Asia/Tokyo",
        "0 9 * * * 30 UTC",
        "420 UTC",
        "1350 UTC",
        "172800 UTC",
    }


def calendar_lines(workflow: Workflow) -> tuple[list[str], str]:
    """Return the calendar events of a workflow, and why there are none."""
    text, reason = exported("systemd", workflow)
    return re.findall(r"^OnCalendar=(.+)$", text, re.MULTILINE), reason


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=NAMES)
def test_systemd(workflow: Workflow) -> None:
    """At exactly our times, to the second; where a zone stays in it, but for two nights."""
    lines, reason = calendar_lines(workflow)
    assert bool(lines) != bool(reason)
    if lines:
        zone = lines[0].rpartition(" ")[2]
        theirs = calendar_times(lines, START, END)
        assert without_nights(theirs, zone) == without_nights(
            ours(workflow, whole_minutes=False), zone
        )


def test_systemd_keeps_everything_that_comes_round() -> None:
    """Last and numbered days, seconds, and all intervals that divide a day or are a week."""
    refused = {it.every_seconds for it in WORKFLOWS if calendar_lines(it)[1]}
    assert refused == {60 * 7, 172_800}


@pytest.mark.parametrize("moment", ["2026-01-01", "2026-05-17", "2026-12-01"])
@pytest.mark.parametrize("ask", [systemd_times] if SYSTEMD else [], ids=lambda _: "systemd-analyze")
def test_systemd_itself_agrees(
    ask: Callable[[list[str], datetime, int], list[datetime]], moment: str
) -> None:
    """Where systemd is installed, it reads the events as our own reader does."""
    start = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    for workflow in WORKFLOWS:
        lines, _ = calendar_lines(workflow)
        if lines:
            theirs = ask(lines, start, 8)
            read = calendar_times(lines, start + timedelta(seconds=1), theirs[-1] + timedelta(1))
            assert theirs == sorted(read)[: len(theirs)], lines


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=NAMES)
def test_kubernetes(workflow: Workflow) -> None:
    """At exactly our times; where a zone stays in it, but for two nights."""
    text, reason = exported("kubernetes", workflow)
    jobs = [it for it in yaml.safe_load_all(text) if it]
    assert bool(jobs) != bool(reason)
    if jobs:
        lines = [it["spec"]["schedule"] for it in jobs]
        (zone,) = {it["spec"]["timeZone"] for it in jobs}
        theirs = cron_times(lines, zone, START, END)
        assert without_nights(theirs, zone) == without_nights(
            ours(workflow, whole_minutes=True), zone
        )


@pytest.mark.parametrize("name", ["github-actions", "gitlab-ci"])
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=NAMES)
def test_ci_systems(workflow: Workflow, name: str) -> None:
    """At exactly our times in UTC, or by winter time, which it says: then summer's are off."""
    text, reason = exported(name, workflow)
    pattern = r'^    - cron: "(.+)"$' if name == "github-actions" else r'--cron "(.+?)"'
    lines = re.findall(pattern, text, re.MULTILINE)
    assert bool(lines) != bool(reason)
    if not lines:
        return
    theirs, expected = cron_times(lines, "UTC", START, END), ours(workflow, whole_minutes=True)
    if "by the winter time of" not in text:
        assert theirs == expected
        return
    zone = ZoneInfo(workflow.timezone)
    winter = min(it.astimezone(zone).utcoffset() or timedelta(0) for it in expected)

    def is_winter(moment: datetime) -> bool:
        around = (moment - timedelta(days=1), moment, moment + timedelta(days=1))
        return all(it.astimezone(zone).utcoffset() == winter for it in around)

    assert {it for it in theirs if is_winter(it)} == {it for it in expected if is_winter(it)}
    assert theirs != expected


def test_github_runs_nothing_more_often_than_every_five_minutes() -> None:
    """It would leave times out without a word."""
    _, reason = exported("github-actions", a_workflow(cron="*/2 * * * *"))
    assert reason == "it runs more often than every 5 minutes"
