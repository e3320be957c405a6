"""Strict readers of what is exported, written from the manual pages and not from our code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim

if TYPE_CHECKING:
    from collections.abc import Iterator

BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
LONGEST_COMMAND = 998
DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SYSTEMD = shutil.which("systemd-analyze")
"""The real parser, where it is installed; the reader below is used everywhere."""


class Entry(NamedTuple):
    """A line of a crontab."""

    when: str
    user: str
    command: str


class Table(NamedTuple):
    """A crontab: its variables and its lines."""

    variables: dict[str, str]
    entries: list[Entry]


def read_crontab(text: str, *, has_users: bool) -> Table:
    """Read a crontab as crontab(5) of Debian has it; whatever it does not know is refused."""
    table = Table({}, [])
    assert text.endswith("\n"), "cron ignores a last line without an end"
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        assigned = re.fullmatch(r'(\w+)\s*=\s*(?:"([^"]*)"|(\S+))', line)
        if assigned:
            table.variables[assigned[1]] = assigned[2] or assigned[3] or ""
            continue
        parts = line.split(None, 6 if has_users else 5)
        *fields, command = parts
        user = fields.pop() if has_users else ""
        assert len(fields) == 5
        for field, bounds in zip(fields, BOUNDS, strict=True):
            check_field(field, *bounds)
        assert len(command) <= LONGEST_COMMAND
        assert not re.search(r"(?<!\\)%", command), "cron ends the command there"
        table.entries.append(Entry(" ".join(fields), user, command.replace(r"\%", "%")))
    return table


def check_field(field: str, low: int, high: int) -> None:
    """Refuse what is not a list of stars, numbers, ranges and steps of these."""
    for part in field.split(","):
        found = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
        assert found, part
        first, last, step = (int(it) if it else None for it in found.groups())
        if first is not None:
            assert low <= first <= high
            assert step is None or last is not None, "a step needs a range"
        if last is not None and first is not None:
            assert first < last <= high
        assert step is None or 0 < step <= high


def cron_times(lines: list[str], zone: str, start: datetime, end: datetime) -> set[datetime]:
    """Return the instants of five-field lines in a zone, by an independent implementation."""
    found = set()
    for line in lines:
        for moment in CronSim(line, start.astimezone(ZoneInfo(zone)) - timedelta(minutes=1)):
            instant = moment.astimezone(UTC)
            if instant >= end:
                break
            if instant >= start:
                found.add(instant)
    return found


def calendar_times(lines: list[str], start: datetime, end: datetime) -> set[datetime]:
    """Return the instants of calendar events as systemd.time(7) has it, but for skipped ones."""
    return {
        moment
        for line in lines
        for moment in _calendar_times(line, start, end)
        if start <= moment < end
    }


def _calendar_times(line: str, start: datetime, end: datetime) -> Iterator[datetime]:
    found = re.fullmatch(
        r"(?:(?P<week>[A-Za-z,.]+) )?\*-(?P<months>[\d*,./]+)(?P<sign>[-~])(?P<days>[\d*,./]+) "
        r"(?P<hours>[\d*,./]+):(?P<minutes>[\d*,./]+):(?P<seconds>[\d*,./]+) (?P<zone>\S+)",
        line,
    )
    assert found, line
    zone = ZoneInfo(found["zone"])
    week = _week(found["week"])
    months = _numbers(found["months"], 1, 12)
    hours, minutes = _numbers(found["hours"], 0, 23), _numbers(found["minutes"], 0, 59)
    seconds = _numbers(found["seconds"], 0, 59)
    day = start.astimezone(zone).date() - timedelta(days=1)
    while day <= end.date() + timedelta(days=1):
        if (
            day.weekday() in week
            and day.month in months
            and _fits(day, found["sign"], found["days"])
        ):
            for hour in hours:
                for minute in minutes:
                    for second in seconds:
                        wall = datetime(
                            day.year, day.month, day.day, hour, minute, second, tzinfo=zone
                        )
                        yield wall.astimezone(UTC)
        day += timedelta(days=1)


def _fits(day: date, sign: str, text: str) -> bool:
    if sign == "-":
        return day.day in _numbers(text, 1, 31)
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    from_end = (following - day).days
    first, slash, step = text.partition("/")
    if slash:
        assert step == "1"
        return from_end <= int(first)
    return from_end == int(first)


def _week(text: str | None) -> set[int]:
    if text is None:
        return set(range(7))
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("..")
        low = DAY_NAMES.index(first)
        found |= set(range(low, DAY_NAMES.index(last or first) + 1))
    return found


def _numbers(text: str, low: int, high: int) -> set[int]:
    if text == "*":
        return set(range(low, high + 1))
    found = set()
    for part in text.split(","):
        matched = re.fullmatch(r"(\d+)(?:\.\.(\d+)|/(\d+))?", part)
        assert matched, part
        first = int(matched[1])
        last = high if matched[3] else int(matched[2] or first)
        assert low <= first <= last <= high
        found |= set(range(first, last + 1, int(matched[3] or 1)))
    return found


def systemd_times(lines: list[str], start: datetime, count: int) -> list[datetime]:
    """Ask systemd for the next instants of calendar events."""
    assert SYSTEMD
    found: set[datetime] = set()
    for line in lines:
        base = f"--base-time={start:%Y-%m-%d %H:%M:%S} UTC"
        done = subprocess.run(
            [SYSTEMD, "calendar", f"--iterations={count}", base, line],
            env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
        )
        said = re.findall(r"(?:elapse|Iteration #\d+|Iter. #\d+): \w+ (\S+ \S+) UTC", done.stdout)
        found |= {datetime.fromisoformat(it).replace(tzinfo=UTC) for it in said}
    return sorted(found)[:count]


@cache
def nights(zone: str, start: datetime, end: datetime) -> set[date]:
    """Return the days on which the clocks of a zone change."""
    found, moment = set(), start
    while moment < end:
        here, later = (
            it.astimezone(ZoneInfo(zone)) for it in (moment, moment + timedelta(hours=1))
        )
        if here.utcoffset() != later.utcoffset():
            found |= {here.date(), later.date()}
        moment += timedelta(hours=1)
    return found
