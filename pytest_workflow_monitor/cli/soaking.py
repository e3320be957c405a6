"""``workflow-monitor soak``: plays a day of schedules for real, and judges how that went."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings
from pytest_workflow_monitor.cli.exits import Exit
from pytest_workflow_monitor.cli.options import as_json_option, duration
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.cli.serving import CONCURRENCY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.soak.account import Account
    from pytest_workflow_monitor.soak.play import Checkpoint
    from pytest_workflow_monitor.soak.progress import Progress
    from pytest_workflow_monitor.soak.verdict import Verdict

CHECKPOINTS = 48
"""How many checkpoints there are, unless that would be too often or too seldom."""

LEAST_PAUSE, MOST_PAUSE = 10.0, 1800.0
MOST_SPEED = 1000.0
MOST_STRETCHES = 99
SHOWN = 20


def _seconds(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    return None if text is None else duration(text)


@click.command()
@click.option(
    "--for",
    "seconds",
    default="24h",
    show_default=True,
    callback=_seconds,
    metavar="DURATION",
    help="How much time is played.",
)
@click.option(
    "--speed",
    type=click.FloatRange(1, MOST_SPEED),
    default=1,
    show_default=True,
    metavar="FACTOR",
    help="How many times as quickly as real time it is played.",
)
@click.option(
    "--stretches",
    type=click.IntRange(1, MOST_STRETCHES),
    default=1,
    show_default=True,
    metavar="N",
    help="Cut the time into so many stretches, and play them at once: a day at real speed does not "
    "take a day then. Each has a scheduler, a worker and a database of its own.",
)
@click.option(
    "--checkpoint",
    "checkpoint_seconds",
    callback=_seconds,
    metavar="DURATION",
    help="How often to tell how it goes, in real time; by default 48 times, and at least every "
    "half hour.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 100),
    default=CONCURRENCY,
    show_default=True,
    metavar="N",
    help="How many runs at once.",
)
@click.option(
    "--in-database",
    is_flag=True,
    help="Keep the records in the project's own database, as a project of their own, and not in "
    "an embedded one below the state directory.",
)
@click.option(
    "--continue",
    "goes_on",
    is_flag=True,
    help="Go on with the last soak, which was interrupted or killed. What lies between was not "
    "played, and does not count.",
)
@as_json_option
@click.pass_context
def soak(
    context: click.Context,
    *,
    seconds: float,
    speed: float,
    stretches: int,
    checkpoint_seconds: float | None,
    concurrency: int,
    in_database: bool,
    goes_on: bool,
    as_json: bool,
) -> None:
    """Play a day of the schedules for real, and judge it.

    A scheduler with its worker runs the project's workflows when they are due, quicker than in
    real time with --speed, or in several stretches at once with --stretches. Every slot that the
    markers ask for has to run once and in time, and neither memory nor connections may grow.
    Nobody is told of what the workflows find.

    Ctrl-C ends it early, with the verdict so far; --continue goes on with it.
    """
    from pytest_workflow_monitor.soak.play import play
    from pytest_workflow_monitor.soak.progress import Plan, Progress

    settings = effective_settings()
    if goes_on:
        _refuse_changes(context)
    plan = Plan(
        seconds=seconds,
        speed=speed,
        stretches=stretches,
        checkpoint_seconds=checkpoint_seconds or _pause(seconds / stretches / speed),
        concurrency=concurrency,
    )
    new = (
        ()
        if goes_on
        else tuple(
            Progress(plan=plan, stretch=it, in_database=in_database) for it in range(stretches)
        )
    )
    with _folder(settings, new) as (folder, progress), _stopping() as stop:
        seconds = progress[0].plan.seconds
        found = play(
            settings,
            os.environ,
            folder,
            progress,
            stop=stop,
            tell=lambda it: click.echo(_checkpoint(it, seconds), err=as_json),
        )
    if as_json:
        print_json(found)
    else:
        _print(found, folder)
    if stop.is_set():
        sys.exit(Exit.INTERRUPTED)
    sys.exit(_CODES[found.result.value])


_CODES = {"passed": Exit.FINE, "failed": Exit.NOT_ALL_WELL, "too_fast": Exit.TOO_FAST}
_STYLES = {"passed": "bold green", "failed": "bold red", "too_fast": "bold yellow"}


def _refuse_changes(context: click.Context) -> None:
    """Refuse options that say what a soak is: the one that goes on has been told."""
    given = [
        it.opts[0]
        for it in context.command.params
        if it.name
        in {"seconds", "speed", "stretches", "checkpoint_seconds", "concurrency", "in_database"}
        and context.get_parameter_source(it.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(
            f"--continue goes on as the soak was begun: leave out {' and '.join(given)}."
        )


@contextmanager
def _folder(
    settings: Settings, new: tuple[Progress, ...]
) -> Iterator[tuple[Path, tuple[Progress, ...]]]:
    """Hold the folder of a new soak, or of the one that was interrupted last."""
    from pytest_workflow_monitor.soak.scratch import interrupted, scratch

    if not new:
        with interrupted(settings) as it:
            yield it
        return
    with scratch(settings, new) as folder:
        yield folder, new


def _pause(real_seconds: float) -> float:
    return min(max(real_seconds / CHECKPOINTS, LEAST_PAUSE), MOST_PAUSE)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Let Ctrl-C and SIGTERM ask for an orderly end; the second one takes effect at once."""
    stop = threading.Event()
    before: dict[int, Any] = {}

    def on_signal(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, before[number])

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)


