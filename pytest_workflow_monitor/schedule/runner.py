"""A run: pytest on the workflows of some slots, in a process group of its own, with a limit."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Record, Trigger
from pytest_workflow_monitor.schedule import guard
from pytest_workflow_monitor.schedule.endings import Ending, How
from pytest_workflow_monitor.session.context import TRIGGER_VARIABLE
from pytest_workflow_monitor.store import places
from pytest_workflow_monitor.support.pytest_command import as_arguments, pytest_command
from pytest_workflow_monitor.words.queues import SLOT_VARIABLE, Appointment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.words.slots import Schedule

PARALLEL_FROM = 3
"""So many workflows that share a run are worth the start of xdist's processes."""

MOST_PROCESSES = 4
RUNS = "runs"
KEPT_OUTPUTS = 200
"""So many outputs of runs that failed are kept, the latest."""

_PLAIN = re.compile(r"[^\"'\\]+")


class Run(Record, frozen=True, kw_only=True):
    """What is to be run: a command, for how long at most, and for which slots."""

    command: tuple[str, ...]
    appointment: Appointment
    limit_seconds: float


def plan(settings: Settings, schedules: Sequence[Schedule], appointment: Appointment) -> Run:
    """Say how the workflows of some slots run in one pytest."""
    processes = min(len(schedules), MOST_PROCESSES) if len(schedules) >= PARALLEL_FROM else 1
    limits = [it.limit_seconds for it in schedules]
    return Run(
        command=(
            *pytest_command(settings),
            *_selection(settings, schedules),
            *(("-n", str(processes)) if processes > 1 else ()),
        ),
        appointment=appointment,
        limit_seconds=max(limits) + (sum(limits) - max(limits)) / processes,
    )


async def carry_out(run: Run, settings: Settings, stop: asyncio.Event) -> Ending:
    """Run it to its end, whatever brings that about.

    Args:
        run: What to run.
        settings: Where.
        stop: Set, it ends the run early, in an orderly way.

    Raises:
        asyncio.CancelledError: The task was cancelled; nothing of the run is left.
    """
    began = monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        guard.__file__,
        stdin=PIPE,
        stdout=PIPE,
        start_new_session=True,
        env=_environment(run.appointment),
    )
    assert process.stdin is not None  # noqa: S101 - it was asked for above
    assert process.stdout is not None  # noqa: S101
    answer = asyncio.ensure_future(process.stdout.read())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        process.stdin.write(msgspec.json.encode(_order(run, settings)) + b"\n")
        await asyncio.wait({answer, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            process.stdin.write(b"stop\n")
        return _ending(await answer, monotonic() - began)
    finally:
        stopping.cancel()
        with suppress(OSError):
            process.stdin.close()  # kills what is left
        await asyncio.shield(process.wait())


def keep_output(ending: Ending, settings: Settings, session_id: str) -> Path | None:
    """Keep what pytest said in a run that did not pass, and return where; None if it passed.

    Secrets are masked, old files go.
    """
    if not ending.output or (ending.how is How.ENDED and ending.exit_code == 0):
        return None
    folder = settings.state_path / RUNS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{session_id}.log"
        path.write_text(ending.output, encoding="utf-8")
        kept = sorted(folder.glob("*.log"))  # session ids sort by time
        for old in kept[:-KEPT_OUTPUTS]:
            old.unlink(missing_ok=True)
    except OSError:
        return None
    return path


def _selection(settings: Settings, schedules: Sequence[Schedule]) -> list[str]:
    """Select the tests of workflows by where they are, and by their id.

    Their parameters are left out, as those of browsers depend on options; the id tells which of
    the tests are meant.
    """
    tests = dict.fromkeys(_without_parameters(it) for one in schedules for it in one.nodeids)
    ids = dict.fromkeys(it.workflow_id for it in schedules)
    arguments = as_arguments(list(tests), settings.state_path)
    if all(_PLAIN.fullmatch(it) for it in ids):
        arguments += ["-m", " or ".join(f"workflow(id='{it}')" for it in ids)]
    return arguments


def _without_parameters(nodeid: str) -> str:
    file, separator, rest = nodeid.partition("::")
    return f"{file}{separator}{rest.partition('[')[0]}"


def _environment(appointment: Appointment) -> dict[str, str]:
    return {
        **os.environ,
        TRIGGER_VARIABLE: Trigger.SCHEDULE.value,
        SLOT_VARIABLE: msgspec.json.encode(appointment).decode(),
    }


def _order(run: Run, settings: Settings) -> dict[str, object]:
    return {
        "command": run.command,
        "folder": str(settings.root),
        "limit_seconds": run.limit_seconds,
        "spared": [str(places.data_path(settings.state_path) / "postmaster.pid")],
    }


def _ending(answer: bytes, seconds: float) -> Ending:
    head, _, output = answer.partition(b"\n")
    if len(output) >= guard.OUTPUT_BYTES:  # the first line may be the rest of a secret
        output = output.partition(b"\n")[2]
    text = known.text(output.decode(errors="replace"))
    try:
        said = msgspec.json.decode(head)
        how, exit_code = How(said["how"]), said["exit_code"]
    except (msgspec.MsgspecError, KeyError, ValueError):  # the guard itself was killed
        how, exit_code = How.ENDED, -9
    return Ending(how=how, exit_code=exit_code, output=text, seconds=seconds)
