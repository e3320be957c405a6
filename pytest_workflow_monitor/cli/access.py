"""How commands come by the settings and the database."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_workflow_monitor import settings as configuration
from pytest_workflow_monitor.cli.exits import NothingThereError, NothingToShowError
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.settings.crons import check_crons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

SHOWN_CANDIDATES = 5


def effective_settings() -> Settings:
    """Return the settings of the project that the current folder belongs to.

    Raises:
        SettingsError: A setting is wrong.
    """
    settings = configuration.load(Path.cwd())
    check_crons(settings)
    known.learn_environment(os.environ, settings.secret_names)
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(message)s")
    return settings


@contextmanager
def opened(settings: Settings) -> Iterator[Store | None]:
    """Open the database for questions; None when nothing was ever stored there.

    A question creates neither an embedded server nor tables.

    Raises:
        StoreError: There is a database, but it cannot be used.
    """
    from pytest_workflow_monitor.store import migrate

    with existing(settings) as store:
        if store is None or not any(state.applied_at for state in migrate.status(store)):
            yield None
            return
        migrate.migrate(store)
        yield store


@contextmanager
def existing(settings: Settings) -> Iterator[Store | None]:
    """Open the database as it is, whatever its schema; None when there is no embedded one yet.

    Raises:
        StoreError: There is a database, but it cannot be used.
    """
    from pytest_workflow_monitor.store import open_store, places

    if not settings.database_url and not places.data_path(settings.state_path).exists():
        yield None
        return
    with open_store(settings, migrated=False) as store:
        yield store


@contextmanager
def needed(settings: Settings) -> Iterator[Store]:
    """Open the database for a question about one thing in it.

    Raises:
        NothingToShowError: Nothing was ever stored there.
        StoreError: There is a database, but it cannot be used.
    """
    with opened(settings) as store:
        if store is None:
            raise NothingToShowError
        yield store


def resolved(what: str, prefix: str, find: Callable[[str, int], Sequence[str]]) -> str:
    """Find the one id that begins with ``prefix``.

    Args:
        what: What it is the id of, such as ``execution``.
        prefix: An id or its beginning.
        find: Lists ids by their beginning, newest first, at most so many.

    Raises:
        NothingThereError: No id begins so, or several do.
    """
    found = find(prefix, SHOWN_CANDIDATES + 1) if prefix.strip("-") else ()
    if not found:
        raise NothingThereError(f"There is no {what} whose id is, or begins with, {prefix!r}.")
    if len(found) > 1:
        more = ["and others"] if len(found) > SHOWN_CANDIDATES else []
        shown = "\n  ".join([*found[:SHOWN_CANDIDATES], *more])
        raise NothingThereError(f"{prefix!r} is the beginning of several ids:\n  {shown}")
    return found[0]
