"""``workflow-monitor db``: the database's schema, and what is in it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings, existing, needed
from pytest_workflow_monitor.cli.db_stats import stats
from pytest_workflow_monitor.cli.exits import NothingToShowError, ProgramMissingError
from pytest_workflow_monitor.cli.options import InOrder, agree, as_json_option, yes_option
from pytest_workflow_monitor.cli.output import console, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_workflow_monitor.store import Store, StoreInfo
    from pytest_workflow_monitor.store.migrate import MigrationState

NOTHING_TO_DO = "Nothing to do."
NOT_YET = "not yet"


@click.group(cls=InOrder, short_help="Look after the database and its schema.")
def db() -> None:
    """Look after the database: its schema, where it is, what is in it."""


@db.command(short_help="Tell where the data is, and how big it is.")
@as_json_option
def info(*, as_json: bool) -> None:
    """Tell where the data is, how to connect with psql, and how big it is."""
    with needed(effective_settings()) as store:
        found = store.info()
    if as_json:
        print_json(found)
        return
    out = console()
    for name, fact in _facts(found):
        out.print(f"{name:9}", fact, markup=False, soft_wrap=True)
    out.print()
    rows = [(name, f"{count:,}") for name, count in found.rows.items()]
    out.print(display.listing("", ["Table", ">Rows"], rows))


@db.command()
@as_json_option
def status(*, as_json: bool) -> None:
    """List the migrations, and which of them this database has had."""
    from pytest_workflow_monitor.store import migrate as schema

    with existing(effective_settings()) as store:
        if store is None:
            raise NothingToShowError
        found, location = schema.status(store), store.location
    if as_json:
        print_json(found)
    else:
        _print_states(f"Migrations of {location} ({display.times()})", found)


@db.command()
@as_json_option
def migrate(*, as_json: bool) -> None:
    """Bring the schema up to date.

    Every other command and every session does this by itself on first use.
    """
    from pytest_workflow_monitor.store import migrate as schema
    from pytest_workflow_monitor.store import open_store

    with open_store(effective_settings(), migrated=False) as store:
        done, location = schema.migrate(store), store.location
    _print_done("applied", done, location, as_json=as_json)


@db.command(short_help="Undo the last migrations, with their data.")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many migrations.",
)
@yes_option
@as_json_option
def rollback(*, steps: int, yes: bool, as_json: bool) -> None:
    """Undo the last migrations. The data in their tables is lost."""
    from pytest_workflow_monitor.store import migrate as schema

    with existing(effective_settings()) as store:
        if store is None:
            raise NothingToShowError
        to_undo = _last_applied(store, steps)
        if to_undo and not yes:
            names = ", ".join(to_undo)
            agree(f"Undo {names} in {store.location}? The data in its tables will be lost.")
        done = schema.rollback(store, steps)
        _print_done("rolled back", done, store.location, as_json=as_json)


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: Sequence[str]) -> None:
    """Open psql on the database; ARGUMENTS go to it.

    The embedded server runs only while something uses it; this uses it. The exit code is psql's.
    """
    from pytest_workflow_monitor.store import open_store

    with open_store(effective_settings()) as store:
        command, environment = store.psql_command()
        try:
            result = subprocess.run(
                [*command, *arguments], env={**os.environ, **environment}, check=False
            )
        except FileNotFoundError:
            raise ProgramMissingError(f"{command[0]} is not installed.") from None
    sys.exit(result.returncode)


def _facts(found: StoreInfo) -> Iterator[tuple[str, object]]:
    yield "Server", f"PostgreSQL {found.server_version}"
    if found.path:
        yield "Data in", found.path
    yield "URL", found.url
    yield "Database", found.database
    yield "User", found.role
    ours, whole = wording.size(found.schema_bytes), wording.size(found.database_bytes)
    yield "Size", f"{ours} of the database's {whole}"
    yield "psql", found.psql
    if found.path:
        yield "", "while the server runs; workflow-monitor db psql starts it for that"


def _print_states(title: str, states: Sequence[MigrationState]) -> None:
    rows = [
        (
            it.migration_id,
            display.when(it.applied_at) if it.applied_at else NOT_YET,
            "" if it.is_known else "unknown to this version of the program",
        )
        for it in states
    ]
    console().print(display.listing(title, ["=Migration", "=Applied", ""], rows))


def _last_applied(store: Store, steps: int) -> list[str]:
    from pytest_workflow_monitor.store import migrate as schema

    applied = [it.migration_id for it in schema.status(store) if it.applied_at]
    return applied[-1 : -steps - 1 : -1]


def _print_done(what: str, done: Sequence[str], location: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"database": location, what.replace(" ", "_"): done})
    else:
        click.echo(f"{what.capitalize()}: {', '.join(done)}" if done else NOTHING_TO_DO)


db.add_command(stats)