def _checkpoint(found: Checkpoint, seconds: float) -> str:
    vitals = found.vitals
    return (
        f"{display.full_when(vitals.at)}  played {_clock(found.played_seconds)} of "
        f"{_clock(seconds)}: {_counted(found.account)}; {vitals.memory_mb:.0f} MB, "
        f"{wording.plural(vitals.connections, 'connection')}, load {vitals.load:.1f}"
    )


def _counted(account: Account) -> str:
    from pytest_workflow_monitor.soak.account import TroubleKind

    counts = [f"{account.expected:,} expected", f"{account.run:,} run"]
    rare = (TroubleKind.SILENT, TroubleKind.UNEXPECTED)
    counts += [
        f"{account.count(it):,} {it.value}"
        for it in TroubleKind
        if it not in rare or account.count(it)
    ]
    counts.append(f"{account.failed:,} failed")
    if account.open:
        counts.append(f"{account.open:,} on their way")
    return ", ".join(counts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}"


def _played(found: Verdict) -> str:
    said = f"{_clock(found.played_seconds)} in {_clock(found.real_seconds)}, speed {found.speed:g}"
    if found.stretches > 1:
        said += f", {found.stretches} stretches at once"
    if found.parts == 1:
        return said
    cut_off = wording.plural(found.cut_off, "slot")
    return f"{said}, in {found.parts} parts; {cut_off} on their way between them left out"


def _print(found: Verdict, folder: Path) -> None:
    account = found.account
    middle, most, longest = (wording.duration(it) for it in account.lateness_ms)
    rows = [
        ("Played", _played(found)),
        ("Slots", _counted(account)),
        ("Recorded", ", ".join(f"{n:,} {it}" for it, n in sorted(account.statuses.items()))),
        ("Begun", f"{middle} late in the middle, 95 % within {most}, at most {longest}"),
        ("Memory", f"{found.memory.start:.0f} MB at the start, {found.memory.end:.0f} at the end"),
        (
            "Connections",
            f"{found.connections.start:.0f} at the start, {found.connections.end:.0f} at the end",
        ),
        ("Load", f"at most {found.most_load:.1f} on {os.cpu_count()} processors"),
        ("Kept in", str(folder)),
    ]
    out = console()
    out.print()
    for name, said in rows:
        out.print(f"[bold]{name:<12}[/]", end="")
        out.print(said, markup=False, soft_wrap=True)
    troubles = sorted(account.troubles, key=lambda it: it.by_speed)[:SHOWN]
    if troubles:
        out.print(
            f"\n{len(troubles)} of {wording.plural(len(account.troubles), 'slot')} in trouble:"
        )
    for it in troubles:
        said = f"{display.full_when(it.slot_at)}  {it.workflow_id}  {it.kind.value}  {it.said}"
        out.print(said, markup=False, soft_wrap=True)
    out.print()
    early = "" if found.is_complete else ", so far"
    out.print(f"[{_STYLES[found.result.value]}]{found.result.value.replace('_', ' ')}[/]{early}")
    for reason in found.reasons:
        out.print(f"- {reason}", markup=False, soft_wrap=True)
    if not found.is_complete:
        out.print("Go on with it: workflow-monitor soak --continue")
