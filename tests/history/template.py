"""A database with a history, filled once for each version of the code and cloned by tests."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_workflow_monitor
from pytest_workflow_monitor.store import Store
from tests.history.plan import plan_of
from tests.history.playing import PROJECT
from tests.history.storing import fill

if TYPE_CHECKING:
    from tests.conftest import Server
    from tests.history.truth import Truth

UNTIL = datetime(2026, 6, 17, 6, 0, tzinfo=UTC)
"""A Wednesday morning, when the report of the day before is read."""

PREFIX = "wm_history"
SOURCES = (
    "ingest.py",
    "keeping/**/*.py",
    "alerting/**/*.py",
    "analysis/**/*.py",
    "store/**/*.py",
    "store/**/*.sql",
)
"""What of the package decides what is stored."""


def truth_of(days: int = 14, seed: int = 7) -> Truth:
    """Return what is behind the database that :func:`history` makes."""
    return plan_of(days=days, seed=seed, until=UNTIL)


def history(server: Server, template: str, *, days: int = 14, seed: int = 7) -> str:
    """Return a database to clone, with a history that ends at :data:`UNTIL`.

    Args:
        server: Where it is made, unless it is there; those of older versions are dropped.
        template: A database with the schema.
        days: How long the history is.
        seed: Of its chances.
    """
    digest = _digest()
    name = f"{PREFIX}_{digest}_{days}_{seed}"
    server.run("SELECT pg_advisory_lock(8)")
    known = server.databases()
    for old in known:
        if old.startswith(PREFIX) and digest not in old:
            server.drop(old)
    if name not in known:
        fresh = server.create(template)
        with Store(server.url_of(fresh), project=PROJECT) as store:
            fill(store, truth_of(days, seed))
            store.connection.execute(b"VACUUM ANALYZE")
        server.run("ALTER DATABASE {} RENAME TO {}", fresh, name)
    server.run("SELECT pg_advisory_unlock(8)")
    return name


def _digest() -> str:
    package = Path(pytest_workflow_monitor.__file__).parent
    files = [path for pattern in SOURCES for path in package.glob(pattern)]
    files += Path(__file__).parent.glob("*.py")
    found = hashlib.sha256()
    for path in sorted(files):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]
