"""``workflow-monitor db``: the database's schema, and what is in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_workflow_monitor import settings
from pytest_workflow_monitor.cli.output import console, print_json, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_workflow_monitor.store import Store, StoreInfo
    from pytest_workflow_monitor.store.migrate import MigrationState

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def db() -> None:
    """Look after the database: its schema, where it is, what is in it."""


@db.command()
@as_json_option
def migrate(*, as_json: bool) -> None:
    """Bring the schema up to date.

    Every other command and every session does this by itself on first use.
    """
    from pytest_workflow_monitor.store import migrate as schema

    with _store() as store:
        done = schema.migrate(store)
        _print_migrations("applied", done, store, as_json=as_json)


@db.command()
@as_json_option
def status(*, as_json: bool) -> None:
    """List the migrations, and which of them this database has had."""
    from pytest_workflow_monitor.store import migrate as schema

    with _store() as store:
        found = schema.status(store)
    if as_json:
        print_json(found)
        return
    rows = [(state.migration_id, state.applied_at or "not yet", _note(state)) for state in found]
    console().print(table("Migrations", ("Migration", "Applied at", ""), rows))


@db.command()
@click.option("--steps", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def rollback(*, steps: int, yes: bool, as_json: bool) -> None:
    """Undo the last migrations. The data in their tables is lost."""
    from pytest_workflow_monitor.store import migrate as schema

    with _store() as store:
        if not yes:
            click.confirm(
                f"Undo the last {steps} migration(s) in {store.location}, with their data?",
                abort=True,
                err=True,
            )
        done = schema.rollback(store, steps)
        _print_migrations("rolled back", done, store, as_json=as_json)


@db.command()
@as_json_option
def info(*, as_json: bool) -> None:
    """Tell where the data is, how to connect with psql, and how big it is."""
    with _store(migrated=True) as store:
        found = store.info()
    if as_json:
        print_json(found)
        return
    out = console()
    for name, fact in _facts(found):
        out.print(f"{name:12}", fact, markup=False, soft_wrap=True)
    out.print(table("Rows", ("Table", "Rows"), found.rows.items()))


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: Sequence[str]) -> None:
    """Open psql on the database; ARGUMENTS go to it.

    The embedded server runs only while something uses it; this uses it.
    """
    with _store(migrated=True) as store:
        command = store.psql_command()
        try:
            result = subprocess.run([*command, *arguments], check=False)
        except FileNotFoundError:
            raise click.ClickException(f"{command[0]} is not installed.") from None
    sys.exit(result.returncode)


def _store(*, migrated: bool = False) -> Store:
    from pytest_workflow_monitor.store import open_store

    return open_store(settings.load(Path.cwd()), migrated=migrated)


def _facts(found: StoreInfo) -> Iterator[tuple[str, object]]:
    yield "Server", f"PostgreSQL {found.server_version}"
    if found.path:
        yield "Data in", found.path
    yield "URL", found.url
    yield "Database", found.database
    yield "User", found.role
    ours, all_bytes = found.schema_bytes / 1e6, found.database_bytes / 1e6
    yield "Size", f"{ours:.1f} MB of the database's {all_bytes:.1f} MB"
    yield "psql", found.psql
    if found.path:
        yield "", "while the server runs; workflow-monitor db psql starts it for that"


def _note(state: MigrationState) -> str:
    return "" if state.is_known else "unknown to this version of the program"


def _print_migrations(what: str, done: Sequence[str], store: Store, *, as_json: bool) -> None:
    if as_json:
        print_json({"database": store.location, what.replace(" ", "_"): done})
    elif done:
        console().print(f"{what.capitalize()}: {', '.join(done)}")
    else:
        console().print("Nothing to do.")
