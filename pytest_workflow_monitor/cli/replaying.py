"""``workflow-monitor replay``: stores what dead or offline sessions left in their journals."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings
from pytest_workflow_monitor.cli.exits import Exit
from pytest_workflow_monitor.cli.options import as_json_option
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.shipping.shipment import Replayed

NOTHING_WAITS = "Nothing waits: every session that is over is stored."


class Waiting(Record, frozen=True, kw_only=True):
    """A journal whose session is over; ``problem`` says why a replay will leave it alone."""

    folder: str
    session_id: str = ""
    project: str = ""
    environment: str = ""
    started_at: datetime | None = None
    size_bytes: int = 0
    problem: str = ""


@click.command()
@click.option("--dry-run", is_flag=True, help="Only list what waits.")
@as_json_option
def replay(*, dry_run: bool, as_json: bool) -> None:
    """Store what dead or offline sessions left.

    Sessions that run, and journals that another process is storing, are not touched. Nothing is
    stored twice, however often this runs.
    """
    settings = effective_settings()
    found = waiting(settings.state_path)
    if dry_run:
        _list(found, as_json=as_json)
    elif not found:
        _tell_nothing(as_json=as_json)
    else:
        _replay(settings, len(found), as_json=as_json)


def waiting(state_path: Path) -> list[Waiting]:
    """List the journals that a replay would look at, the oldest first."""
    from pytest_workflow_monitor.journal import abandoned

    return [_waiting(folder) for folder in abandoned(state_path) if not _is_being_stored(folder)]


def _waiting(folder: Path) -> Waiting:
    from pytest_workflow_monitor.errors import JournalError
    from pytest_workflow_monitor.journal import FILE, head

    try:
        session = head(folder)
        size_bytes = (folder / FILE).stat().st_size
    except (JournalError, OSError) as error:
        return Waiting(folder=str(folder), problem=str(error))
    return Waiting(
        folder=str(folder),
        session_id=session.session_id,
        project=session.project,
        environment=session.environment,
        started_at=session.started_at,
        size_bytes=size_bytes,
    )


def _is_being_stored(folder: Path) -> bool:
    from pytest_workflow_monitor.journal import SHIPPER_LOCK, Lock

    if not (folder / SHIPPER_LOCK).exists():
        return False
    lock = Lock(folder / SHIPPER_LOCK)
    is_free = lock.acquire()
    lock.release()
    return not is_free


def _list(found: Sequence[Waiting], *, as_json: bool) -> None:
    good = [it for it in found if not it.problem]
    if as_json:
        print_json([asdict(it) for it in found])
    elif good:
        _print_table(good)
    if not as_json:
        for it in found:
            if it.problem:
                display.say(it.problem)
        if not found:
            display.say(NOTHING_WAITS)


def _print_table(found: Sequence[Waiting]) -> None:
    now = datetime.now(UTC)
    rows = [
        [
            it.session_id,
            display.when(it.started_at, now),
            it.project,
            it.environment,
            wording.size(it.size_bytes),
        ]
        for it in found
    ]
    title = f"{wording.plural(len(found), 'session')} to store ({display.times()})"
    columns = ["=Session", "=Started", "Project", "Environment", ">Size"]
    console().print(display.listing(title, columns, rows))


def _tell_nothing(*, as_json: bool) -> None:
    from pytest_workflow_monitor.shipping.shipment import Replayed

    if as_json:
        print_json(Replayed())
    else:
        display.say(NOTHING_WAITS)


def _replay(settings: Settings, count: int, *, as_json: bool) -> None:
    from pytest_workflow_monitor.alerting.rules import rules_of
    from pytest_workflow_monitor.shipping.shipment import replay as replay_journals
    from pytest_workflow_monitor.store import open_store

    with open_store(settings) as store, _progress(count) as advance:
        replayed = replay_journals(
            settings.state_path, store, rules_of(settings), on_session=lambda _: advance()
        )
        location = store.location
    if as_json:
        print_json(replayed)
    else:
        _print_result(replayed, location)
    if replayed.notices:
        sys.exit(Exit.NOT_ALL_WELL)


def _print_result(replayed: Replayed, location: str) -> None:
    sessions = wording.plural(replayed.sessions, "session")
    executions = wording.plural(replayed.executions, "execution")
    click.echo(f"Stored {sessions} with {executions} in {location}.")
    for notice in replayed.notices:
        display.say(notice)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """Show how many journals are stored, where a person is looking."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_interactive:
        yield lambda: None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Storing sessions", total=total)
        yield lambda: progress.advance(task)
