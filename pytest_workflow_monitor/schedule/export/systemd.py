"""Units of systemd: a service and a timer for each group."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from pytest_workflow_monitor.cron.fields import LAST
from pytest_workflow_monitor.schedule.export.asking import Export, Group, Request, Spelled, remarks
from pytest_workflow_monitor.schedule.export.grouping import grouped, slug
from pytest_workflow_monitor.schedule.export.numbers import RUN, ranges, step_of
from pytest_workflow_monitor.schedule.export.timing import (
    ALL_DATES,
    ALL_MONTHS,
    ALL_WEEKDAYS,
    RefusedError,
    changes,
    in_zone,
    timing_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_workflow_monitor.cron.fields import Days, Fields
    from pytest_workflow_monitor.model import Workflow

WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
NIGHTS = (
    "systemd leaves out a time that is skipped when clocks go forward, and runs one that comes "
    "twice the first time."
)


def systemd(request: Request, workflows: Sequence[Workflow]) -> Export:
    """Write a service and a timer for each group of workflows."""
    groups, refused = grouped(workflows, lambda it: _spelled(it, request))
    prefix = slug(f"workflow-monitor {request.project}")
    files = {}
    for group in groups:
        name = f"{prefix}-{group.name}"
        files[f"{name}.service"] = _service(group, request)
        files[f"{name}.timer"] = _timer(group, request)
    return Export(files=files, refused=refused)


def _spelled(workflow: Workflow, request: Request) -> Spelled:
    timing = timing_of(workflow, whole_minutes=False)
    timing = in_zone(timing, "UTC", request.now) or timing
    lines = tuple(line for it in timing.fields for line in calendar(it, timing.zone))
    return Spelled(
        lines=lines, zone=timing.zone, note=NIGHTS if changes(timing.zone, request.now) else ""
    )


def calendar(fields: Fields, zone: str) -> Iterator[str]:
    """Write times as calendar events: the timer elapses at each of them.

    Raises:
        RefusedError: Days that no calendar event names.
    """
    hours = _numbers(fields.hours, 0, 23)
    minutes = _numbers(fields.minutes, 0, 59)
    seconds = _numbers(fields.seconds, 0, 59)
    for day in _days(fields.days):
        yield f"{day} {hours}:{minutes}:{seconds} {zone}"


def _days(days: Days) -> Iterator[str]:
    months = "*" if days.months == ALL_MONTHS else _numbers(sorted(days.months), 1, 12)
    dates = [_dates(days.days)] if days.days else []
    dates += ["~01"] if days.has_last else []
    weekdays = [_weekdays(days.weekdays)] if days.weekdays else []
    if days.is_either:
        yield from (f"*-{months}{it}" for it in dates)
        yield from (f"{it} *-{months}-*".lstrip() for it in weekdays)
        for weekday, number in sorted(days.nth):
            yield f"{WEEKDAYS[weekday]} *-{months}{_nth(ALL_DATES, number)}"
        return
    for names, date in product(weekdays, dates):
        yield f"{names} *-{months}{date}".lstrip()
    for weekday, number in sorted(days.nth):
        if days.has_last:
            raise RefusedError("no calendar event has both a last and a numbered day")
        yield f"{WEEKDAYS[weekday]} *-{months}{_nth(days.days, number)}"


def _nth(dates: frozenset[int], number: int) -> str:
    """Name the days of the month among which the n-th of any weekday is."""
    if number == LAST and dates == ALL_DATES:
        return "~07/1"
    those = dates & set(range(number * 7 - 6, number * 7 + 1))
    if number == LAST or not those:
        raise RefusedError("no calendar event has both a day of the month and a numbered weekday")
    return _dates(those)


def _dates(dates: frozenset[int]) -> str:
    return "-*" if dates == ALL_DATES else f"-{_numbers(sorted(dates), 1, 31)}"


def _weekdays(weekdays: frozenset[int]) -> str:
    """Name weekdays, from Monday on; nothing for all of them."""
    if weekdays == ALL_WEEKDAYS:
        return ""
    said = []
    for first, last in ranges(sorted((day - 1) % 7 for day in weekdays)):
        names = [WEEKDAYS[(day + 1) % 7] for day in range(first, last + 1)]
        said += [f"{names[0]}..{names[-1]}"] if len(names) >= RUN else names
    return ",".join(said)


def _numbers(numbers: Sequence[int], low: int, high: int) -> str:
    step = step_of(numbers, high)
    if step == 1 and numbers[0] == low:
        return "*"
    if step > 1 and len(numbers) >= RUN:
        return f"{numbers[0]:02}/{step}"
    return ",".join(
        f"{first:02}..{last:02}" if first < last else f"{first:02}"
        for first, last in ranges(numbers)
    )


def _timer(group: Group, request: Request) -> str:
    head = remarks([*([group.spelled.note] if group.spelled.note else [])])
    events = "".join(f"OnCalendar={line}\n" for line in group.spelled.lines)
    return (
        f"{head}[Unit]\n"
        f"Description=Workflows of {_plain(request.project)}: {group.words}\n"
        "\n[Timer]\n"
        f"{events}"
        "AccuracySec=1s\n"
        "\n[Install]\n"
        "WantedBy=timers.target\n"
    )


def _service(group: Group, request: Request) -> str:
    words = [*request.command.split(), "run", *group.workflow_ids]
    who = f"User={request.user}\n" if request.user else ""
    variables = f"EnvironmentFile={_plain(request.env_file)}\n" if request.env_file else ""
    environment = _word(f"WORKFLOW_MONITOR_ENVIRONMENT={request.environment}")
    return (
        "[Unit]\n"
        f"Description=Workflows of {_plain(request.project)}: {group.words}\n"
        "Wants=network-online.target\n"
        "After=network-online.target\n"
        "\n[Service]\n"
        "Type=oneshot\n"
        f"{who}"
        f"WorkingDirectory={_plain(request.folder)}\n"
        f"Environment=WORKFLOW_MONITOR_TRIGGER=schedule {environment}\n"
        f"{variables}"
        f"ExecStart={' '.join(map(_word, words))}\n"
        + remarks(["A workflow that fails is an alert, and no failure of this service."])
        + "SuccessExitStatus=1\n"
        f"TimeoutStartSec={group.limit_seconds:.0f}\n"
    )


def _plain(text: str) -> str:
    """Keep systemd from reading its specifiers in a text."""
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """Quote a word of a command line, and keep systemd from replacing anything in it."""
    plain = _plain(text).replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"' if plain != text or set(text) & set(" \t'\";") else plain
